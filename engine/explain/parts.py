"""An input in parts, and what a network says when some of them are missing.

The parts of a picture are the cells of a grid, those of a series stretches of its length (for a
sentence its tokens), those of a table its columns. `players` numbers them; a coalition says which
of them are shown, the others are set to the baseline.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from engine.explain.table import score
from engine.forms import Slider

BATCH = 256  # samples through the network at a time

Grid = Annotated[int, Slider(1, 14, help="Smaller parts, more of them")]
Floats = npt.NDArray[np.float64]
Worth = Callable[[npt.NDArray[np.bool_]], Floats]
"""What a network scores for coalitions, `(n, players)` to `(n,)`."""


def players(x: torch.Tensor, grid: int) -> torch.Tensor:
    """The number of the part each place of a sample belongs to, `(1, ...)` like a sample.

    A picture is cut into `grid` by `grid` cells, a series `(batch, channels, length)` into as
    many stretches at most, the same in every channel; in a table each column is a part of its own.
    """
    if x.ndim == 3:
        length = x.shape[2]
        stretch = torch.arange(length) * min(grid * grid, length) // length
        return stretch.expand(1, *x.shape[1:])
    if x.ndim != 4:
        return torch.arange(x[0].numel()).reshape(x[:1].shape)
    rows, columns = x.shape[2:]
    across = min(grid, columns)
    down = torch.arange(rows) * min(grid, rows) // rows
    right = torch.arange(columns) * across // columns
    return (down[:, None] * across + right[None, :]).expand(1, *x.shape[1:])


def by_sample(
    module: nn.Module,
    x: torch.Tensor,
    target: torch.Tensor,
    parts: torch.Tensor,
    baseline: float,
    solve: Callable[[Worth, int], Floats],
) -> torch.Tensor:
    """Share out each sample's score among its parts; a part's share is spread evenly over it."""
    count = int(parts.max()) + 1
    size = torch.bincount(parts.flatten(), minlength=count)
    rows = []
    for one, wanted in zip(x, target, strict=True):
        worth = worth_of(module, one, int(wanted), parts[0], baseline)
        shares = torch.from_numpy(solve(worth, count)).to(x.dtype) / size
        rows.append(shares[parts[0]])
    return torch.stack(rows)


def worth_of(
    module: nn.Module, one: torch.Tensor, target: int, part: torch.Tensor, baseline: float
) -> Worth:
    """The game of a sample's parts: what the network scores when only some are shown."""
    return functools.partial(_worth, module, one, target, part, baseline)


def _worth(
    module: nn.Module,
    one: torch.Tensor,
    target: int,
    part: torch.Tensor,
    baseline: float,
    shown: npt.NDArray[np.bool_],
) -> Floats:
    """Scores of a sample of which only the shown parts are left, `(n, players)` to `(n,)`."""
    out = []
    for some in torch.from_numpy(shown).split(BATCH):
        mixed = torch.where(some[:, part], one, torch.full_like(one, baseline))
        with torch.no_grad():
            out.append(score(module, mixed, torch.tensor(target).expand(len(mixed))))
    return torch.cat(out).double().numpy()
