"""Filters that draw random numbers, so that an attack cannot know what the network will see."""

from __future__ import annotations

from typing import Annotated

import torch
from torch.nn import functional

from engine.defend.filters.squeeze import pictures
from engine.defend.table import filters
from engine.forms import Slider


@filters.add("resize_pad", random=True)
def resize_pad(
    x: torch.Tensor,
    generator: torch.Generator,
    *,
    smallest: Annotated[float, Slider(0.4, 1.0, help="Shrinks less")] = 0.75,
) -> torch.Tensor:
    """Shrink the picture by a random factor and put it at a random place of an empty one.

    Source: Xie et al. (2018), Mitigating adversarial effects through randomization.
    """
    pictures("resize_pad", x)
    rows, columns = x.shape[2:]
    part = smallest + (1 - smallest) * float(torch.rand((), generator=generator))
    size = max(1, round(part * rows)), max(1, round(part * columns))
    small = functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
    top = int(torch.randint(rows - size[0] + 1, (), generator=generator))
    left = int(torch.randint(columns - size[1] + 1, (), generator=generator))
    rim = (left, columns - size[1] - left, top, rows - size[0] - top)
    return functional.pad(small, rim)


@filters.add("noise", random=True)
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
