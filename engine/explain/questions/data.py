"""Questions about a network and its whole data set."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from engine.explain.concepts import directions, tcav
from engine.explain.inner import Layer
from engine.explain.layers import any_layer
from engine.explain.methods.gradients import Seed
from engine.explain.parts import Grid
from engine.explain.questions import Answer, Request, question
from engine.explain.training_samples import influences, read
from engine.explain.whole import importance
from engine.forms import Slider

MOST = 6000  # training samples that are looked at
MOST_OF_CLASS = 120


def _influence(name: str) -> None:
    """Put a way of asking for training samples among the questions."""
    entry = influences.find(name)

    def way(request: Request) -> Answer:
        data = request.data
        if data is None:
            raise ValueError(f"{name}: needs data")
        train = read(request.module, data.train_x[:MOST], data.train_y[:MOST])
        found = entry(train, read(request.module, request.x, request.target))
        return {"influence": found.numpy()}

    way.__doc__ = f"{entry.help}\n\nSource: {entry.source}"
    question(name, gives="a number a training sample", needs=["input", "data"])(way)


for _name in influences.all():
    _influence(_name)


@question("tcav", gives="a number", needs=["data"])
def concept_score(
    request: Request,
    *,
    concept: Annotated[int, Slider(0, 999, help="The class whose samples are the concept")] = 0,
    about: Annotated[int, Slider(0, 999, help="The class that is asked about")] = 1,
    layer: Layer = "",
    draws: Annotated[int, Slider(3, 30, help="A surer verdict")] = 10,
    seed: Seed = 0,
) -> Answer:
    """For how many samples of a class the score rises towards a concept, and by chance.

    Source: Kim et al. (2018), Interpretability beyond feature attribution: quantitative testing
    with concept activation vectors (TCAV).
    """
    data = request.data
    if data is None or data.task != "classification":
        raise ValueError("tcav: needs data with classes")
    x, y = data.train_x, data.train_y
    if not bool((y == concept).any() and (y == about).any()):
        raise ValueError(f"tcav: classes are 0 to {len(data.classes) - 1}; got {concept}, {about}")
    part = any_layer("tcav", request.module, layer)
    examples, others = x[y == concept][:MOST_OF_CLASS], x[y != concept][: 4 * MOST_OF_CLASS]
    drawn = list(directions(request.module, part, examples, others, draws=draws, seed=seed))
    score = tcav(request.module, part, x[y == about][:MOST_OF_CLASS], about, drawn)
    return {
        "tcav": score.mean, "random": float(np.mean(score.chance)), "p": score.p,
        "told_apart": score.accuracy,
    }  # fmt: skip


@question("permutation_importance", gives="a number a part", needs=["data"])
def shuffled(
    request: Request,
    *,
    samples: Annotated[int, Slider(10, 2000, log=True, help="Steadier")] = 500,
    grid: Grid = 7,
    seed: Seed = 0,
) -> Answer:
    """How much worse the network gets when a part is shuffled among validation samples.

    Source: Breiman (2001), Random forests, section 10.
    """
    data = request.data
    if data is None:
        raise ValueError("permutation_importance: needs data")
    growing = importance(
        request.module, data.valid_x[:samples], data.valid_y[:samples],
        classes=data.task == "classification", grid=grid, seed=seed,
    )  # fmt: skip
    found = torch.zeros(0)
    for now in growing:
        found = now
    return {"importance": found.numpy()}
