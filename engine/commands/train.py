"""Train a network on a data set and write its weights."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.data import DataSet, datasets, own, own_text
from engine.forms import Form, parse
from engine.network.spec import NetworkSpec
from engine.plain import plain
from engine.training.run import train
from engine.views import Frame, Yielded, frame_of

LINES = 100  # of progress, about


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, nargs="?", help="a file with a network's JSON")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--data", help="mnist, 'spirals?arms=3', ..., a CSV file, or a text")
    parser.add_argument("--list", action="store_true", help="name data sets and settings")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument("-o", "--output", type=Path, default=Path("weights.safetensors"))


def run(options: argparse.Namespace) -> int:
    """Train; print a line about a hundred times on the way."""
    form = Form.of(train, "train")
    if options.list:
        sets = [entry.to_json() for entry in datasets.all().values()]
        print(json.dumps({"data": sets, "settings": form.to_json()}, ensure_ascii=False))
        return 0
    if options.spec is None or options.data is None:
        raise ValueError("train: needs a network's file and --data NAME; --list names the data")
    spec = NetworkSpec.parse(options.spec.read_bytes()).to_json()
    chosen: dict[str, Any] = dict(form.fill(parse(options.settings)))
    path = Path(options.data)
    data = _read(path, spec) if path.suffix and path.exists() else options.data
    say = _say_json if options.json else _say
    with tempfile.TemporaryDirectory() as folder:
        every = said = step = 1
        last: Yielded | None = None
        for step, made in enumerate(train(spec, data, folder=Path(folder), **chosen), 1):
            last = made
            if step == 1 or step % every == 0:
                said, every = step, max(1, say(frame_of(made)) // LINES)
        if last is not None and step != said:
            say(frame_of(last))
        shutil.copyfile(Path(folder) / "weights.safetensors", options.output)
    return 0


def _read(path: Path, spec: dict[str, Any]) -> DataSet:
    """A file of one's own: a text for a network that takes tokens, a table for all others."""
    first: dict[str, Any] = next(
        (node["params"] for node in spec["nodes"] if node["type"] == "Input"), {}
    )
    if first.get("dtype") == "token":
        return own_text.read_file(path, int(first["shape"][0]))
    return own.read_file(path)


def _say(frame: Frame) -> int:
    facts = "  ".join(f"{name} {value:.4g}" for name, value in frame.facts.items())
    print(f"{frame.step:>7}/{frame.of}  {facts}", flush=True)
    return frame.of


def _say_json(frame: Frame) -> int:
    line = {"step": frame.step, "of": frame.of, "facts": plain(frame.facts)}
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return frame.of
