"""Kept runs side by side: their curves on one chart, what differs in how they were made; or one."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from engine.forms import Choice, Value
from engine.store.folder import KeptRun
from engine.store.measured import history
from engine.store.register import register
from engine.training.history import History
from engine.views import Curve, Frame, Note, Table, View

FEWEST, MOST = 2, 8
MOST_POINTS = 600  # of one chart, all runs on one axis
MOST_SIGNS = 60  # of a setting in a cell
LINES = {  # what is called so is kept so, and is drawn on a logarithmic axis or not
    "validation loss": ("loss validation", True),
    "training loss": ("loss train", True),
    "validation score": ("score validation", False),
    "training score": ("score train", False),
    "learning rate": ("learning rate", True),
}


def compare(
    runs: Sequence[str],
    *,
    line: Annotated[str, Choice(tuple(LINES), live=True, help="What is drawn of each run")] = (
        "validation loss"
    ),
    over: Annotated[
        str, Choice(("epochs", "steps"), live=True, help="What the runs are aligned by")
    ] = "epochs",
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Two to eight kept runs beside each other; of one alone, what it learned on and what not.

    Args:
        runs: Their ids.
        line: Which of their curves.
        over: What stands on the horizontal axis.

    Yields:
        A frame that waits for another choice.

    Raises:
        ValueError: There are too few or too many.
        LookupError: One is not kept.
    """
    if not 1 <= len(set(runs)) <= MOST:
        raise ValueError(f"compare: needs at most {MOST} different runs; got {len(set(runs))}")
    found = [register().find(id) for id in dict.fromkeys(runs)]
    names = distinct([one.name for one in found])
    pasts = [history(register().folder(one.id)) for one in found]
    tables: dict[str, View] = {"figures": _figures(names, found), "settings": _told(names, found)}
    while True:
        views = {"curves": curves(names, found, pasts, line, over), **tables}
        turned = yield Frame(1, 1, views, _facts(names, found), waits=True)
        line = str((turned or {}).get("line", line))
        over = str((turned or {}).get("over", over))


def curves(
    names: Sequence[str],
    runs: Sequence[KeptRun],
    pasts: Sequence[History | None],
    line: str,
    over: str,
) -> Curve | Note:
    """One line of each run on a common axis, straight between the points that were measured."""
    kept, log = LINES[line]
    if len(runs) == 1:
        return _alone(pasts[0], kept, log)
    drawn: dict[str, tuple[Any, Any]] = {}
    if all(past is None or kept not in past.lines for past in pasts):
        kept, log = _common(pasts), False
        line = kept or line
    for name, run, past in zip(names, runs, pasts, strict=True):
        if past is None or not past.steps or kept not in past.lines:
            continue
        each = run.epochs / run.steps if over == "epochs" and run.epochs and run.steps else 1.0
        drawn[name] = (np.array(past.steps) * each, np.array(past.lines[kept], dtype=float))
    if not drawn:
        return Note("These have no curve in common, or were not trained here.", "curves")
    x = np.unique(np.concatenate([at for at, _ in drawn.values()]))
    if len(x) > MOST_POINTS:
        x = np.linspace(x[0], x[-1], MOST_POINTS)
    lines = {name: _between(x, at, values) for name, (at, values) in drawn.items()}
    return Curve(x, lines, xlabel=over[:-1], ylabel=line, log=log)


def _common(pasts: Sequence[History | None]) -> str:
    """The first line that all runs with curves have, as generative models of one family do."""
    kept = [past.lines for past in pasts if past is not None and past.steps]
    return next((name for name in (kept[0] if kept else ()) if all(name in x for x in kept)), "")


def _alone(past: History | None, kept: str, log: bool) -> Curve | Note:
    """The same quantity on what a run learned from and on what it did not, with its marks."""
    if past is None or not past.steps:
        return Note("It has no curves: it was not trained here, or has just begun.", "curves")
    names = [one for one in past.lines if one.split()[0] == kept.split()[0]]
    if not names:  # a generative model: it has figures of its own
        return past.curve(list(past.lines), "as it was measured")
    return past.curve(names, kept.rpartition(" ")[0] if len(names) > 1 else kept, log=log)


def differences(runs: Sequence[KeptRun]) -> dict[str, list[Any]]:
    """Name of a setting -> its value in each run, of those that are not the same in all."""
    told = [
        {"network": one.model, "data": one.data, "origin": one.origin, **one.settings}
        for one in runs
    ]
    names = dict.fromkeys(name for settings in told for name in settings)
    rows = {name: [settings.get(name) for settings in told] for name in names}
    return {name: row for name, row in rows.items() if any(one != row[0] for one in row)}


def distinct(names: Sequence[str]) -> list[str]:
    """The names, those that come again with a number."""
    found: list[str] = []
    for name in names:
        wanted, number = name, 2
        while wanted in found:
            wanted, number = f"{name} ({number})", number + 1
        found.append(wanted)
    return found


def figures(run: KeptRun) -> dict[str, str]:
    """What became of a run, in words for people."""
    told = {"state": run.standing}
    if "accuracy" in run.figures:
        told["validation accuracy"] = f"{100 * run.figures['accuracy']:.2f} %"
    if "R²" in run.figures:
        told["validation R²"] = f"{run.figures['R²']:.4f}"
    for name in ("loss", "perplexity"):
        if name in run.figures:
            told[f"validation {name}"] = f"{run.figures[name]:.4g}"
    told["steps"] = f"{run.steps:,}"
    told["epochs"] = f"{run.epochs:,}"
    told["parameters"] = f"{run.parameters:,}"
    if run.seconds is not None:
        told["time from start to end"] = f"{run.seconds:,.1f} s"
    told["size on disk"] = f"{run.size / 1e6:,.2f} MB"
    return told


def _between(x: Any, at: Any, values: Any) -> Any:
    """`values` at `x`, and nothing before the first or after the last point, `(n,)`."""
    if not len(values):
        return np.full(len(x), np.nan)
    inside = (x >= at[0] - 1e-9) & (x <= at[-1] + 1e-9)
    return np.where(inside, np.interp(x, at, values), np.nan)


def _figures(names: Sequence[str], runs: Sequence[KeptRun]) -> Table:
    told = [figures(run) for run in runs]
    keys = dict.fromkeys(key for one in told for key in one)
    rows = tuple((key, *(one.get(key, "–") for one in told)) for key in keys)
    return Table(("figure", *names), rows, title="what became of them")


def _told(names: Sequence[str], runs: Sequence[KeptRun]) -> Table | Note:
    """A row for each setting that differs."""
    shown = differences(runs) if len(runs) > 1 else {k: [v] for k, v in runs[0].settings.items()}
    rows = tuple(
        (name.replace("_", " "), *(_short(value) for value in values))
        for name, values in shown.items()
    )
    if not rows and len(runs) == 1:
        return Note("How it was trained is not known.", "settings")
    if not rows:
        words = "They were made alike: same network title, same data, same settings."
        return Note(words, "what differs")
    return Table(("setting", *names), rows, title="what differs" if len(runs) > 1 else "settings")


def _facts(names: Sequence[str], runs: Sequence[KeptRun]) -> dict[str, float]:
    """The best of several, where all have an accuracy."""
    if len(runs) == 1:
        return {}
    scores = [run.figures.get("accuracy", np.nan) for run in runs]
    if not np.isfinite(scores).all():
        return {}
    best = int(np.argmax(scores))
    return {f"best: {names[best]} [%]": 100 * scores[best]}


def _short(value: Any) -> str:
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= MOST_SIGNS else f"{text[: MOST_SIGNS - 1]}…"
