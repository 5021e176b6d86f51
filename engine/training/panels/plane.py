"""The plane, where samples are its points: what the network answers everywhere."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from engine.training.panels import Memory, looking, panels
from engine.training.session import Session
from engine.views import Array, Extent, Field, Neurons, Points, View

GRID = 60  # cells of the plane, either way
SMALL = 24  # of each unit's own picture
MOST_POINTS = 600
MOST_UNITS = 24  # of a layer that is drawn


@panels.add("network", place=2, shown=True)
def network(session: Session, memory: Memory) -> View | None:
    """Every unit with its own picture of the plane, and the weights between them."""
    points = _points(session)
    if points is None:
        return None
    parts = memory.setdefault("parts", _linear(session.module))
    if not parts:
        return None
    extent = session.data.extent or (-1.0, 1.0, -1.0, 1.0)
    sizes = [session.data.shape[0], *(part.out_features for _, part, _ in parts)]
    grid = memory.setdefault("grid", _grid(extent, SMALL))
    maps = _maps(session, parts, grid)
    return Neurons(
        maps=maps,
        sizes=tuple(sizes),
        weights=tuple(part.weight.detach().numpy().copy() for _, part, _ in parts),
        names=("inputs", *(name for name, _, _ in parts)),
        inputs=session.data.features or ("x", "y"),
        outputs=session.data.classes,
        title="each unit's answer over the plane",
    )


@panels.add("surface", place=1, shown=True)
def surface(session: Session, memory: Memory) -> View | None:
    """What the network answers at every place of the plane."""
    points = memory.setdefault("points", _points(session))
    if points is None:
        return None
    extent = session.data.extent or (-1.0, 1.0, -1.0, 1.0)
    grid = memory.setdefault("grid", _grid(extent, GRID))
    with looking(session) as module:
        scores = module(grid)
    if not session.classifies:
        return Field(_square(scores[:, 0]), extent, points=points, title="answer")
    if scores.shape[1] == 2:
        lead = ((scores[:, 0] - scores[:, 1]) / 2).tanh()  # P(A) − P(B); A is blue, positive
        title = "A or B: who leads"
        return Field(_square(lead), extent, points=points, scale="signed", title=title)
    best = _square(scores.argmax(1))
    return Field(best, extent, points=points, scale="classes", title="predicted")


Parts = list[tuple[str, nn.Linear, nn.Module | None]]


def _linear(module: nn.Module) -> Parts:
    """Linear layers with what follows each, if the network is a chain of nothing else."""
    found: Parts = []
    for name, part in module.named_modules():
        if any(part.children()):
            continue
        if isinstance(part, nn.Linear):
            if part.out_features > MOST_UNITS:
                return []
            found.append((name, part, None))
        elif list(part.parameters()):
            return []
        elif found and found[-1][2] is None and not isinstance(part, nn.Dropout):
            found[-1] = (*found[-1][:2], part)
    return found


def _maps(session: Session, parts: Parts, grid: torch.Tensor) -> Array:
    """Each unit's answers over the plane, layer by layer, `(units, SMALL, SMALL)`."""
    found = [grid]
    with looking(session):
        x = grid
        for _, part, after in parts:
            x = part(x) if after is None else after(part(x))
            found.append(x)
    scaled = [one / one.abs().max().clamp_min(1e-12) for one in found]  # each layer for itself
    every = torch.cat(scaled, dim=1).T.reshape(-1, SMALL, SMALL)
    return every.flip(1).to(torch.float32).numpy()  # row 0 of a tile is at the top


def _square(values: torch.Tensor) -> Array:
    return values.reshape(GRID, GRID).to(torch.float32).numpy()


def _grid(extent: Extent, cells: int) -> torch.Tensor:
    """Places row by row from the bottom, `(cells², 2)`."""
    x, y = torch.linspace(*extent[:2], cells), torch.linspace(*extent[2:], cells)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


def _points(session: Session) -> Points | None:
    data = session.data
    if data.kind != "plane":
        return None
    labels = data.train_y if session.classifies else torch.zeros(0)
    return Points(
        data.train_x[:MOST_POINTS].numpy(),
        labels[:MOST_POINTS].numpy().astype(np.int32),
        names=data.classes,
        extent=data.extent,
    )
