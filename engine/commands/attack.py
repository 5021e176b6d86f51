"""Attack a trained network, to learn how to harden it; write the changed inputs and their norms."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from engine.attack.balls import length
from engine.attack.honesty import Report, examine
from engine.attack.privacy.table import privacy_attacks
from engine.attack.table import attacks
from engine.attack.text.table import answers, text_attacks, text_fooled
from engine.attack.watch import counted
from engine.forms import parse
from engine.models.files import open_model, read_input, write_arrays
from engine.models.kept import Kept
from engine.plain import plain
from engine.tables import Table

FAMILIES: dict[str, Table] = {"input": attacks, "text": text_attacks, "privacy": privacy_attacks}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, nargs="?", help="a file with a network's JSON")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--weights", type=Path, help="a safetensors file")
    parser.add_argument("--input", type=Path, help="a .npy file, values in [0, 1], or tokens")
    parser.add_argument("--method", default="fgsm")
    parser.add_argument("--target", type=int, help="the class to be taken for; else any other")
    parser.add_argument("--labels", type=Path, help="a .npy file with the true classes")
    parser.add_argument("--list", action="store_true", help="name all methods of the family")
    parser.add_argument("--family", choices=tuple(FAMILIES), default="input", help="for --list")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="an .npz file")


def run(options: argparse.Namespace) -> int:
    """Attack, print the numbers, write the arrays."""
    if options.list:
        listing = [entry.to_json() for entry in FAMILIES[options.family].all().values()]
        print(json.dumps(listing, ensure_ascii=False))
        return 0
    if options.method in privacy_attacks.all():
        return _run_steps(options)
    if None in (options.spec, options.weights, options.input):
        raise ValueError("attack: needs a network's file, --weights and --input; or --list")
    on_text = options.method in text_attacks.all()
    entry = (text_attacks if on_text else attacks).find(options.method)
    chosen: dict[str, Any] = entry.form.fill(parse(options.settings))
    kept = open_model(options.spec, options.weights)
    tokens = _tokens(kept)
    if on_text != bool(tokens):
        reads, family = ("tokens", "text") if tokens else ("numbers", "input")
        raise ValueError(
            f"{entry.name}: does not fit a network that reads {reads}; see attack --list "
            f"--family {family}"
        )
    x = read_input(options.input, kept.shape, tokens)
    with torch.no_grad():
        before = answers(kept.module, x)
    y = _wanted(options, before)
    if options.target is not None:
        entry.form.accept({"targeted": True})  # tells whether the attack can be aimed
        chosen["targeted"] = True
    attempt = _on_text if on_text else _on_numbers
    found, done, after, numbers = attempt(kept, options.method, x, y, chosen)
    numbers |= {
        "success": done.numpy(),
        "prediction_before": before.argmax(1).numpy(),
        "prediction_after": after.argmax(1).numpy(),
    }
    if options.output:
        scores = {"scores_before": before.numpy(), "scores_after": after.numpy()}
        kept_numbers = {name: value for name, value in numbers.items() if name != "checks"}
        write_arrays(options.output, {"adversarial": found.numpy(), **scores, **kept_numbers})
    if options.json:
        print(json.dumps(plain(numbers)))
    else:
        print(f"{options.method}: {int(done.sum())} of {len(x)} answers flipped")
    return 0


_Outcome = tuple[torch.Tensor, torch.Tensor, torch.Tensor, dict[str, Any]]


def _on_numbers(
    kept: Kept, method: str, x: torch.Tensor, y: torch.Tensor, chosen: dict[str, Any]
) -> _Outcome:
    """The changed inputs, whether each fooled, the scores after, and what is told of them."""
    report = examine(method, kept.module, x, y, **chosen)
    with torch.no_grad():
        after = kept.module(report.stored)
    change = report.found - x
    numbers = {
        "method": method,
        "norm": attacks.find(method).facts["norm"],
        "epsilon": chosen["epsilon"],
        **{name: length(change, name).numpy() for name in ("Linf", "L2", "L1", "L0")},
        "seconds": report.seconds,
        "evaluations": report.cost.forwards,
        "gradients": report.cost.backwards,
        "checks": _checks(report),
    }
    return report.found, report.success, after, numbers


def _checks(report: Report) -> list[dict[str, object]]:
    return [
        {"name": badge.name, "holds": badge.holds, "measured": badge.measured}
        for badge in report.badges
    ]


def _on_text(
    kept: Kept, method: str, x: torch.Tensor, y: torch.Tensor, chosen: dict[str, Any]
) -> _Outcome:
    with counted(kept.module) as cost:
        found = text_attacks.find(method)(kept.module, x, y, **chosen)
    with torch.no_grad():
        after = answers(kept.module, found)
    targeted = bool(chosen.get("targeted", False))
    numbers = {
        "method": method,
        "flips": (found != x).sum(1).numpy(),
        "evaluations": cost.forwards,
        "gradients": cost.backwards,
    }
    return found, text_fooled(kept.module, found, y, targeted=targeted), after, numbers


def _run_steps(options: argparse.Namespace) -> int:
    """An attack that is a run: a line of JSON a frame, or what the last one says."""
    entry = privacy_attacks.find(options.method)
    words = [*([str(options.spec)] if options.spec else []), *options.settings]
    settings = parse(words)
    needs = ("model",) if entry.facts["needs"] == "model" else ("spec", "data")
    missing = [name for name in needs if name not in settings]
    if missing:
        raise ValueError(f"{entry.name}: needs {', '.join(f'{name}=...' for name in missing)}")
    given: dict[str, Any] = {name: settings.pop(name) for name in needs}
    if "spec" in given:
        given["spec"] = json.loads(Path(str(given["spec"])).read_text(encoding="utf-8"))
    for frame in entry.function(**given, **entry.form.fill(settings)):
        last = frame
        if options.json:
            print(json.dumps(plain({"step": frame.step, "of": frame.of, **frame.facts})))
    if not options.json:
        print(f"{entry.name}: {getattr(last.views.get('notes'), 'text', '')}")
    return 0


def _tokens(kept: Kept) -> int:
    """How many different tokens the network reads; 0 if it reads numbers."""
    entry = next(node for node in kept.spec.nodes if node.type == "Input")
    return int(entry.params.get("vocabulary", 0)) if entry.params.get("dtype") == "token" else 0


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
