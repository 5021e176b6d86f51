"""Modules that join several tensors; axis 0 is always the first after the batch."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import nn


class Add(nn.Module):
    """The sum of the inputs."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Tensors of one shape to their sum."""
        return functools.reduce(torch.add, inputs)


class Multiply(nn.Module):
    """The product of the inputs."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Tensors of one shape to their product."""
        return functools.reduce(torch.mul, inputs)


class Subtract(nn.Module):
    """The first input without the second."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Two tensors of one shape to their difference."""
        return first - second


class Maximum(nn.Module):
    """The larger of the inputs, value by value."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Tensors of one shape to their maximum."""
        return functools.reduce(torch.maximum, inputs)


class Concat(nn.Module):
    """The inputs behind one another."""

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis + 1 if axis >= 0 else axis

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Tensors that agree in all axes but one, to one tensor."""
        return torch.cat(inputs, self.axis)


class Stack(nn.Module):
    """The inputs beside one another, along a new axis."""

    def __init__(self, axis: int = 0) -> None:
        super().__init__()
        self.axis = axis + 1

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Tensors of one shape, to one with an axis more."""
        return torch.stack(inputs, self.axis)


class MatMul(nn.Module):
    """The matrix product of two inputs."""

    def __init__(self, transpose: bool = False) -> None:
        super().__init__()
        self.transpose = transpose

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """`(batch, ..., n, k)` and `(batch, ..., k, m)` to `(batch, ..., n, m)`."""
        return first @ (second.transpose(-1, -2) if self.transpose else second)


class Bilinear(nn.Bilinear):
    """`x A y + b` as one product; torch's own goes from output to output."""

    def forward(self, input1: torch.Tensor, input2: torch.Tensor) -> torch.Tensor:
        """`(batch, ..., in1)` and `(batch, ..., in2)` to `(batch, ..., out)`."""
        outputs = torch.einsum("...i,oij,...j->...o", input1, self.weight, input2)
        return outputs if self.bias is None else outputs + self.bias


class Shortcut(nn.Module):
    """The first input, brought to the shape of the second where it differs."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int | Sequence[int] = 1,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        down, right = (stride, stride) if isinstance(stride, int) else stride
        self.fits = in_channels == out_channels and down == right == 1
        if not self.fits:
            bias = norm == "none"
            self.conv = nn.Conv2d(in_channels, out_channels, 1, (down, right), bias=bias)
            self.norm = nn.Identity() if bias else nn.BatchNorm2d(out_channels)

    def forward(self, skip: torch.Tensor, _branch: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, rows, columns)` twice; the first in the shape of the second."""
        if self.fits:
            return skip
        projected: torch.Tensor = self.norm(self.conv(skip))
        return projected
