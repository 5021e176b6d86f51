"""Filters that draw random numbers, so that an attack cannot know what the network will see."""

from __future__ import annotations

from typing import Annotated

import torch
from torch.nn import functional

from engine.defend.filters.squeeze import pictures
from engine.defend.table import filters
from engine.forms import Slider


@filters.add("resize_pad", random=True, blunt=False)
def resize_pad(
    x: torch.Tensor,
    generator: torch.Generator,
    *,
    smallest: Annotated[float, Slider(0.4, 1.0, help="Shrinks less")] = 0.85,
) -> torch.Tensor:
    """Shrink each picture by a random factor and put it at a random place of an empty one.

    Source: Xie et al. (2018), Mitigating adversarial effects through randomization.
    """
    pictures("resize_pad", x)
    part = smallest + (1 - smallest) * torch.rand(len(x), generator=generator, dtype=x.dtype)
    room = (1 - part)[:, None]  # how far the middle may move, in half widths
    shift = room * (2 * torch.rand((len(x), 2), generator=generator, dtype=x.dtype) - 1)
    # a place v of the new picture shows the place (v - shift) / part of the old one
    placing = torch.zeros(len(x), 2, 3, dtype=x.dtype)
    placing[:, 0, 0] = placing[:, 1, 1] = 1 / part
    placing[:, :, 2] = -shift / part[:, None]
    grid = functional.affine_grid(placing, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False)


@filters.add("noise", random=True, blunt=False)
def noise(
    x: torch.Tensor,
    generator: torch.Generator,
    *,
    sigma: Annotated[float, Slider(0.0, 0.5, help="More noise")] = 0.1,
) -> torch.Tensor:
    """Add Gaussian noise to every number.

    Source: He, Rakin & Fan (2019), Parametric noise injection; its simplest form, at the input.
    """
    drawn = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return (x + sigma * drawn).clamp(0, 1)
