"""What a flow does to the plane: a grid of the noise, bent."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate.families.flow import Flow
from engine.generate.learner import Learner
from engine.generate.panels import panels
from engine.views import Array, Points, View

REACH = 2.5  # standard deviations of the noise that the grid covers
LINES = 15
SMOOTH = 60  # points of a line


def grid() -> torch.Tensor:
    """Lines over the noise, `(2 * LINES, SMOOTH, 2)`: upright ones, then level ones."""
    across, along = torch.linspace(-REACH, REACH, LINES), torch.linspace(-REACH, REACH, SMOOTH)
    upright = torch.stack(torch.meshgrid(across, along, indexing="ij"), -1)
    return torch.cat([upright, upright.flip(-1)])


def joined(places: torch.Tensor) -> Array:
    """Lines `(lines, points, 2)` as one with gaps, `(n, 2)`."""
    gap = torch.full_like(places[:, :1], torch.nan)
    array: Array = torch.cat([places, gap], 1).flatten(0, 1).numpy()
    return array


@panels.add("bent grid", place=18, shown=True)
def bent(learner: Learner, memory: dict[str, object]) -> View | None:
    """A square grid of the noise after all layers: where it is tight, the density is high."""
    del memory
    model, outline = learner.model, learner.source.outline
    if not isinstance(model, Flow) or not outline.plane:
        return None
    model.eval()
    lines = grid()
    with torch.no_grad():
        places = model.decode(lines.flatten(0, 1)).view(lines.shape)
    model.train()
    return Points(
        np.zeros((0, 2)),
        lines={"grid of the noise": joined(places)},
        extent=outline.extent,
        equal=True,
        title="a square grid of the noise, bent by all layers",
    )
