"""Turning and shifting: no pixel is invented, and yet the answer may change."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.attack.balls import across
from engine.attack.table import attack, loss
from engine.attack.watch import seen
from engine.forms import Slider

SHIFT = 3 / 28 / 30  # part of the side that a degree of budget is worth: the paper's 3 px for 30°

Grid = Annotated[int, Slider(1, 15, help="A finer grid of shifts each way")]
Turns = Annotated[int, Slider(1, 61, help="More angles")]


@attack("spatial", norm="spatial", gradients=False, minimal=False)
def spatial(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[float, Slider(0.0, 90.0, unit="°", help="Turns and shifts further")] = 30.0,
    turns: Turns = 11,
    shifts: Grid = 5,
    targeted: bool = False,
) -> torch.Tensor:
    """The worst of a grid of rotations up to epsilon degrees and small shifts.

    Thirty degrees go with shifts of 3 of 28 pixels, other budgets in proportion.

    Source: Engstrom et al. (2019), Exploring the landscape of spatial robustness.
    """
    with torch.no_grad():
        best, most = x, loss(module, x, y, targeted=targeted)
        for found in poses(x, epsilon, turns, shifts):
            value = loss(module, found, y, targeted=targeted)
            gain = value > most
            best, most = torch.where(across(gain, x), found, best), torch.maximum(most, value)
            seen(best)
    return best


def poses(x: torch.Tensor, epsilon: float, turns: int, shifts: int) -> Iterator[torch.Tensor]:
    """Every rotation and shift of the grid, each like `x`.

    Raises:
        ValueError: The samples are no pictures.
    """
    if x.ndim != 4:
        raise ValueError(f"spatial: needs pictures to turn; got samples of {x.ndim - 1} axes")
    reach = epsilon * SHIFT * 2  # grid_sample's picture is two units wide
    angles = torch.linspace(-epsilon, epsilon, turns).tolist() if turns > 1 else [0.0]
    places = torch.linspace(-reach, reach, shifts).tolist() if shifts > 1 else [0.0]
    for angle, down, right in itertools.product(angles, places, places):
        yield posed(x, angle, down, right)


def posed(x: torch.Tensor, degrees: float, down: float, right: float) -> torch.Tensor:
    """Pictures turned and shifted, empty where nothing was; shifts in halves of the side."""
    turn = math.radians(degrees)
    wide = x.shape[3] / x.shape[2]
    cos, sin = math.cos(turn), math.sin(turn)
    matrix = torch.tensor([[cos, sin / wide, -right], [-sin * wide, cos, -down]], dtype=x.dtype)
    grid = functional.affine_grid(matrix.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False).clamp(0, 1)
