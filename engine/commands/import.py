"""Read a network from a file of another program: ONNX, torch.export, PyTorch source, a link."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.network.spec import NetworkSpec


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("file", type=Path, help=".onnx, .pt2, .py, .json, .safetensors or .txt")
    parser.add_argument("--spec", type=Path, help="a network's JSON: tells what the file does not")
    parser.add_argument("--weights-out", type=Path, help="safetensors file for its weights")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, help="file for the spec; else it is printed")


def run(options: argparse.Namespace) -> int:
    """Read the file, write what was found."""
    from engine.importing.table import MOST_BYTES, import_file, state

    if options.file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{options.file.name}: may have at most {MOST_BYTES:,} bytes")
    stage = None if options.spec is None else NetworkSpec.parse(options.spec.read_bytes())
    found = import_file(options.file.name, options.file.read_bytes(), stage)
    text = json.dumps(found.spec.to_json(), indent=None if options.json else 1, ensure_ascii=False)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text)
    for note in found.notes:
        print(note, file=sys.stderr)
    if options.weights_out:
        if found.weights is None:
            raise ValueError(f"{options.file.name}: holds no weights that could be written")
        options.weights_out.write_bytes(state(found.weights))
    return 0
