"""What is said of each method on the page: its costs, its own error and how faithful it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.explain.cost import Estimate
from engine.explain.faithful import area
from engine.explain.measure import SEEDS, Measured
from engine.views import Array, Note, Table


@dataclass(frozen=True)
class Line:
    """One method on the page.

    Attributes:
        name: The method.
        plan: What it is expected to take; None where that is not known.
        done: Samples that have gone through so far; 0 before it began.
        found: What it found.
        remark: Why there is nothing.
        deletion: The chance while what it calls important is taken away.
        insertion: The same while it is put in.
        infidelity: The part of small changes that the map does not foretell.
    """

    name: str
    plan: Estimate | None = None
    done: int = 0
    found: Measured | None = None
    remark: str = ""
    deletion: Array | None = None
    insertion: Array | None = None
    infidelity: float = math.nan


def progress(line: Line) -> int:
    """How many of its expected evaluations are behind it."""
    plan = line.plan.evaluations if line.plan else 1
    return plan if line.found or line.remark else min(plan, line.done)


def too_long(plan: Estimate) -> str:
    """Why a method was not begun."""
    return (
        f"would take about {plan.seconds:.0f} s ({plan.evaluations:,} evaluations); turn patience "
        f"up to begin it"
    )


def error_of(line: Line) -> str:
    """A method's own error in a few signs: completeness gap, R² of its fit, scatter over seeds."""
    found = line.found
    if found is None:
        return ""
    words = [] if math.isnan(found.gap) else [f"gap {found.gap:.1e}"]
    words += [f"{name} {value:.2f}" for name, value in found.told.items()]
    if not math.isnan(found.band):
        words.append(f"± {100 * found.band:.0f} % over {SEEDS} seeds")
    if not float(found.map.abs().max()):
        words.append("zero everywhere")
    return ", ".join(words) or f"{1000 * found.seconds:.0f} ms"


def table_of(lines: Mapping[str, Line]) -> Table:
    """A row a method: what it found, or what it is expected to take."""
    columns = (
        "method", "its error", "time [ms]", "evaluations", "deletion ↓", "insertion ↑",
        "infidelity ↓", "remark",
    )  # fmt: skip
    return Table(columns, tuple(_row(line) for line in lines.values()))


def _row(line: Line) -> tuple[str | float | bool, ...]:
    nothing = math.nan
    if line.found and line.deletion is not None and line.insertion is not None:
        return (
            line.name, error_of(line), 1000 * line.found.seconds, line.found.evaluations,
            area(line.deletion), area(line.insertion), line.infidelity, "",
        )  # fmt: skip
    plan = line.plan
    expected = (1000 * plan.seconds, plan.evaluations) if plan else (nothing, nothing)
    remark = line.remark
    if not remark and plan:
        share = 100 * min(1.0, line.done / max(1, plan.evaluations))
        remark = f"{share:.0f} % done" if line.done else "expected; not begun yet"
    return (line.name, "", *expected, nothing, nothing, nothing, remark)


def note_of(lines: Mapping[str, Line], target: str) -> Note:
    """What does not fit and why; else how the colours are read."""
    said = [line.remark for line in lines.values() if line.remark]
    empty = [name for name, line in lines.items() if line.found and not line.found.map.any()]
    if empty:
        said.append(
            f"{', '.join(empty)}: the map is zero everywhere. At this place the output does not "
            f"depend on the input (or everything speaks against it and was cut off); try another "
            f"class or layer."
        )
    if said:
        return Note("\n\n".join(said), title="What does not fit", tone="warning")
    return Note(f"Blue speaks for **{target}**, orange against it.")
