"""List the networks to begin with, or print one as a spec."""

from __future__ import annotations

import argparse
import json

from engine.network.templates import listing, spec_of, templates


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("name", nargs="?", help="print this one's spec")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Print what was asked for."""
    if options.name:
        print(json.dumps(spec_of(options.name), indent=None if options.json else 1))
    elif options.json:
        print(json.dumps(listing(), ensure_ascii=False))
    else:
        for one in templates().values():
            print(f"{one.name:<24} {one.title}: {one.help}")
    return 0
