"""Modules that rearrange a tensor; axis 0 is always the first after the batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


class Reshape(nn.Module):
    """The same numbers of each example in other axes."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` to `(batch, *shape)`."""
        return x.reshape(x.shape[0], *self.shape)


class Permute(nn.Module):
    """The axes of each example in another order."""

    def __init__(self, order: Sequence[int]) -> None:
        super().__init__()
        self.order = (0, *(axis + 1 for axis in order))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` to `(batch, ...)`, permuted."""
        return x.permute(self.order)


class Slice(nn.Module):
    """A part of one axis."""

    def __init__(
        self, axis: int = 0, start: int = 0, stop: int | None = None, step: int = 1
    ) -> None:
        super().__init__()
        self.index = (slice(None),) * (axis + 1) + (slice(start, stop, step),)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` to `(batch, ...)`, one axis shorter."""
        return x[self.index]


class Select(nn.Module):
    """One place of an axis."""

    def __init__(self, axis: int = 0, index: int = 0) -> None:
        super().__init__()
        self.axis, self.index = axis + 1, index

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` to `(batch, ...)` with one axis fewer."""
        return x.select(self.axis, self.index)


class Pad(nn.Module):
    """A frame around the last axes."""

    def __init__(self, padding: Sequence[int], mode: str = "constant", value: float = 0.0) -> None:
        super().__init__()
        self.padding, self.mode = tuple(padding), mode
        self.value = value if mode == "constant" else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ..., columns)` to `(batch, ..., left + columns + right)`."""
        return functional.pad(x, self.padding, self.mode, self.value)


class Split(nn.Module):
    """Equal parts of an axis, one an output."""

    def __init__(self, parts: int = 2, axis: int = 0) -> None:
        super().__init__()
        self.parts, self.axis = parts, axis + 1

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """`(batch, ...)` to `parts` tensors."""
        length = x.shape[self.axis]
        if length % self.parts:
            raise ValueError(f"cannot split {length} into {self.parts} equal parts")
        return torch.split(x, length // self.parts, self.axis)


class Mean(nn.Module):
    """The mean over axes."""

    def __init__(self, axes: Sequence[int]) -> None:
        super().__init__()
        self.axes = tuple(axis + 1 for axis in axes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` to `(batch, ...)` without those axes."""
        return x.mean(self.axes) if self.axes else x


class GlobalAvgPool(nn.Module):
    """The mean of each channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, ...)` to `(batch, channels)`."""
        return x.flatten(2).mean(-1)


class GlobalMaxPool(nn.Module):
    """The largest value of each channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, ...)` to `(batch, channels)`."""
        return x.flatten(2).amax(-1)


class OneHot(nn.Module):
    """Each token as a vector that is 1 in its own place and 0 elsewhere."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` whole numbers to `(batch, ..., classes)`."""
        places = torch.arange(self.classes, device=tokens.device)
        return (tokens[..., None] == places).to(torch.get_default_dtype())


class ChannelShuffle(nn.Module):
    """The channels of all groups dealt out in turn."""

    def __init__(self, groups: int = 2) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, ...)` to the same shape."""
        grouped = torch.unflatten(x, 1, (self.groups, -1))  # (batch, groups, their channels, ...)
        return grouped.transpose(1, 2).flatten(1, 2)
