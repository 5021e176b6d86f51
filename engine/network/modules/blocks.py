"""Blocks of well-known image networks, each as one module."""

from __future__ import annotations

import torch
from torch import nn

Tensor = torch.Tensor


class InvertedResidual(nn.Module):
    """Channels widened, filtered one by one, narrowed; with a shortcut where sizes stay."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        expand: int = 6,
    ) -> None:
        super().__init__()
        inner = expand * in_channels
        self.skips = stride == 1 and in_channels == out_channels
        widen = [nn.Conv2d(in_channels, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()]
        padding = kernel_size // 2
        self.layers = nn.Sequential(
            *(widen if expand > 1 else []),
            nn.Conv2d(inner, inner, kernel_size, stride, padding, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU6(),
            nn.Conv2d(inner, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, channels, rows, columns)` to `(batch, out, rows / stride, columns / stride)`."""
        result: Tensor = self.layers(x)
        return x + result if self.skips else result


class ResidualBlock(nn.Module):
    """Two normalised 3 × 3 convolutions added to what comes in."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.skip = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, channels, rows, columns)` to `(batch, out, rows / stride, columns / stride)`."""
        return torch.relu(self.skip(x) + self.layers(x))


class ConvNeXtBlock(nn.Module):
    """A wide filter for each channel, a norm, and two maps at each pixel, with a shortcut."""

    def __init__(
        self, channels: int, kernel_size: int = 7, expand: int = 4, scale: float = 1e-6
    ) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels
        )
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = nn.Linear(channels, expand * channels)
        self.pwconv2 = nn.Linear(expand * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, channels, rows, columns)` to the same shape."""
        pixels = self.norm(self.dwconv(x).permute(0, 2, 3, 1))  # channels last
        changed = self.gamma * self.pwconv2(nn.functional.gelu(self.pwconv1(pixels)))
        result: Tensor = x + changed.permute(0, 3, 1, 2)
        return result


class InceptionBlock(nn.Module):
    """Windows of 1, 3 and 5 and a pool beside one another, their channels put together."""

    def __init__(
        self,
        in_channels: int,
        ones: int,
        reduce3: int,
        threes: int,
        reduce5: int,
        fives: int,
        pooled: int,
    ) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(in_channels, ones, 1), nn.ReLU())
        self.three = nn.Sequential(
            nn.Conv2d(in_channels, reduce3, 1),
            nn.ReLU(),
            nn.Conv2d(reduce3, threes, 3, padding=1),
            nn.ReLU(),
        )
        self.five = nn.Sequential(
            nn.Conv2d(in_channels, reduce5, 1),
            nn.ReLU(),
            nn.Conv2d(reduce5, fives, 5, padding=2),
            nn.ReLU(),
        )
        self.pool = nn.Sequential(
            nn.MaxPool2d(3, 1, 1), nn.Conv2d(in_channels, pooled, 1), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, channels, rows, columns)` to `(batch, sum of all, rows, columns)`."""
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class DenseBlock(nn.Module):
    """Layers that each see what all before them gave."""

    def __init__(self, in_channels: int, layers: int = 4, growth: int = 12, width: int = 4) -> None:
        super().__init__()
        inner = width * growth
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(channels),
                nn.ReLU(),
                nn.Conv2d(channels, inner, 1, bias=False),
                nn.BatchNorm2d(inner),
                nn.ReLU(),
                nn.Conv2d(inner, growth, 3, padding=1, bias=False),
            )
            for channels in range(in_channels, in_channels + layers * growth, growth)
        )

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, channels, rows, columns)` to `(batch, channels + layers * growth, ...)`."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x
