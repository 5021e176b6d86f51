"""A race: up to eight configurations learn side by side, on one chart."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.contest.lanes import MOST_LANES, Lane, lane
from engine.data import load
from engine.forms import Value
from engine.views import Curve, Frame, Table, View

MOST_POINTS = 400


def race(
    spec: dict[str, Any],
    data: str,
    lanes: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any] | None = None,
) -> Generator[Frame | Any, Mapping[str, Value] | None, None]:
    """Train several configurations in turn, so that all are equally far.

    Args:
        spec: The network of lanes that bring none of their own.
        data: Name of the data set, the same for all.
        lanes: `{"name", "settings", "spec"}` each; the last is optional.
        settings: What all lanes have in common.

    Yields:
        A frame after every round.

    Raises:
        ValueError: There are too few or too many lanes, or one makes no sense; says which.
    """
    if not 2 <= len(lanes) <= MOST_LANES:
        raise ValueError(f"race: needs 2 to {MOST_LANES} lanes; got {len(lanes)}")
    names = [str(one.get("name") or f"lane {k + 1}") for k, one in enumerate(lanes)]
    if len(set(names)) < len(names):
        raise ValueError(f"race: lanes need different names; got {', '.join(names)}")
    samples, base = load(data), settings or {}
    running = []
    for name, one in zip(names, lanes, strict=True):
        try:
            chosen = dict(one.get("settings") or {})
            running.append(lane(name, one.get("spec") or spec, samples, chosen, base))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    while True:
        last = all(one.over for one in running)
        yield (lambda: picture(running)) if not last else picture(running)
        if last:
            return
        _round(running)


def _round(running: Sequence[Lane]) -> None:
    """Whoever is least far takes a turn, until all are as far as the first was."""
    behind = min((one for one in running if not one.over), key=lambda one: one.share)
    behind.turn()


def picture(running: Sequence[Lane]) -> Frame:
    """All lanes as they stand."""
    classifies = running[0].session.classifies
    views: dict[str, View] = {
        "loss": curves(running, "loss validation", "validation loss", log=True),
        "score": curves(
            running, "score validation", "validation accuracy" if classifies else "validation R²"
        ),
        "lanes": _table(running),
    }
    done = sum(one.session.step for one in running)
    whole = sum(one.session.steps if not one.failure else one.session.step for one in running)
    best = max(running, key=lambda one: one.score())
    facts = {f"best: {best.name} [%]": 100 * best.score()} if np.isfinite(best.score()) else {}
    return Frame(done, max(done, whole), views, facts)


def curves(running: Sequence[Lane], line: str, words: str, *, log: bool = False) -> Curve:
    """One line of each lane over the epochs, on a common axis."""
    ends = [one.session.history.steps for one in running]
    sizes = [math.ceil(len(one.session.data.train_x) / one.session.batch) for one in running]
    reach = max(
        (steps[-1] / size for steps, size in zip(ends, sizes, strict=True) if steps), default=0
    )
    x = np.linspace(0, reach, MOST_POINTS)
    lines = {}
    for one, size in zip(running, sizes, strict=True):
        history = one.session.history
        if not history.steps:
            lines[one.name] = np.full(len(x), np.nan)
            continue
        at = np.array(history.steps) / size
        values = np.interp(x, at, history.lines[line], left=np.nan)
        lines[one.name] = np.where(x <= at[-1] + 1e-9, values, np.nan)
    return Curve(x, lines, "epoch", words, log)


def _table(running: Sequence[Lane]) -> Table:
    rows = tuple(
        (
            one.name,
            one.failure or ("finished" if one.over else f"{100 * one.share:.0f} %"),
            _percent(one.score()),
            sum(p.numel() for p in one.session.module.parameters()),
            f"{one.session.seconds:.1f} s",
        )
        for one in running
    )
    return Table(("lane", "state", "validation", "parameters", "computing time"), rows)


def _percent(score: float) -> str:
    return f"{100 * score:.1f} %" if np.isfinite(score) else "–"
