"""Shapes of the plane: their outlines are given, filled shapes are wanted."""

from __future__ import annotations

import math
from typing import Annotated

import torch

from engine.forms import Slider
from engine.generate.model import Outline
from engine.generate.pairs import Pairs, pairs

LINE = 0.9  # half the width of an outline [px]


def _depths(n: int, pixels: int, draw: torch.Generator) -> torch.Tensor:
    """How far each pixel lies inside a random shape [px], `(n, pixels, pixels)`; negative outside.

    A shape is a regular polygon of 3 to 6 corners, or a disc, turned, stretched and moved.
    """
    middle = (torch.rand(n, 2, 1, 1, generator=draw) * 0.3 + 0.35) * pixels
    radius = (torch.rand(n, 1, 1, generator=draw) * 0.16 + 0.16) * pixels
    turn = torch.rand(n, 1, 1, generator=draw) * 2 * math.pi
    stretch = torch.rand(n, 1, 1, generator=draw) * 0.5 + 0.8
    corners = torch.randint(3, 8, (n, 1, 1), generator=draw)  # 7 stands for a disc
    grid = torch.arange(pixels) + 0.5
    x = (grid[None, None, :] - middle[:, 0]) * stretch
    y = (grid[None, :, None] - middle[:, 1]) / stretch
    far, angle = (x**2 + y**2).sqrt(), torch.atan2(y, x) - turn
    sector = 2 * math.pi / corners
    folded = angle - sector * (angle / sector).round()  # the angle from the nearest side's middle
    side = radius * (sector / 2).cos() * 1.15
    return torch.where(corners == 7, radius - far, side - far * folded.cos())


@pairs.add("outlines", title="Outlines to filled shapes", plane=False, matched=True)
def outlines(
    pixels: Annotated[int, Slider(16, 64, help="Larger images")] = 32,
) -> Pairs:
    """The outline of a polygon or disc is given; the filled shape is wanted."""

    def draw(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        depth = _depths(n, pixels, generator)[:, None]
        line = (LINE + 0.5 - depth.abs()).clamp(0, 1)
        full = (depth + 0.5).clamp(0, 1)
        return 2 * line - 1, 2 * full - 1

    shape = (1, pixels, pixels)
    return Pairs(draw, Outline(shape, given=shape))


@pairs.add("clouds", title="One cloud to another", plane=True, matched=False)
def clouds(
    turn: Annotated[
        float, Slider(0.0, 180.0, unit="°", help="The second cloud is turned further")
    ] = 60.0,
) -> Pairs:
    """Two long clouds of points, nowhere matched: left is given, right is wanted.

    Known: means (-1.4, -0.4) and (1.4, 0.6); standard deviations 0.6 along and 0.2 across.
    """
    spread = torch.tensor([0.6, 0.2])
    angle = math.radians(turn)
    turned = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])

    def draw(n: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        left = torch.randn(n, 2, generator=generator) * spread + torch.tensor([-1.4, -0.4])
        right = torch.randn(n, 2, generator=generator) * spread @ turned
        return left, right + torch.tensor([1.4, 0.6])

    return Pairs(draw, Outline((2,), given=(2,)), matched=False)
