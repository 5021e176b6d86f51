"""A small U-Net that is told a noise level: down to coarse maps, and up again along the fine ones.

Written for the CPU: images lie with their channels last, the ways across are added and not
stacked (half the channels for the way up), and most weights work on the coarse maps.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from engine.generate.parts.told import Told, silent

COARSEST = 8  # rows and columns from which maps are not halved any more
GROUPS = 8


class Block(nn.Module):
    """Two convolutions, the level added between, around which the input goes straight on.

    Source: He et al. (2016), Identity Mappings in Deep Residual Networks; with the level as in Ho
    et al. (2020).
    """

    def __init__(self, channels: int, told: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.level = nn.Linear(told, channels)
        self.norm2 = nn.GroupNorm(GROUPS, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        silent(self.conv2)  # so that a block does nothing at first

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """Maps `(n, channels, rows, columns)` and what is told `(n or 1, told)` -> like x."""
        h = self.conv1(functional.silu(self.norm1(x), inplace=True))
        h = self.norm2(h + self.level(told)[:, :, None, None])
        out: torch.Tensor = x + self.conv2(functional.silu(h, inplace=True))
        return out


class Attention(nn.Module):
    """Every place of the coarsest maps looks at every other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.ask, self.give = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)
        silent(self.give)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps `(n, channels, rows, columns)` -> like x."""
        q, k, v = self.ask(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, 2)
        seen = functional.scaled_dot_product_attention(q, k, v)
        out: torch.Tensor = x + self.give(seen.transpose(1, 2).reshape(x.shape))
        return out


class UNet(nn.Module):
    """Blocks on maps of 1, 1/2, 1/4, ... the size with 1, 2, 4, ... times the channels.

    Args:
        shape: Of an image, `(channels, rows, columns)`.
        classes: How many classes it is told; 0 for none.
        width: Channels of the finest maps, a multiple of eight.
        depth: Blocks on the coarsest maps; the finer ones have one on each way.
        attention: Whether places of the coarsest maps look at each other.

    Source: Ronneberger et al. (2015), U-Net: Convolutional Networks for Biomedical Image
    Segmentation; for diffusion Ho et al. (2020).
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        *,
        width: int = 32,
        depth: int = 3,
        attention: bool = False,
    ) -> None:
        super().__init__()
        if width % GROUPS:
            raise ValueError(f"U-Net: its width must be a multiple of {GROUPS}; got {width}")
        sizes, rows = [width], min(shape[1:])
        while rows > COARSEST:
            rows = (rows + 1) // 2
            sizes.append(2 * sizes[-1])
        told = 4 * width
        self.told = Told(told, classes)
        self.begin = nn.Conv2d(shape[0], width, 3, padding=1)
        fine = list(pairwise(sizes))
        self.down = nn.ModuleList(Block(size, told) for size, _ in fine)
        self.shrink = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in fine)
        self.middle = nn.ModuleList(Block(sizes[-1], told) for _ in range(depth))
        self.look = Attention(sizes[-1]) if attention else nn.Identity()
        self.grow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(fine))
        self.up = nn.ModuleList(Block(size, told) for size, _ in reversed(fine))
        self.norm = nn.GroupNorm(GROUPS, width)
        self.end = nn.Conv2d(width, shape[0], 3, padding=1)
        silent(self.end)
        for one in self.modules():
            if isinstance(one, nn.Conv2d):
                one.weight.data = one.weight.contiguous(memory_format=torch.channels_last)

    def forward(
        self, x: torch.Tensor, level: torch.Tensor, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Images `(n, *shape)`, levels `(n,)` or `(1,)` and classes `(n,)` -> like x."""
        told = self.told(level, labels)
        # of an image of one channel no convolution can tell which layout is meant
        h = self.begin(x).contiguous(memory_format=torch.channels_last)
        across = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            h = block(h, told)
            across.append(h)
            h = shrink(h)
        half = len(self.middle) // 2
        for number, block in enumerate(self.middle):
            h = block(h, told)
            if number == half:
                h = self.look(h)
        for block, grow in zip(self.up, self.grow, strict=True):
            fine = across.pop()
            grown = functional.interpolate(grow(h), size=fine.shape[2:])
            h = block(fine + grown, told)
        out: torch.Tensor = self.end(functional.silu(self.norm(h), inplace=True))
        return out
