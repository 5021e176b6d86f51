"""The curriculum on the command line: `python -m demos list|run|check`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import torch

from demos.kit import Lab
from demos.shelf import Broken, find, shelf
from demos.verify import Report, report
from engine.forms import parse
from engine.plain import plain


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; the exit status."""
    torch.set_num_threads(1)  # small nets run faster so, and checks stay comparable
    options = _parser().parse_args(arguments)
    try:
        return int(options.do(options))
    except (LookupError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2


def _list(options: argparse.Namespace) -> int:
    labs = [
        {
            "id": entry.id,
            "title": entry.title,
            "chapter": entry.chapter,
            "covers": list(entry.covers),
            "source": entry.source,
            "seconds": entry.seconds,
        }
        for entry in shelf()
        if isinstance(entry, Lab)
    ]
    if options.json:
        print(json.dumps(labs, ensure_ascii=False))
    else:
        for lab in labs:
            print(f"{lab['id']:<44} {lab['title']}")
    return _tell_broken()


def _run(options: argparse.Namespace) -> int:
    lab = find(options.id)
    for frame in lab.frames(**parse(options.settings)):
        if options.json:
            print(json.dumps(plain(frame), ensure_ascii=False), flush=True)
        else:
            facts = "  ".join(f"{name} {value:.4g}" for name, value in frame.facts.items())
            print(f"{frame.step:>6}/{frame.of}  {facts}", flush=True)
    return 0


def _check(options: argparse.Namespace) -> int:
    ids = [entry.id for entry in shelf()] if options.all else [find(options.id).id]
    failed = False
    for told in _reports(ids, options.jobs):
        failed |= not told["ok"]
        if options.json:
            print(json.dumps(told, ensure_ascii=False), flush=True)
        else:
            _say(told)
    return 1 if failed else 0


def _reports(ids: list[str], jobs: int) -> Iterator[Report]:
    if jobs == 1 or len(ids) == 1:
        yield from map(report, ids)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(report, ids)


def _say(told: Report) -> None:
    print(f"{'ok  ' if told['ok'] else 'FAIL'} {told['id']} ({told['seconds']} s)")
    for claim in told["claims"]:
        mark = "+" if claim["ok"] else "-"
        print(f"   {mark} {claim['text']}: {claim['measured']} (expected {claim['expected']})")
    if told["error"]:
        print(f"   {told['error']}")


def _tell_broken() -> int:
    broken = [entry for entry in shelf() if isinstance(entry, Broken)]
    for entry in broken:
        print(f"broken: {entry.id}: {entry.reason}", file=sys.stderr)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demos", description=__doc__)
    verbs = parser.add_subparsers(required=True)
    listing = verbs.add_parser("list", help="name all labs")
    listing.set_defaults(do=_list)
    running = verbs.add_parser("run", help="run one lab")
    running.add_argument("id")
    running.add_argument("settings", nargs="*", metavar="name=value")
    running.set_defaults(do=_run)
    checking = verbs.add_parser("check", help="put claims to the test")
    which = checking.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?")
    which.add_argument("--all", action="store_true")
    checking.add_argument("--jobs", type=int, default=2, help="how many processes with --all")
    checking.set_defaults(do=_check)
    for verb in (listing, running, checking):
        verb.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
