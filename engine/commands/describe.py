"""Tell the shapes, parameters, FLOPs and problems of a network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from engine.network.describe import describe
from engine.network.spec import NetworkSpec


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("spec", type=Path, help="a file with a network's JSON")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Describe the network; the status is 1 where it cannot run."""
    told = describe(NetworkSpec.parse(options.spec.read_bytes()).to_json())
    problems = [*told["problems"], *(p for n in told["nodes"].values() for p in n["problems"])]
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        for id, node in told["nodes"].items():
            shape = " × ".join(map(str, node["output"] or ["?"]))
            print(f"{id:<24} {shape:>20} {node['parameters']:>14,}  {node['code']}")
        print(f"{told['totals']['parameters']:,} parameters, {told['totals']['flops']:,} FLOPs")
        for problem in problems:
            print(f"{problem['level']}: {problem['text']}")
    return int(any(problem["level"] == "error" for problem in problems))
