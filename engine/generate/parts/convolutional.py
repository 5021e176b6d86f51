"""Convolutions from a code to a picture and from a picture to one number, as DCGAN has them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from engine.generate.model import Outline

Activation = Callable[[], nn.Module]


def leaky() -> nn.Module:
    """A fifth of the slope below zero: a discriminator's gradient reaches every pixel."""
    return nn.LeakyReLU(0.2)


def doublings(outline: Outline) -> tuple[int, tuple[int, int]]:
    """How often a picture is halved, and (rows, columns) of what is left: 4 or a little more.

    8 x 8 is halved twice, 16 x 16 and 28 x 28 too, 64 x 64 four times.
    """
    rows, columns = outline.shape[1:]
    times = max(2, int(math.log2(max(rows, columns) / 4)))
    return times, (math.ceil(rows / 2**times), math.ceil(columns / 2**times))


class Cut(nn.Module):
    """The first rows and columns of a picture that came out a little too large."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, ...)` -> `(batch, channels, rows, columns)`."""
        return x[..., : self.rows, : self.columns]


def generator(
    codes: int,
    outline: Outline,
    *,
    width: int = 32,
    batch_norm: bool = True,
    activation: Activation = nn.ReLU,
    middle: Callable[[int], nn.Module] | None = None,
) -> nn.Sequential:
    """Transposed convolutions: codes `(batch, codes)` -> pictures in [-1, 1].

    Args:
        codes: Numbers in a code.
        outline: What pictures are.
        width: Channels before the last layer; twice as many at each step towards the code.
        batch_norm: Whether each layer but the last is normalised over the batch.
        activation: Between layers.
        middle: Channels -> a layer put before the last doubling.

    Source: Radford, Metz & Chintala (2015), Unsupervised Representation Learning with Deep
    Convolutional Generative Adversarial Networks.
    """
    times, (rows, columns) = doublings(outline)
    channels = width * 2 ** (times - 1)
    layers: list[nn.Module] = [
        nn.Linear(codes, channels * rows * columns, bias=not batch_norm),
        nn.Unflatten(1, (channels, rows, columns)),
    ]
    for place in range(times):
        if batch_norm:
            layers.append(nn.BatchNorm2d(channels))
        layers.append(activation())
        if middle is not None and place == times - 1:
            layers.append(middle(channels))
        last = place == times - 1
        after = outline.shape[0] if last else channels // 2
        layers.append(nn.ConvTranspose2d(channels, after, 4, 2, 1, bias=last or not batch_norm))
        channels = after
    return nn.Sequential(*layers, Cut(*outline.shape[1:]), nn.Tanh())


def discriminator(
    channels: int,
    outline: Outline,
    *,
    width: int = 32,
    batch_norm: bool = True,
    activation: Activation = leaky,
    middle: Callable[[int], nn.Module] | None = None,
) -> nn.Sequential:
    """Strided convolutions: pictures -> one logit, `(batch, 1)`; see `generator`.

    The first layer is not normalised: that would hide how bright a picture is.
    """
    times, _ = doublings(outline)
    layers: list[nn.Module] = []
    for place in range(times):
        after = width * 2**place
        normed = batch_norm and place > 0
        layers.append(nn.Conv2d(channels, after, 4, 2, 1, bias=not normed))
        if normed:
            layers.append(nn.BatchNorm2d(after))
        layers.append(activation())
        if middle is not None and place == 0:
            layers.append(middle(after))
        channels = after
    rows, columns = (side // 2**times for side in outline.shape[1:])
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * rows * columns, 1))
