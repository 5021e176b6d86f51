"""Measurements for `make bench`: each module gives rows of the table in docs/benchmarks.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        measured: The figure, with its unit.
        goal: What it should be.
        holds: Whether it is.
        note: How it was measured.
    """

    what: str
    measured: str
    goal: str
    holds: bool
    note: str = ""
