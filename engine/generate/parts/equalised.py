"""Layers of progressive growing and StyleGAN: equalised rates, unit pixels, variety in a batch.

Source: Karras et al. (2018), Progressive Growing of GANs for Improved Quality, Stability, and
Variation.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional


class EqualLinear(nn.Module):
    """A linear layer whose weights are drawn from N(0, 1) and scaled as it runs.

    So all weights are of one size, and Adam moves each as fast as every other.

    Args:
        takes: Inputs.
        gives: Outputs.
        slower: Factor on how fast it learns.
        bias: What the bias is at first.
    """

    def __init__(self, takes: int, gives: int, *, slower: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(gives, takes) / slower)
        self.bias = nn.Parameter(torch.full((gives,), bias / slower))
        self.scale, self.slower = slower * math.sqrt(1 / takes), slower

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, takes)` -> `(batch, gives)`."""
        return functional.linear(x, self.weight * self.scale, self.bias * self.slower)


class EqualConv(nn.Module):
    """A convolution likewise; it keeps rows and columns."""

    def __init__(self, takes: int, gives: int, size: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(gives, takes, size, size))
        self.bias = nn.Parameter(torch.zeros(gives))
        self.scale = math.sqrt(2 / (takes * size**2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, takes, rows, columns)` -> `(batch, gives, rows, columns)`."""
        weight = self.weight * self.scale
        return functional.conv2d(x, weight, self.bias, padding=self.weight.shape[-1] // 2)


class PixelNorm(nn.Module):
    """Each pixel divided by its length over the channels: x / √(mean of x² + 10⁻⁸)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, ...)` -> the same shape, with a mean square of 1 over the channels."""
        return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class MinibatchSpread(nn.Module):
    """One more channel that says how much the samples of the batch differ: 0 where they are one.

    The standard deviation of each number over the batch, and the mean of all of them.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` -> `(batch, channels + 1, rows, columns)`."""
        variance = x.var(0, unbiased=False)
        still = variance == 0  # there √ has no slope
        spread = torch.where(still, 0.0, torch.where(still, 1.0, variance).sqrt()).mean()
        return torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], dim=1)
