"""Take a network home: as a script, a notebook, or what else it can be made into."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from engine.export.notebook import notebook
from engine.export.script import script

KINDS = {"script": script, "notebook": notebook}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, help="a file with a network's JSON")
    parser.add_argument("--to", choices=sorted(KINDS), default="script")
    parser.add_argument("--data", default="", help="data set the script loads")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="settings of training")
    parser.add_argument("-o", "--output", type=Path, help="file to write; else it is printed")


def run(options: argparse.Namespace) -> int:
    """Write the file."""
    from engine.network.spec import NetworkSpec

    spec = NetworkSpec.parse(options.spec.read_bytes()).to_json()
    settings: dict[str, object] = {"data": options.data}
    for word in options.settings:
        name, _, value = word.partition("=")
        settings[name] = _value(value)
    text = KINDS[options.to](spec, settings)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
