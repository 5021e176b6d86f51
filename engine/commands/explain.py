"""Explain what a trained network says to inputs; write the explanation and its own error."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from engine.explain.measure import measure
from engine.explain.table import explainers
from engine.forms import parse
from engine.models.files import open_model, read_input, write_arrays
from engine.plain import plain


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, nargs="?", help="a file with a network's JSON")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--weights", type=Path, help="a safetensors file")
    parser.add_argument("--input", type=Path, help="a .npy file with one sample or a batch")
    parser.add_argument("--method", default="integrated_gradients")
    parser.add_argument("--target", type=int, help="the output to explain; else the largest")
    parser.add_argument("--layer", help="for methods that look at a layer")
    parser.add_argument("--list", action="store_true", help="name all methods")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="an .npz file")


def run(options: argparse.Namespace) -> int:
    """Explain, print the numbers, write the arrays."""
    if options.list:
        listing = [entry.to_json() for entry in explainers.all().values()]
        print(json.dumps(listing, ensure_ascii=False))
        return 0
    if None in (options.spec, options.weights, options.input):
        raise ValueError("explain: needs a network's file, --weights and --input; or --list")
    entry = explainers.find(options.method)
    chosen: dict[str, Any] = parse(options.settings)
    if options.layer is not None:
        chosen["layer"] = options.layer
    kept = open_model(options.spec, options.weights)
    x = read_input(options.input, kept.shape)
    with torch.no_grad():
        scores = kept.module(x)
    target = scores.argmax(1) if options.target is None else torch.tensor(options.target)
    found = measure(entry, kept.module, x, target, chosen)
    numbers = {
        "method": entry.name,
        "target": target.expand(len(x)).numpy(),
        "prediction": scores.argmax(1).numpy(),
        "completeness_gap": found.gap,
        "difference": found.total.numpy(),
        "seconds": found.seconds,
        "evaluations": found.evaluations,
    }
    if options.output:
        arrays = {"attribution": found.map.numpy(), "scores": scores.numpy(), **numbers}
        write_arrays(options.output, arrays)
    print(json.dumps(plain(numbers)) if options.json else _words(numbers))
    return 0


def _words(numbers: dict[str, Any]) -> str:
    return (
        f"{numbers['method']}: {numbers['seconds']:.3g} s, {numbers['evaluations']} evaluations, "
        f"completeness gap {numbers['completeness_gap']:.3g}"
    )
