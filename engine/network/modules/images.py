"""Parts of image networks that are often used whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class SqueezeExcite(nn.Module):
    """Each channel scaled by a gate that sees all channels."""

    def __init__(self, channels: int, squeezed: int, activation: str = "relu") -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.activation = nn.SiLU() if activation == "silu" else nn.ReLU()
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` to the same shape."""
        mean = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(self.activation(self.fc1(mean))))


class DepthwiseConv2d(nn.Conv2d):
    """Filters of its own for each channel; the channels are not mixed."""

    def __init__(
        self,
        channels: int,
        kernel_size: int | Sequence[int],
        multiplier: int = 1,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        bias: bool = True,
    ) -> None:
        kernel, step, spread = (_pair(size) for size in (kernel_size, stride, dilation))
        around = padding if isinstance(padding, str) else _pair(padding)
        super().__init__(
            channels, channels * multiplier, kernel, step, around, spread, channels, bias
        )


class SeparableConv2d(nn.Module):
    """A filter for each channel, then a mix of the channels at each pixel."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | str = 0,
        dilation: int | Sequence[int] = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        kernel, step, spread = (_pair(size) for size in (kernel_size, stride, dilation))
        around = padding if isinstance(padding, str) else _pair(padding)
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, kernel, step, around, spread, in_channels, bias=bias
        )
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` to `(batch, out, rows', columns')`."""
        mixed: torch.Tensor = self.pointwise(self.depthwise(x))
        return mixed


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])
