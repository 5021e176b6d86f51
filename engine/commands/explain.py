"""Explain what a trained network says to inputs; write the explanation and its own error.

Methods of the table of explainers give a map like the input. The other questions (concepts,
training samples, pairs of parts, counterfactuals) give arrays of their own; `--list` says which.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.data import load as load_data
from engine.explain.adapt import Kind, adapted, embedding, folded, kind_of
from engine.explain.measure import Measured, band, measure
from engine.explain.questions import Request, ask, questions
from engine.explain.table import explainers
from engine.forms import parse
from engine.models.files import open_model, read_input, write_arrays
from engine.models.kept import Kept
from engine.plain import plain
from engine.tables import Entry


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, nargs="?", help="a file with a network's JSON")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--weights", type=Path, help="a safetensors file")
    parser.add_argument("--input", type=Path, help="a .npy file with one sample or a batch")
    parser.add_argument("--method", default="integrated_gradients")
    parser.add_argument("--target", type=int, help="the output to explain; else the largest")
    parser.add_argument("--layer", help="for methods that look at a layer")
    parser.add_argument("--data", help="name of the data it was trained on, for what needs them")
    parser.add_argument("--band", action="store_true", help="measure the scatter over seeds")
    parser.add_argument("--list", action="store_true", help="name all methods")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="an .npz file")


def run(options: argparse.Namespace) -> int:
    """Explain, print the numbers, write the arrays."""
    if options.list:
        print(json.dumps(listing(), ensure_ascii=False))
        return 0
    if None in (options.spec, options.weights):
        raise ValueError("explain: needs a network's file, --weights and --input; or --list")
    chosen: dict[str, Any] = parse(options.settings)
    if options.layer is not None:
        chosen["layer"] = options.layer
    kept = open_model(options.spec, options.weights)
    data = load_data(options.data) if options.data else None
    if options.method in questions.all():
        return _question(options, kept, chosen, data)
    entry = explainers.find(options.method)
    if options.input is None:
        raise ValueError("explain: needs --input, a .npy file with samples")
    kind = kind_of(kept.module, kept.shape)
    x = _samples(options.input, kept, kind)
    references = None if data is None else data.train_x[:16]
    scores = _said(kept, x, kind)
    target = scores.argmax(1) if options.target is None else torch.tensor(options.target)
    found = _explained(entry, kept, x, target, chosen, kind, references, options.band)
    numbers: dict[str, Any] = {
        "method": entry.name,
        "target": target.expand(len(x)).numpy(),
        "prediction": scores.argmax(1).numpy(),
        "completeness_gap": found.gap,
        "difference": found.total.numpy(),
        "seconds": found.seconds,
        "evaluations": found.evaluations,
    }
    if options.band and entry.facts["sampled"]:
        numbers["band"] = found.band
    numbers.update({_key(name): value for name, value in found.told.items()})
    if options.output:
        arrays = {"attribution": found.map.numpy(), "scores": scores.numpy(), **numbers}
        write_arrays(options.output, arrays)
    print(json.dumps(plain(numbers)) if options.json else _words(numbers))
    return 0


def listing() -> list[dict[str, object]]:
    """Every method and question as plain data; `gives` says what comes back."""
    maps = [{**entry.to_json(), "gives": "like the input"} for entry in explainers.all().values()]
    return [*maps, *(entry.to_json() for entry in questions.all().values())]


def _samples(path: Path, kept: Kept, kind: Kind) -> torch.Tensor:
    words = embedding(kept.module).num_embeddings if kind == "text" else 0
    return read_input(path, kept.shape, words)


def _said(kept: Kept, x: torch.Tensor, kind: Kind) -> torch.Tensor:
    """What the network says to samples in their own order, `(n, outputs)`."""
    rows = x.split(1) if kind == "text" else (x,)
    said = []
    with torch.no_grad():
        for some in rows:
            module, real = adapted(kept.module, some, kind)
            said.append(module(real))
    return torch.cat(said)


def _explained(
    entry: Entry,
    kept: Kept,
    x: torch.Tensor,
    target: torch.Tensor,
    chosen: Mapping[str, Any],
    kind: Kind,
    references: torch.Tensor | None,
    banded: bool,
) -> Measured:
    """The batch, explained in its own order; texts one by one, since each has its own words."""
    parts = []
    wanted = target.expand(len(x))
    step = 1 if kind == "text" else len(x)
    for start in range(0, len(x), step):
        some, its = x[start : start + step], wanted[start : start + step]
        module, real = adapted(kept.module, some, kind)
        others = None if references is None else adapted(kept.module, references, kind)[1]
        one = measure(entry, module, real, its, chosen, references=others)
        scatter = math.nan
        if banded and entry.facts["sampled"]:
            scatter = band(entry, module, real, its, chosen, references=others)
        parts.append((one, folded(one.map, kind), scatter))
    made = [one for one, _, _ in parts]
    return Measured(
        map=torch.cat([found for _, found, _ in parts]),
        seconds=sum(one.seconds for one in made),
        evaluations=sum(one.evaluations for one in made),
        gap=max(one.gap for one in made),
        total=torch.cat([one.total for one in made]),
        band=max(scatter for _, _, scatter in parts),
        told={name: min(one.told[name] for one in made) for name in made[0].told},
    )


def _question(options: argparse.Namespace, kept: Kept, chosen: Mapping[str, Any], data: Any) -> int:
    """Ask what gives no map."""
    x = torch.zeros((0, *kept.shape))
    target = torch.zeros(0, dtype=torch.long)
    numbers: dict[str, Any] = {"method": options.method}
    if options.input is not None:
        x = read_input(options.input, kept.shape)
        scores = _said(kept, x, kind_of(kept.module, kept.shape))
        target = scores.argmax(1)
        numbers["prediction"] = target.numpy()
        if options.target is not None:
            target = torch.tensor(options.target).expand(len(x))
        numbers["target"] = target.numpy()
    request = Request(kept.module, kept.shape, x, target, data)
    found = ask(questions.find(options.method), request, chosen)
    if options.output:
        write_arrays(options.output, {**found, **numbers})
    small = {name: value for name, value in found.items() if np.size(value) <= 64}
    told = {**numbers, **small}
    print(json.dumps(plain(told)) if options.json else _listed(told))
    return 0


def _key(name: str) -> str:
    """What a method tells of itself as a name in a file."""
    return {"R²": "r_squared"}.get(name, name.replace(" ", "_"))


def _listed(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in numbers.items())


def _words(numbers: dict[str, Any]) -> str:
    more = "".join(
        f", {name} {numbers[name]:.3g}" for name in ("r_squared", "band") if name in numbers
    )
    return (
        f"{numbers['method']}: {numbers['seconds']:.3g} s, {numbers['evaluations']} evaluations, "
        f"completeness gap {numbers['completeness_gap']:.3g}{more}"
    )
