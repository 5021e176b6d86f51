"""The table of runs, with a small curve in each row."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from engine.store.folder import KeptRun
from engine.store.home import run_folder
from engine.store.measured import history
from ui import asked

POINTS = 40  # of a small curve
HEIGHT = 420  # of the table at most [px]
ROW, HEAD = 35, 38  # [px]


def show(runs: Sequence[KeptRun], on_stage: str, ticked: Sequence[int], key: str) -> list[int]:
    """Draw it; which rows are ticked.

    Args:
        runs: A row each.
        on_stage: Id of the run whose model is on stage.
        ticked: The rows ticked at first.
        key: The table's own; ticks belong to it.
    """
    rows = [_row(run, on_stage) for run in runs]
    state: Any = st.dataframe(
        rows,
        key=key,
        hide_index=True,
        height=min(HEIGHT, HEAD + ROW * len(rows)),
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": list(ticked)}},
        column_config=_COLUMNS,
        placeholder="–",
        alt=_alt(runs),
    )
    return [place for place in state.selection.rows if place < len(runs)]


_COLUMNS = {
    "name": st.column_config.TextColumn("Name", width="medium"),
    "score": st.column_config.NumberColumn(
        "Validation", format="percent", help="Accuracy, or R², on samples it did not learn from"
    ),
    "loss": st.column_config.NumberColumn("Loss", format="%.4g", help="On the same samples"),
    "curve": st.column_config.LineChartColumn(
        "Loss over steps", width="small", help="Of validation, on a logarithmic scale"
    ),
    "network": st.column_config.TextColumn("Network"),
    "data": st.column_config.TextColumn("Data"),
    "state": st.column_config.TextColumn("State"),
    "steps": st.column_config.NumberColumn("Steps", format="localized"),
    "seconds": st.column_config.NumberColumn("Time [s]", format="%.1f"),
    "size": st.column_config.NumberColumn("Size [MB]", format="%.2f"),
    "begun": st.column_config.DatetimeColumn("Begun", format="distance"),
}


def _row(run: KeptRun, on_stage: str) -> dict[str, Any]:
    """What is said of a run, under the columns' names."""
    return {
        "name": f"★ {run.name}" if run.id == on_stage else run.name,
        "score": run.score,
        "loss": run.figures.get("loss"),
        "curve": _curve(run.id),
        "network": run.model,
        "data": asked.called(run.data),
        "state": run.standing,
        "steps": run.steps,
        "seconds": run.seconds,
        "size": run.size / 1e6,
        "begun": datetime.fromtimestamp(run.created, UTC),
    }


def _curve(id: str) -> list[float] | None:
    folder = run_folder(id)
    try:
        written = (folder / "checkpoint.safetensors").stat().st_mtime_ns
    except OSError:
        return None
    return list(_read(folder, written)) or None


@functools.lru_cache(maxsize=2000)
def _read(folder: Path, _written: int) -> tuple[float, ...]:
    """The logarithm of the validation loss at some of its points."""
    past = history(folder)
    line = past.lines.get("loss validation", []) if past else []
    every = max(1, len(line) // POINTS)
    return tuple(math.log10(v) for v in line[::every] if v > 0 and math.isfinite(v))


def _alt(runs: Sequence[KeptRun]) -> str:
    told = "; ".join(
        f"{run.name}, {run.standing}"
        + (f", {100 * run.score:.1f} %" if run.score is not None else "")
        for run in runs[:30]
    )
    return f"Your runs, newest first: {told}"
