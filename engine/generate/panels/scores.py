"""How good the samples are, told against what is good."""

from __future__ import annotations

import numpy as np

from engine.generate.learner import Learner
from engine.generate.measures import measures, named
from engine.generate.measures.features import class_shares
from engine.generate.measures.modes import mode_shares
from engine.generate.panels import panels
from engine.views import Bars, Table, View

POINTS = 1000
IMAGES = 256


@panels.add("scores", place=7, shown=True)
def scores(learner: Learner, memory: dict[str, object]) -> View | None:
    """Every measure beside the value from which on it is good, and which way is better."""
    del memory
    rows: list[tuple[str | float | bool, ...]] = []
    for name, entry in measures.all().items():
        if (value := learner.scores.get(named(name))) is None:
            continue
        higher, good = entry.facts["better"] == "higher", entry.facts.get("good")
        if good is None:
            rows.append((named(name), value, f"{entry.facts['better']} is better", "-"))
            continue
        reached = value >= good if higher else value <= good
        limit = f"{'at least' if higher else 'at most'} {good:g}"
        rows.append((named(name), value, limit, "✓" if reached else "not yet"))
    if not rows:
        return None
    return Table(("measure", "now", "good", ""), tuple(rows), title="how good the samples are")


@panels.add("modes", place=7.5, shown=True)
def modes(learner: Learner, memory: dict[str, object]) -> View | None:
    """What share of the samples each mode or class gets, beside what it is due."""
    del memory
    source = learner.source
    if source.outline.plane:
        told = mode_shares(learner.fixed(POINTS), source)
        if told is None:
            return None
        due, _, got = told
        names = tuple(str(number + 1) for number in range(len(due)))
        title, series = "samples on each mode", {"made": got, "due": due}
    else:
        both = class_shares(learner.fixed(IMAGES), source)
        if both is None:
            return None
        names, title = source.outline.classes, "what our classifier takes the samples for"
        series = {"made": both[1], "due": both[0]}
    heights = {name: shares.numpy().astype(np.float64) for name, shares in series.items()}
    return Bars(names, heights, ylabel="share of the samples", title=title)
