"""Convolutions that see only pixels that come before: above, or to the left in the same row."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional

Sees = Literal["before", "above", "left"]


class Masked(nn.Conv2d):
    """A convolution whose kernel is zero where it must not look.

    Args:
        takes: Channels in.
        gives: Channels out.
        size: Rows and columns of the kernel, odd.
        sees: `before`: rows above, and what is left in the own row; `above`: rows above, whole;
            `left`: the own row only.
        own: Whether the own pixel (for `above`: the own row) is seen too: the mask B, else A.
        colours: Channels of the image. A pixel's colours come one after the other, and the
            channels of a layer are shared out among them.

    Source: van den Oord, Kalchbrenner & Kavukcuoglu (2016), Pixel Recurrent Neural Networks.
    """

    def __init__(
        self,
        takes: int,
        gives: int,
        size: tuple[int, int],
        *,
        sees: Sees = "before",
        own: bool = True,
        colours: int = 1,
    ) -> None:
        super().__init__(takes, gives, size, padding=(size[0] // 2, size[1] // 2))
        self.mask: torch.Tensor
        mask = torch.zeros(gives, takes, *size)
        row, column = size[0] // 2, size[1] // 2
        mask[:, :, :row] = 1
        if sees == "above":
            mask[:, :, row] = float(own)
        else:
            mask[:, :, row, :column] = 1
            to = torch.arange(gives)[:, None] * colours // gives
            of = torch.arange(takes)[None] * colours // takes
            mask[:, :, row, column] = ((of <= to) if own else (of < to)).float()
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As a convolution with the weights under the mask, `(n, gives, rows, columns)`."""
        row, column = self.mask.shape[2] // 2, self.mask.shape[3] // 2
        weight = (self.weight * self.mask)[:, :, : row + 1]  # all below is masked: left out
        return functional.conv2d(functional.pad(x, (column, column, row, 0)), weight, self.bias)


class Stack(nn.Module):
    """Masked convolutions one after the other, each added to what came in.

    It has a blind spot: pixels above and to the right that no path of kernels leads to.
    """

    def __init__(
        self, colours: int, gives: int, *, width: int, depth: int, first: int, extra: int = 0
    ) -> None:
        super().__init__()
        self.begin = Masked(colours, width, (first, first), own=False, colours=colours)
        self.told = nn.Linear(extra, width, bias=False) if extra else None
        self.layers = nn.ModuleList(
            Masked(width, width, (3, 3), colours=colours) for _ in range(depth)
        )
        self.end = nn.Sequential(
            nn.ReLU(),
            Masked(width, width, (1, 1), colours=colours),
            nn.ReLU(),
            Masked(width, gives, (1, 1), colours=colours),
        )
        self.reach = first // 2 + depth

    def forward(self, x: torch.Tensor, told: torch.Tensor | None = None) -> torch.Tensor:
        """Images `(n, colours, rows, columns)` -> `(n, gives, rows, columns)`."""
        hidden = self.begin(x)
        if self.told is not None and told is not None:
            hidden = hidden + self.told(told)[..., None, None]
        for layer in self.layers:
            hidden = hidden + layer(functional.relu(hidden))
        end: torch.Tensor = self.end(hidden)
        return end


class GatedStack(nn.Module):
    """Two stacks: one sees all rows above, one the own row to the left and what the first tells.

    So every pixel before is seen, and each layer is switched by gates: tanh(a) * sigmoid(b).

    Args:
        colours: Channels of a pixel, which come one after the other.
        gives: Channels out.
        width: Channels of a layer.
        depth: Layers after the first.
        first: Rows and columns of the first kernel.
        extra: Numbers that every layer is told besides; 0 for none.
        takes: Channels of a pixel that come all at once; 0: its colours.

    Source: van den Oord et al. (2016), Conditional Image Generation with PixelCNN Decoders.
    """

    def __init__(
        self,
        colours: int,
        gives: int,
        *,
        width: int,
        depth: int,
        first: int,
        extra: int = 0,
        takes: int = 0,
    ) -> None:
        super().__init__()
        layers = [_Gated(takes or colours, width, first, colours, own=False, extra=extra)]
        layers += [_Gated(width, width, 3, colours, own=True, extra=extra) for _ in range(depth)]
        self.layers = nn.ModuleList(layers)
        self.end = nn.Sequential(
            nn.ReLU(),
            Masked(width, width, (1, 1), colours=colours),
            nn.ReLU(),
            Masked(width, gives, (1, 1), colours=colours),
        )
        self.reach = first // 2 + depth

    def forward(self, x: torch.Tensor, told: torch.Tensor | None = None) -> torch.Tensor:
        """Images `(n, colours, rows, columns)` -> `(n, gives, rows, columns)`."""
        above = left = x
        for layer in self.layers:
            above, left = layer(above, left, told)
        end: torch.Tensor = self.end(left)
        return end


class _Gated(nn.Module):
    """One layer of both stacks."""

    def __init__(
        self, takes: int, width: int, size: int, colours: int, *, own: bool, extra: int
    ) -> None:
        super().__init__()
        # each gives a and b, whose channels stand in turn so that colours stay apart
        self.above = Masked(takes, 2 * width, (size, size), sees="above", own=own)
        self.left = Masked(takes, 2 * width, (1, size), sees="left", own=own, colours=colours)
        self.across = nn.Conv2d(2 * width, 2 * width, 1)
        self.out = Masked(width, width, (1, 1), colours=colours)
        self.told = nn.Linear(extra, 2 * width, bias=False) if extra else None
        self.residual = own

    def forward(
        self, above: torch.Tensor, left: torch.Tensor, told: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        down = self.above(above)
        along = self.left(left) + self.across(down)
        if self.told is not None and told is not None:
            more = self.told(told)[..., None, None]
            down, along = down + more, along + more
        new = self.out(_gate(along))
        return _gate(down), new + left if self.residual else new


def _gate(pair: torch.Tensor) -> torch.Tensor:
    return pair[:, 0::2].tanh() * pair[:, 1::2].sigmoid()
