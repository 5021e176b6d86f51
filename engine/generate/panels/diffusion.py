"""What a diffusion model shows while it learns: its score, and its loss level by level."""

from __future__ import annotations

from typing import Any

import torch

from engine.generate.diffusion.floor import floors, losses
from engine.generate.diffusion.model import Diffusion
from engine.generate.learner import Learner
from engine.generate.panels import panels
from engine.generate.panels.samples import plane
from engine.views import Array, Arrows, Curve, Extent, Points, View

ACROSS = 18  # arrows along an axis
LEVEL = 0.2  # noise at which the score is shown: less, and it is all cliffs; more, and all is flat
SHOWN = 300  # true points under the arrows


def arrows(at: torch.Tensor, vectors: torch.Tensor, extent: Extent) -> tuple[Array, Array]:
    """Arrows on a grid that do not run into each other: directions kept, long ones cut.

    Lengths are shared out so that nine in ten arrows are shorter than the grid's cells.
    """
    cell = (extent[1] - extent[0]) / ACROSS
    length = vectors.norm(dim=1, keepdim=True).clamp(min=1e-9)
    usual = torch.quantile(length, 0.9)
    kept = vectors / length * (length / usual).clamp(max=1.0) * cell
    return at.numpy(), kept.numpy()


@panels.add("score", place=3, shown=True)
def score(learner: Learner, memory: dict[str, object]) -> View | None:
    """Where the model sends a sample: the slope of log p, a little noise above the data."""
    del memory
    outline, model = learner.source.outline, learner.model
    if not outline.plane:
        return None
    at = plane(outline.extent, ACROSS)
    model.eval()
    found = model.score(at, LEVEL)
    model.train()
    if found is None:
        return None
    starts, vectors = arrows(at, found.detach(), outline.extent)
    return Arrows(
        starts,
        vectors,
        outline.extent,
        points=Points(learner.source.held[:SHOWN].numpy(), extent=outline.extent),
        title="score: towards more probable places",
    )


@panels.add("loss by noise level", place=7, shown=True)
def by_level(learner: Learner, memory: dict[str, Any]) -> View | None:
    """The loss at every noise level, and the least there: where is something left to learn?"""
    model, source = learner.model, learner.source
    if not isinstance(model, Diffusion):
        return None
    if memory.get("source") is not source:
        found = floors(model, source.x, source.labels, source.target)
        memory |= {"source": source, "lines": {name: one.values for name, one in found.items()}}
    model.eval()
    now = losses(model, source.held, source.held_labels)
    model.train()
    lines = {"loss on samples held out": now.values.numpy()}
    lines |= {name: values.numpy() for name, values in memory["lines"].items()}
    return Curve(
        now.t.double().numpy(),
        lines,
        xlabel="noise level t [1]",
        ylabel="loss [1]",
        title="loss by noise level",
    )
