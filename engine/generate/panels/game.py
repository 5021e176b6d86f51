"""A game of two networks while it is played."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate import pictured_game
from engine.generate.games import between, slopes
from engine.generate.learner import Learner
from engine.generate.panels import panels
from engine.generate.parts.adversary import Adversarial
from engine.views import Histogram, View

POINTS = 300
PUSHED = 120
SLOPES = 400


def _game(learner: Learner, *, plane: bool = True) -> Adversarial | None:
    model = learner.model
    fits = isinstance(model, Adversarial) and (model.outline.plane or not plane)
    return model if fits and isinstance(model, Adversarial) else None


@panels.add("discriminator", place=3, shown=True)
def discriminator(learner: Learner, memory: dict[str, object]) -> View | None:
    """What the discriminator says of each place, under true and made points."""
    del memory
    if (model := _game(learner)) is None:
        return None
    return pictured_game.surface(model, learner.fixed(POINTS), learner.source.held[:POINTS])


@panels.add("pushes", place=4, shown=True)
def pushes(learner: Learner, memory: dict[str, object]) -> View | None:
    """The way in which the discriminator's slope pushes each made point."""
    del memory
    if (model := _game(learner)) is None:
        return None
    return pictured_game.arrows(model, learner.fixed(PUSHED))


@panels.add("manifold", place=9, shown=True)
def manifold(learner: Learner, memory: dict[str, object]) -> View | None:
    """What the generator makes of a square grid of codes: how it bends the plane."""
    del memory
    if (model := _game(learner)) is None:
        return None
    return pictured_game.manifold(model, learner.source.held[: 2 * POINTS])


@panels.add("critic's slope", place=10, shown=False)
def slope(learner: Learner, memory: dict[str, object]) -> View | None:
    """How steep the discriminator is between true and made samples; a penalty wants 1."""
    del memory
    if (model := _game(learner, plane=False)) is None or learner.source.outline.given:
        return None
    draw = torch.Generator().manual_seed(learner.seed)
    true, labels = learner.source.held[:SLOPES], learner.source.held_labels
    told = labels[: len(true)] if labels is not None and model.conditional else None
    places = between(true, learner.fixed(len(true), told), draw)
    model.eval()
    steep = slopes(lambda x: model.critic(x, told), places)
    model.train()
    top = max(2.0, float(steep.quantile(0.99)))
    counts, edges = np.histogram(steep.numpy(), bins=30, range=(0.0, top))
    return Histogram(
        edges,
        {"places between true and made": counts.astype(np.float64)},
        xlabel="‖∇d(x)‖",
        title=f"how steep the discriminator is: {float(steep.mean()):.2f} on average",
    )
