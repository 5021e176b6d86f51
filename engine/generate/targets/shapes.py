"""Curves and areas of the plane: connected, bent or with sharp edges."""

from __future__ import annotations

import math
from typing import Annotated

import torch

from engine.forms import Slider
from engine.generate.targets import Target, targets

EXTENT = (-3.0, 3.0, -3.0, 3.0)
Noise = Annotated[float, Slider(0.01, 0.5, help="Points stray further from the line")]
Drawn = tuple[torch.Tensor, torch.Tensor]


@targets.add("two moons", title="Two moons")
def two_moons(noise: Noise = 0.12) -> Target:
    """Two half circles that reach into each other."""

    def draw(n: int, generator: torch.Generator) -> Drawn:
        which = torch.randint(2, (n,), generator=generator)
        angle = math.pi * torch.rand(n, generator=generator)
        upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
        points = 1.6 * torch.where(which[:, None] == 0, upper, -upper)
        return points + noise * torch.randn(n, 2, generator=generator), which

    arcs = _moon_line()
    known = _Smeared(arcs, noise)
    return Target(draw, known, EXTENT, classes=("A", "B"), line=arcs, smear=noise)


@targets.add("spiral", title="Spiral")
def spiral(
    turns: Annotated[float, Slider(0.5, 3.0, help="Wound further")] = 1.5,
    noise: Noise = 0.1,
) -> Target:
    """One arm wound around the middle: thin, long and bent."""

    def line(along: torch.Tensor) -> torch.Tensor:
        radius = along.sqrt()
        angle = 2 * math.pi * turns * radius
        return 2.5 * radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)

    def draw(n: int, generator: torch.Generator) -> Drawn:
        points = line(torch.rand(n, generator=generator))
        where = torch.zeros(n, dtype=torch.int64)
        return points + noise * torch.randn(n, 2, generator=generator), where

    arm = line((torch.arange(1000) + 0.5) / 1000)
    return Target(draw, _Smeared(arm, noise), EXTENT, line=arm, smear=noise)


@targets.add("checkerboard", title="Checkerboard")
def checkerboard(
    fields: Annotated[int, Slider(2, 6, help="Smaller fields")] = 4,
) -> Target:
    """The dark fields of a board: sharp edges, and emptiness between.

    Source: Grathwohl et al. (2019), FFJORD.
    """
    half = 2.5
    size = 2 * half / fields
    dark = [(i, j) for i in range(fields) for j in range(fields) if (i + j) % 2 == 0]
    corners = torch.tensor(dark, dtype=torch.float32) * size - half

    def draw(n: int, generator: torch.Generator) -> Drawn:
        which = torch.randint(len(corners), (n,), generator=generator)
        points = corners[which] + size * torch.rand(n, 2, generator=generator)
        return points, which % 2

    def log_density(x: torch.Tensor) -> torch.Tensor:
        cell = ((x + half) / size).floor()
        inside = ((x.abs() < half).all(-1)) & (cell.sum(-1) % 2 == 0)
        level = -math.log(len(corners) * size**2)
        return torch.where(inside, level, -math.inf)

    return Target(draw, log_density, EXTENT)


@targets.add("drawn", title="What you draw")
def drawn(ink: tuple[float, ...]) -> Target:
    """Your own picture as a density: the more ink at a place, the more points.

    Args:
        ink: Rows of a square picture one after the other, the top row first, each in [0, 1].

    Raises:
        ValueError: There is no ink in it, or it is no square.
    """
    side = math.isqrt(len(ink))
    weights = torch.tensor(ink, dtype=torch.float64)
    if side * side != len(ink) or side < 2 or not bool(weights.sum() > 0):
        raise ValueError("drawn: must be a square with some ink, which points are drawn from")
    left, _, bottom, top = EXTENT
    size = (top - bottom) / side
    odds = weights / weights.sum()

    def draw(n: int, generator: torch.Generator) -> Drawn:
        which = torch.multinomial(odds, n, replacement=True, generator=generator)
        corner = torch.stack([which % side, side - 1 - which // side], dim=1).float()
        points = corner + torch.rand(n, 2, generator=generator)
        return points * size + torch.tensor([left, bottom]), torch.zeros_like(which)

    def log_density(x: torch.Tensor) -> torch.Tensor:
        place = ((x - torch.tensor([left, bottom])) / size).floor().long()
        inside = ((place >= 0) & (place < side)).all(-1)
        column, row = place.clamp(0, side - 1).unbind(-1)
        level = (odds[(side - 1 - row) * side + column] / size**2).log().float()
        return torch.where(inside, level, -math.inf)

    return Target(draw, log_density, EXTENT)


def heart(side: int = 28) -> tuple[float, ...]:
    """A heart's outline as ink: something to begin with."""
    angle = 2 * math.pi * torch.arange(400) / 400
    x = 16 * angle.sin() ** 3
    y = 13 * angle.cos() - 5 * (2 * angle).cos() - 2 * (3 * angle).cos() - (4 * angle).cos()
    column = ((x / 21 + 1) / 2 * side).long().clamp(0, side - 1)
    row = ((1 - (y + 2) / 21) / 2 * side).long().clamp(0, side - 1)
    picture = torch.zeros(side, side)
    picture[row, column] = 1.0
    return tuple(picture.flatten().tolist())


def _moon_line() -> torch.Tensor:
    angle = math.pi * (torch.arange(500) + 0.5) / 500
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
    return 1.6 * torch.cat([upper, -upper])


class _Smeared:
    """The density of a line smeared with round noise: the mean of a Gaussian at each of its points.

    Exact up to the 1,000 points that stand for the line, closer together than the noise is wide.
    """

    def __init__(self, line: torch.Tensor, noise: float) -> None:
        self._line, self._noise = line, noise

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        variance = self._noise**2
        squares = torch.cdist(x, self._line).square()
        parts = -squares / (2 * variance) - math.log(2 * math.pi * variance * len(self._line))
        return parts.logsumexp(-1)
