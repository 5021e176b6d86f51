"""Networks between samples and short codes: linear, dense, or convolutional."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from torch import nn

from engine.forms import Choice
from engine.generate.model import Outline
from engine.generate.parts.mlp import mlp

Style = Annotated[
    Literal["dense", "convolutional", "linear"],
    Choice(("dense", "convolutional", "linear"), help="What encoder and decoder are made of"),
]
SMALLEST = 4  # rows and columns below which a picture is not halved any more


def encoder(outline: Outline, gives: int, *, width: int, style: str = "dense") -> nn.Module:
    """Samples `(batch, *shape)` -> `(batch, gives)`.

    Raises:
        ValueError: Points of the plane are asked for by convolutions.
    """
    if style == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(outline.size, gives))
    if style == "dense":
        inner = mlp(outline.size, gives, width=width, activation=nn.SiLU)
        return nn.Sequential(nn.Flatten(), *inner)
    sizes, channels = _scales(outline, width)
    layers: list[nn.Module] = [nn.Conv2d(outline.shape[0], channels[0], 3, padding=1), nn.SiLU()]
    for before, after in itertools.pairwise(channels):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.SiLU()]
    rows, columns = sizes[-1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * rows * columns, gives))


def decoder(takes: int, outline: Outline, *, width: int, style: str = "dense") -> nn.Module:
    """Codes `(batch, takes)` -> `(batch, *shape)`, without an activation at the end.

    Pictures grow by repeating pixels before a convolution: transposed convolutions overlap
    unevenly, which shows as a chequered pattern.

    Raises:
        ValueError: Points of the plane are asked for by convolutions.

    Source: Odena, Dumoulin & Olah (2016), Deconvolution and Checkerboard Artifacts.
    """
    if style == "linear":
        return nn.Sequential(nn.Linear(takes, outline.size), nn.Unflatten(1, outline.shape))
    if style == "dense":
        inner = mlp(takes, outline.size, width=width, activation=nn.SiLU)
        return nn.Sequential(*inner, nn.Unflatten(1, outline.shape))
    sizes, channels = _scales(outline, width)
    first = (channels[-1], *sizes[-1])
    layers: list[nn.Module] = [nn.Linear(takes, first[0] * first[1] * first[2]), nn.SiLU()]
    layers.append(nn.Unflatten(1, first))
    for size, (before, after) in zip(
        reversed(sizes[:-1]), itertools.pairwise(reversed(channels)), strict=True
    ):
        layers += [nn.Upsample(size=size), nn.Conv2d(before, after, 3, padding=1), nn.SiLU()]
    return nn.Sequential(*layers, nn.Conv2d(channels[0], outline.shape[0], 3, padding=1))


def _scales(outline: Outline, width: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Rows and columns of every scale, the largest first, and its channels."""
    if outline.plane:
        raise ValueError("convolutional: convolutions need images; choose dense for the plane")
    sizes = [(outline.shape[1], outline.shape[2])]
    while max(sizes[-1]) > SMALLEST:
        rows, columns = sizes[-1]
        sizes.append((-(-rows // 2), -(-columns // 2)))
    channels = [min(width, max(8, width // 4) * 2**number) for number in range(len(sizes))]
    return sizes, channels
