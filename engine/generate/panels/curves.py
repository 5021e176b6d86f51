"""Losses and measures over the steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from engine.generate.learner import Learner
from engine.generate.measures import measures, named
from engine.generate.model import Generative
from engine.generate.panels import panels
from engine.views import Curve, View

TELLS = ("log_density", "log_chance", "bound")  # what likelihoods are measured with


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
def losses(learner: Learner, memory: dict[str, Any]) -> View:
    """What each part makes small, and the least that it can become where that is known."""
    source = learner.source
    if memory.get("source") is not source:
        least = learner.model.floors(source.x, source.labels, source.target)
        memory |= {"source": source, "least": least}
    names = [name for name in learner.history.lines if name.startswith("loss")]
    curve = _curve(learner, names, "losses", "loss [nat]")
    flat = {name: np.full(len(curve.x), value) for name, value in memory["least"].items()}
    return replace(curve, lines={**curve.lines, **flat})


@panels.add("quality", place=6, shown=True)
def quality(learner: Learner, memory: dict[str, object]) -> View:
    """Measures of which it is known what is good; most go from 0 to 1."""
    del memory
    names = [
        name
        for name in learner.history.lines
        if (entry := measures.all().get(name)) and "good" in entry.facts
    ]
    return _curve(learner, names, "how good the samples are")


@panels.add("distances", place=6.5, shown=False)
def distances(learner: Learner, memory: dict[str, object]) -> View:
    """Distances of the samples from the truth, each in its own unit; lower is better."""
    del memory
    known = {named(name): entry for name, entry in measures.all().items()}
    names = [
        name
        for name in learner.history.lines
        if name in known
        and "good" not in known[name].facts
        and known[name].facts["better"] == "lower"
    ]
    curve = _curve(learner, names, "distances from the truth")
    return replace(curve, log=True)


@panels.add("likelihood", place=6.7, shown=True)
def likelihood(learner: Learner, memory: dict[str, object]) -> View | None:
    """What the model says of held-out samples: likelihoods, bits, and the ELBO's two terms."""
    del memory
    kind = type(learner.model)
    if not any(getattr(kind, way) is not getattr(Generative, way) for way in TELLS):
        return None
    home = "engine.generate.measures.likelihood"
    known = {named(n) for n, entry in measures.all().items() if entry.function.__module__ == home}
    names = [name for name in learner.history.lines if name in known]
    return _curve(learner, names, "what it says of held-out samples")
