"""Measures what the goals ask for and writes docs/benchmarks.md: `make bench`."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

import torch

from tools.measure import (
    Row,
    arena,
    attacking,
    building,
    explaining,
    generate,
    inside,
    sequences,
    serving,
    telling,
    tiny,
    training,
    watching,
)

ROOT = Path(__file__).resolve().parent.parent
HEAD = """# Benchmarks

Written by `make bench` on {day}: {cores} cores, Python {python}, torch {torch}. The machine is
shared; ratios were measured in turn, in one run, and are what counts.

| what | measured | goal | holds | how |
|---|---|---|---|---|
"""


def main() -> None:
    """Measure everything, print and write the table."""
    for folder in (ROOT / "shared" / "data", ROOT.parent / "shared" / "data"):
        if (folder / "mnist").exists():
            os.environ.setdefault("PLAYGROUND_DATA", str(folder))
    found: list[Row] = [*tiny.rows(), *training.rows()]
    found += sequences.rows()
    found += generate.rows()
    found += arena.rows()
    found += attacking.rows()
    found += explaining.rows()
    found += inside.rows()
    found += telling.rows()
    with serving.server() as address:
        found += serving.rows(address)
        found += watching.rows(address)
        found += building.rows(address)
    head = HEAD.format(
        day=datetime.datetime.now(tz=datetime.UTC).date(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        torch=torch.__version__,
    )
    lines = [
        "| " + " | ".join((row.what, row.measured, row.goal, _word(row), row.note)) + " |"
        for row in found
    ]
    text = head + "\n".join(lines) + "\n"
    (ROOT / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")
    print(text)


def _word(row: Row) -> str:
    return "yes" if row.holds else "no"


if __name__ == "__main__":
    main()
