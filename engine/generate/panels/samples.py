"""What the model makes, from the same noise at every step."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate.learner import Learner
from engine.generate.panels import panels
from engine.views import Array, Field, Points, Tiles, View

POINTS = 1000
IMAGES = 36
FINE = 100  # cells along an axis of a density


def tiles(x: torch.Tensor) -> Array:
    """Images in [-1, 1], `(n, channels, rows, columns)`, as `Tiles` takes them."""
    shown = (x.detach().clamp(-1, 1) + 1) / 2
    array: Array = shown.permute(0, 2, 3, 1).numpy() if x.shape[1] == 3 else shown[:, 0].numpy()
    return array.astype(np.float32)


def plane(extent: tuple[float, float, float, float], fine: int = FINE) -> torch.Tensor:
    """The middles of the cells of a grid over the plane, `(fine * fine, 2)`, bottom row first."""
    left, right, bottom, top = extent
    x = left + (torch.arange(fine) + 0.5) * (right - left) / fine
    y = bottom + (torch.arange(fine) + 0.5) * (top - bottom) / fine
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


@panels.add("samples", place=1, shown=True)
def samples(learner: Learner, memory: dict[str, object]) -> View:
    """New samples: points over true ones, or a grid of images."""
    del memory
    outline, title = learner.source.outline, "samples, always from the same noise"
    if not outline.plane:
        count, classes = IMAGES, len(outline.classes)
        labels = torch.arange(count) % classes if classes else None
        return Tiles(tiles(learner.fixed(count, labels)), title=title, across=6)
    made = learner.fixed(POINTS)
    true = learner.source.held[:POINTS]
    which = torch.cat([torch.zeros(len(true)), torch.ones(len(made))])
    return Points(
        torch.cat([true, made]).numpy(),
        which.int().numpy(),
        ("true", "made"),
        extent=outline.extent,
        equal=True,
        title=title,
    )


@panels.add("true density", place=8, shown=False)
def true_density(learner: Learner, memory: dict[str, object]) -> View | None:
    """What is to be learnt, where its density is known."""
    del memory
    target = learner.source.target
    if target is None or target.log_density is None:
        return None
    values = target.log_density(plane(target.extent)).exp().reshape(FINE, FINE)
    return Field(values.numpy(), target.extent, title="true density")


@panels.add("learnt density", place=2, shown=True)
def learnt_density(learner: Learner, memory: dict[str, object]) -> View | None:
    """The density that the model has, where it can tell it."""
    del memory
    outline = learner.source.outline
    if not outline.plane:
        return None
    learner.model.eval()
    with torch.no_grad():
        fine = learner.model.fine
        told = learner.model.log_density(plane(outline.extent, fine))
    learner.model.train()
    if told is None:
        return None
    values = told.detach().exp().reshape(fine, fine)
    return Field(values.numpy(), outline.extent, title="learnt density")
