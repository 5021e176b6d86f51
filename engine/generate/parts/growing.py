"""Two networks that grow while they learn: each new layer is faded in.

Source: Karras et al. (2018), Progressive Growing of GANs for Improved Quality, Stability, and
Variation.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

from engine.generate.model import Outline
from engine.generate.parts.convolutional import doublings, leaky
from engine.generate.parts.equalised import EqualConv, EqualLinear, MinibatchSpread, PixelNorm


def larger(x: torch.Tensor) -> torch.Tensor:
    """Each pixel as four."""
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def smaller(x: torch.Tensor, times: int = 1) -> torch.Tensor:
    """The mean of each four pixels, so many times over."""
    return functional.avg_pool2d(x, 2**times) if times else x


class Growing(nn.Module):
    """What both have: a stage, and how far its newest layer is faded in.

    Attributes:
        stage: Doublings that there are; 0 for the smallest picture.
        alpha: From 0, where the newest layer does not count, to 1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stage, self.alpha = 0, 1.0

    def blend(self, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        """(1 - α) old + α new."""
        return (1 - self.alpha) * old + self.alpha * new


class Generator(Growing):
    """Codes -> pictures of the size of its stage, in [-1, 1]."""

    def __init__(self, latent: int, outline: Outline, width: int) -> None:
        super().__init__()
        times, (rows, columns) = doublings(outline)
        self.first = nn.Sequential(
            PixelNorm(),
            EqualLinear(latent, 2 * width * rows * columns),
            nn.Unflatten(1, (2 * width, rows, columns)),
            leaky(),
            PixelNorm(),
        )
        widths = [2 * width] + [width] * times
        self.blocks = nn.ModuleList(
            _block(takes, gives) for takes, gives in itertools.pairwise(widths)
        )
        self.pixels = nn.ModuleList(EqualConv(w, outline.shape[0], 1) for w in widths)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """`(batch, latent)` -> `(batch, channels, rows, columns)`."""
        x = self.first(z)
        for block in self.blocks[: max(0, self.stage - 1)]:
            x = block(larger(x))
        if self.stage == 0:
            return torch.tanh(self.pixels[0](x))
        old = torch.tanh(larger(self.pixels[self.stage - 1](x)))
        new = torch.tanh(self.pixels[self.stage](self.blocks[self.stage - 1](larger(x))))
        return self.blend(old, new)


class Discriminator(Growing):
    """Pictures of the size of its stage -> one logit."""

    def __init__(self, outline: Outline, width: int) -> None:
        super().__init__()
        times, (rows, columns) = doublings(outline)
        widths = [2 * width] + [width] * times
        self.look = nn.ModuleList(
            nn.Sequential(EqualConv(outline.shape[0], w, 1), leaky()) for w in widths
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(EqualConv(takes, gives), leaky())
            for gives, takes in itertools.pairwise(widths)
        )
        self.last = nn.Sequential(
            MinibatchSpread(),
            EqualConv(2 * width + 1, 2 * width),
            leaky(),
            nn.Flatten(),
            EqualLinear(2 * width * rows * columns, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` -> `(batch, 1)`."""
        seen = self.look[self.stage](x)
        if self.stage:
            new = smaller(self.blocks[self.stage - 1](seen))
            seen = self.blend(self.look[self.stage - 1](smaller(x)), new)
        for block in reversed(self.blocks[: max(0, self.stage - 1)]):
            seen = smaller(block(seen))
        told: torch.Tensor = self.last(seen)
        return told


def _block(takes: int, gives: int) -> nn.Sequential:
    return nn.Sequential(
        EqualConv(takes, gives), leaky(), PixelNorm(), EqualConv(gives, gives), leaky(), PixelNorm()
    )
