"""Attack a trained network, to learn how to harden it; write the changed inputs and their norms."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from engine.attack.table import attacks, fooled, length
from engine.explain.measure import counted
from engine.forms import parse
from engine.models.files import open_model, read_input, write_arrays
from engine.plain import plain


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, nargs="?", help="a file with a network's JSON")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--weights", type=Path, help="a safetensors file")
    parser.add_argument("--input", type=Path, help="a .npy file, values in [0, 1]")
    parser.add_argument("--method", default="fgsm")
    parser.add_argument("--target", type=int, help="the class to be taken for; else any other")
    parser.add_argument("--labels", type=Path, help="a .npy file with the true classes")
    parser.add_argument("--list", action="store_true", help="name all methods")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="an .npz file")


def run(options: argparse.Namespace) -> int:
    """Attack, print the numbers, write the arrays."""
    if options.list:
        listing = [entry.to_json() for entry in attacks.all().values()]
        print(json.dumps(listing, ensure_ascii=False))
        return 0
    if None in (options.spec, options.weights, options.input):
        raise ValueError("attack: needs a network's file, --weights and --input; or --list")
    entry = attacks.find(options.method)
    chosen: dict[str, Any] = entry.form.fill(parse(options.settings))
    kept = open_model(options.spec, options.weights)
    x = read_input(options.input, kept.shape)
    with torch.no_grad():
        before = kept.module(x)
    y = _wanted(options, before)
    if options.target is not None:
        entry.form.accept({"targeted": True})  # tells whether the attack can be aimed
        chosen["targeted"] = True
    targeted = bool(chosen.get("targeted", False))
    with counted(kept.module) as count:
        begun = time.perf_counter()
        found = entry(kept.module, x, y, **chosen)
        seconds = time.perf_counter() - begun
    stored = (found * 255).round() / 255  # as it would be kept in a file
    with torch.no_grad():
        after = kept.module(stored)
    done = fooled(kept.module, stored, y, targeted=targeted)
    numbers = {
        "method": entry.name,
        "norm": entry.facts["norm"],
        "epsilon": chosen["epsilon"],
        "success": done.numpy(),
        "prediction_before": before.argmax(1).numpy(),
        "prediction_after": after.argmax(1).numpy(),
        **{name: length(found - x, name).numpy() for name in ("Linf", "L2", "L1", "L0")},
        "seconds": seconds,
        "evaluations": count[0],
    }
    if options.output:
        scores = {"scores_before": before.numpy(), "scores_after": after.numpy()}
        write_arrays(options.output, {"adversarial": found.numpy(), **scores, **numbers})
    if options.json:
        print(json.dumps(plain(numbers)))
    else:
        print(f"{entry.name}: {int(done.sum())} of {len(x)} answers flipped in {seconds:.3g} s")
    return 0


def _wanted(options: argparse.Namespace, scores: torch.Tensor) -> torch.Tensor:
    """The class of each sample to lead to or away from, `(batch,)`."""
    classes = scores.shape[1]
    if options.target is not None:
        if not 0 <= options.target < classes:
            raise ValueError(f"--target must be a class 0 to {classes - 1}; got {options.target}")
        return torch.full((len(scores),), options.target)
    if options.labels is None:
        return scores.argmax(1)
    labels = read_input(options.labels, ()).long()
    if len(labels) != len(scores) or int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise ValueError(
            f"{options.labels.name}: must hold {len(scores)} classes 0 to {classes - 1}"
        )
    return labels
