"""Where things stand in a sequence, and sequences made of images."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn


class SinusoidalPositions(nn.Module):
    """Waves of many lengths added to a sequence."""

    def __init__(self, scale: bool = False) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, length, features)` to the same shape."""
        length, features = x.shape[1:]
        pair = torch.arange(features, device=x.device) // 2
        speed = torch.exp(-math.log(10_000.0) * 2 * pair / features)
        angle = torch.arange(length, device=x.device)[:, None] * speed
        even = torch.arange(features, device=x.device) % 2 == 0
        waves = torch.where(even, angle.sin(), angle.cos()).to(x.dtype)
        return (x * math.sqrt(features) if self.scale else x) + waves


class LearnedPositions(nn.Module):
    """A learned vector for each place, added to a sequence."""

    def __init__(self, length: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(length, features))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, length, features)` to the same shape."""
        if x.shape[1] > self.weight.shape[0]:
            raise ValueError(f"{x.shape[1]} places come in, {self.weight.shape[0]} are learned")
        return x + self.weight[: x.shape[1]]


class PatchEmbedding(nn.Module):
    """An image cut into patches, each made a vector."""

    def __init__(
        self, in_channels: int, features: int, patch: int | Sequence[int], bias: bool = True
    ) -> None:
        super().__init__()
        size = (patch, patch) if isinstance(patch, int) else (patch[0], patch[-1])
        self.proj = nn.Conv2d(in_channels, features, size, size, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` to `(batch, patches, features)`."""
        patches: torch.Tensor = self.proj(x)
        return patches.flatten(2).transpose(1, 2)


class ClassToken(nn.Module):
    """Learned tokens put before a sequence."""

    def __init__(self, features: int, tokens: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(tokens, features))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, length, features)` to `(batch, tokens + length, features)`."""
        return torch.cat([self.weight.expand(x.shape[0], -1, -1), x], 1)
