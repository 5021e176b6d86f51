"""Take a network home: as a script, a notebook, ONNX, a picture, or what else it can become."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from engine.export.table import Wanted, find, formats
from engine.forms import parse
from engine.network.spec import NetworkSpec


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, help="a file with a network's JSON")
    parser.add_argument("--to", choices=sorted(formats()), default="script")
    parser.add_argument("--weights", type=Path, help="a safetensors file; else first weights")
    parser.add_argument("--data", default="", help="data set the script loads")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="settings of training")
    parser.add_argument("-o", "--output", type=Path, help="file to write; else it is printed")


def run(options: argparse.Namespace) -> int:
    """Write the file."""
    settings: dict[str, Any] = {"data": options.data, **parse(options.settings)}
    spec = NetworkSpec.parse(options.spec.read_bytes())
    content = find(options.to).make(Wanted(spec, settings, options.weights))
    if options.output:
        options.output.write_bytes(content)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    return 0
