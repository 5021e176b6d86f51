"""Look into a network's attention: weights, rollout, flow, the logit lens, heads, ablations."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.attention.methods import methods
from engine.attention.put import Table, vocabulary_of
from engine.attention.subject import Subject
from engine.forms import parse
from engine.models.files import open_model, read_input, write_arrays
from engine.models.kept import Kept
from engine.plain import plain
from engine.views import Array


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, nargs="?", help="a file with a network's JSON")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--weights", type=Path, help="a safetensors file")
    parser.add_argument("--input", type=Path, help="a .npy file with one sample or a batch")
    parser.add_argument("--method", default="weights")
    parser.add_argument("--target", type=int, help="the output meant; else the largest")
    parser.add_argument("--layer", help="an attention layer, for methods that look at one")
    parser.add_argument("--list", action="store_true", help="name all methods")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="an .npz file")


def run(options: argparse.Namespace) -> int:
    """Look, print the numbers, write the arrays; every array has the samples as its first axis."""
    if options.list:
        print(json.dumps(methods.to_json(), ensure_ascii=False))
        return 0
    if None in (options.spec, options.weights, options.input):
        raise ValueError("attention: needs a network's file, --weights and --input; or --list")
    entry = methods.find(options.method)
    chosen: dict[str, Any] = parse(options.settings)
    for name in ("layer", "target"):
        if (given := getattr(options, name)) is not None:
            chosen[name] = given
    subjects = _subjects(open_model(options.spec, options.weights), options.input)
    begun = time.perf_counter()
    found = [entry(subject, **chosen) for subject in subjects]
    numbers = {
        "method": entry.name,
        "samples": len(found),
        "seconds": time.perf_counter() - begun,
        **_facts(found[0]),
    }
    if options.output:
        arrays = {name: _together([one[name] for one in found]) for name in found[0]}
        answers = torch.cat([subject.look().answer for subject in subjects]).numpy()
        write_arrays(options.output, {**arrays, "outputs": answers, **numbers})
    print(json.dumps(plain(numbers)) if options.json else _words(numbers))
    return 0


def _subjects(kept: Kept, path: Path) -> list[Subject]:
    """The samples of a file, one by one; two inputs stand behind each other in it."""
    table = Table(kept)
    shapes = [tuple(node.params.get("shape", ())) for node in table.inputs]
    if len({shape[1:] for shape in shapes}) > 1:
        raise ValueError(
            "attention: the network's inputs differ in shape and cannot stand in one file"
        )
    lengths = [shape[0] for shape in shapes]
    whole = (sum(lengths), *shapes[0][1:])
    tokens = table.inputs[0].params.get("dtype") == "token"
    vocabulary = vocabulary_of(kept.spec, table.inputs[0]) if tokens else 0
    x = read_input(path, whole, vocabulary)
    parts = x.split(lengths, 1) if len(lengths) > 1 else (x,)
    return [
        table.of(tuple(part[i : i + 1] for part in parts), None, f"sample {i}")
        for i in range(len(x))
    ]


def _facts(found: dict[str, Array]) -> dict[str, Any]:
    """What the page says beside the pictures."""
    facts: dict[str, Any] = {"layers": found["layers"].tolist()} if "layers" in found else {}
    tables = [one for name, one in found.items() if name.startswith(("weights", "rollout"))]
    if tables:
        facts["largest_gap_of_row_sums"] = max(float(np.abs(t.sum(-1) - 1).max()) for t in tables)
    if "change" in found:
        facts["largest_change"] = float(found["change"])
    return facts


def _together(arrays: list[Array]) -> Array:
    """One array a sample as one array; names are the same for all."""
    return arrays[0] if arrays[0].dtype.kind == "U" else np.stack(arrays)


def _words(numbers: dict[str, Any]) -> str:
    layers = ", ".join(numbers.get("layers", ()))
    return (
        f"{numbers['method']}: {numbers['samples']} samples, {numbers['seconds']:.3g} s; {layers}"
    )
