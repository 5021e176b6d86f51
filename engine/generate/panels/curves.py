"""Losses and measures over the steps."""

from __future__ import annotations

import numpy as np

from engine.generate.learner import Learner
from engine.generate.measures import measures
from engine.generate.panels import panels
from engine.views import Curve, View


def _curve(learner: Learner, names: list[str], title: str, ylabel: str = "") -> Curve:
    history = learner.history
    return Curve(
        np.array(history.steps, dtype=np.float64),
        {name: np.array(history.lines[name]) for name in names},
        marks=dict(history.marks),
        ylabel=ylabel,
        title=title,
    )


@panels.add("losses", place=5, shown=True)
def losses(learner: Learner, memory: dict[str, object]) -> View:
    """What each part makes small."""
    del memory
    names = [name for name in learner.history.lines if name.startswith("loss")]
    return _curve(learner, names, "losses", "loss [nat]")


@panels.add("quality", place=6, shown=True)
def quality(learner: Learner, memory: dict[str, object]) -> View:
    """Every measure of the samples, from 0 to 1 where it can be read so."""
    del memory
    names = [
        name
        for name in learner.history.lines
        if measures.all().get(name) and measures.find(name).facts["unit"] == ""
    ]
    return _curve(learner, names, "how good the samples are")
