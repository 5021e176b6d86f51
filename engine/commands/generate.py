"""Train a generative model on a distribution of the plane or on images, and write it to a file."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.forms import Form, parse
from engine.generate.families import families
from engine.generate.kept import FILE
from engine.generate.learn import train
from engine.generate.source import image_sets
from engine.generate.targets import targets
from engine.plain import plain
from engine.views import Frame, frame_of

LINES = 50  # of progress, about
OWN = ("drawing", "panels")  # controls of the page alone


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("family", nargs="?", help="gan, ddpm, ...; see --list")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="see --list")
    parser.add_argument("--data", help="ring, 'grid?across=3', digits, glyphs, ...")
    parser.add_argument(
        "--network", action="append", default=[], metavar="PART=SPEC.json", help="a part of yours"
    )
    parser.add_argument("--list", action="store_true", help="name families, data and settings")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument("-o", "--output", type=Path, default=Path("generative.safetensors"))


def run(options: argparse.Namespace) -> int:
    """Train; print a line about fifty times on the way."""
    form = Form.of(train, "generate")
    if options.list:
        told = {
            "families": families.to_json(),
            "data": [*targets.to_json(), *image_sets()],
            "settings": [one for one in form.to_json() if one["name"] not in OWN],
        }
        print(json.dumps(told, ensure_ascii=False))
        return 0
    if options.family is None or options.data is None:
        raise ValueError("generate: needs a family and --data NAME; --list names them")
    entry = families.find(options.family)
    given = parse(options.settings)
    chosen = {name: value for name, value in given.items() if name in form.controls}
    own = {name: value for name, value in given.items() if name not in form.controls}
    entry.form.accept(own)  # raises, naming the nearest setting
    with tempfile.TemporaryDirectory() as place:
        folder, last = Path(place), -1
        settings: dict[str, Any] = {**form.fill(chosen), "panels": ""}
        frames = train(
            options.family,
            options.data,
            own=own,
            networks=_networks(options.network),
            folder=folder,
            **settings,
        )
        for made in frames:
            frame = frame_of(made)
            if frame.step == frame.of or frame.step - last >= max(1, frame.of // LINES):
                _say(frame, as_json=options.json)
                last = frame.step
        shutil.copyfile(folder / FILE, options.output)
    return 0


def _networks(words: list[str]) -> dict[str, Any]:
    """Parts of one's own: `["generator=spec.json"]`."""
    found: dict[str, Any] = {}
    for word in words:
        part, sign, path = word.partition("=")
        if not sign:
            raise ValueError(f"--network: must be written PART=FILE; got {word!r:.80}")
        found[part] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def _say(frame: Frame, *, as_json: bool) -> None:
    if as_json:
        line = {"step": frame.step, "of": frame.of, "facts": plain(frame.facts)}
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    facts = "  ".join(f"{name} {value:.4g}" for name, value in frame.facts.items())
    print(f"{frame.step:>7}/{frame.of}  {facts}", flush=True)
