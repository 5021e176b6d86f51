"""Losses of two weights to walk on, each hard in its own way.

Each takes places `(..., 2)` and gives heights `(...)`; all are zero at their lowest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from engine.views import Array, Extent


def valley(w: Tensor) -> Tensor:
    """Bent, and flat along its floor; lowest at (1, 1).

    Source: Rosenbrock (1960), An automatic method for finding the greatest or least value.
    """
    x, y = w[..., 0], w[..., 1]
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2


def saddle(w: Tensor) -> Tensor:
    """Level in the middle, where it falls to either side; lowest at (0, ±√2)."""
    x, y = w[..., 0], w[..., 1]
    return 2 * x**2 - y**2 + 0.25 * y**4 + 1


def plateau(w: Tensor) -> Tensor:
    """Almost flat far from a single hole at (0.5, −0.5)."""
    squares = (w - torch.tensor([0.5, -0.5], dtype=w.dtype)).square().sum(-1)
    return 1 - torch.exp(-1.2 * squares) + 0.02 * squares


LANDSCAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "valley": valley,
    "saddle": saddle,
    "plateau": plateau,
}


@functools.cache
def relief(name: str, extent: Extent, highest: float = 12.0, size: int = 61) -> Array:
    """Heights over a rectangle, `(size, size)`, row 0 at the bottom, cut off at `highest`."""
    x = torch.linspace(*extent[:2], size, dtype=torch.float64)
    y = torch.linspace(*extent[2:], size, dtype=torch.float64)
    plane = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    heights: Array = LANDSCAPES[name](plane).clamp(max=highest).numpy()
    return heights
