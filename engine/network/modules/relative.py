"""Attention that knows distances: T5's, and Swin's in windows of an image."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


class RelativeBias(nn.Module):
    """What is added to the scores of attention for each distance, learned for each head.

    Distances share a number in ranges that widen, up to `farthest`.
    """

    def __init__(
        self, heads: int, buckets: int = 32, farthest: int = 128, causal: bool = False
    ) -> None:
        super().__init__()
        self.buckets, self.farthest, self.causal = buckets, farthest, causal
        self.weight = nn.Parameter(torch.empty(buckets, heads))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """A sequence `(batch, length, features)` to `(batch, heads, length, length)`."""
        place = torch.arange(x.shape[1], device=x.device)
        bias = self.weight[self.bucket(place - place[:, None])]  # (length, length, heads)
        if self.causal:
            later = place > place[:, None]
            bias = bias.masked_fill(later[..., None], float("-inf"))
        return bias.permute(2, 0, 1).expand(x.shape[0], -1, -1, -1)

    def bucket(self, distance: Tensor) -> Tensor:
        """Which number a distance (key minus query) uses: near ones have their own."""
        count, first = self.buckets, torch.zeros_like(distance)
        if self.causal:
            far = (-distance).clamp(min=0)
        else:
            count //= 2
            first, far = count * (distance > 0), distance.abs()
        exact = count // 2
        ratio = (far.clamp(min=1) / exact).log() / math.log(self.farthest / exact)
        wide = (exact + (ratio * (count - exact)).long()).clamp(max=count - 1)
        return first + torch.where(far < exact, far, wide)


class RelativeAttention(nn.Module):
    """Attention without biases and without scaling, whose scores take a given bias."""

    def __init__(self, features: int, heads: int, size: int | None = None) -> None:
        super().__init__()
        if size is None and features % heads:
            raise ValueError(f"{features} features cannot be shared evenly by {heads} heads")
        self.heads = heads
        inner = heads * (size or features // heads)
        self.query = nn.Linear(features, inner, bias=False)
        self.key = nn.Linear(features, inner, bias=False)
        self.value = nn.Linear(features, inner, bias=False)
        self.out = nn.Linear(inner, features, bias=False)
        nn.init.normal_(self.query.weight, std=(features * (inner // heads)) ** -0.5)  # no scaling

    def forward(self, x: Tensor, *inputs: Tensor) -> Tensor:
        """`(batch, length, features)`, perhaps a memory, perhaps a bias `(batch, heads, n, m)`."""
        memory = next((one for one in inputs if one.ndim == 3), x)
        bias = next((one for one in inputs if one.ndim == 4), None)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), self.key(memory), self.value(memory))
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, bias, scale=1.0)
        result: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return result


class WindowAttention(nn.Module):
    """Self-attention inside of square windows of an image, which may be shifted.

    Each head learns a bias for every distance; what a shift brings together from opposite edges
    does not look at each other.
    """

    def __init__(self, features: int, heads: int, window: int, shift: int = 0) -> None:
        super().__init__()
        if features % heads:
            raise ValueError(f"{features} features cannot be shared evenly by {heads} heads")
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv = nn.Linear(features, 3 * features)
        self.out = nn.Linear(features, features)
        self.bias = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.normal_(self.bias, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, rows, columns, features)` to the same shape."""
        rows, columns = x.shape[1:3]
        if rows % self.window or columns % self.window:
            raise ValueError(
                f"{rows} × {columns} places cannot be cut into windows of {self.window}"
            )
        shift = self.shift if min(rows, columns) > self.window else 0
        windows = self.cut(x.roll((-shift, -shift), (1, 2)))  # (batch, windows, places, features)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(2, 3)
            for part in self.qkv(windows).chunk(3, -1)
        )
        mask = self.distances() + (self.apart(x, shift) if shift else 0)
        mixed = functional.scaled_dot_product_attention(query, key, value, mask)
        joined: Tensor = self.out(mixed.transpose(2, 3).flatten(3))
        grid = joined.unflatten(1, (rows // self.window, -1))
        grid = grid.unflatten(3, (self.window, self.window)).transpose(2, 3).flatten(1, 2)
        whole: Tensor = grid.flatten(2, 3)
        return whole.roll((shift, shift), (1, 2))

    def cut(self, x: Tensor) -> Tensor:
        """An image `(batch, rows, columns, features)` as `(batch, windows, places, features)`."""
        tiles: Tensor = x.unflatten(2, (-1, self.window)).unflatten(1, (-1, self.window))
        places: Tensor = tiles.transpose(2, 3).flatten(3, 4)
        return places.flatten(1, 2)

    def distances(self) -> Tensor:
        """The learned bias of every pair of places in a window: `(heads, places, places)`."""
        place = torch.arange(self.window, device=self.bias.device)
        apart = place[:, None] - place + self.window - 1  # 0 to 2 window - 2
        number = apart[:, None, :, None] * (2 * self.window - 1) + apart[None, :, None, :]
        return self.bias[number.flatten(2).flatten(0, 1)].permute(2, 0, 1)

    def apart(self, x: Tensor, shift: int) -> Tensor:
        """Minus infinity between places of a window that the shift brought together."""
        sides = [
            (torch.arange(size, device=x.device) >= size - shift).long()
            + (torch.arange(size, device=x.device) >= size - self.window)
            for size in x.shape[1:3]
        ]
        region = (3 * sides[0][:, None] + sides[1])[None, ..., None]
        number = self.cut(region)[0, :, :, 0]  # (windows, places)
        foreign = number[:, :, None] != number[:, None]
        mask = torch.zeros(foreign.shape, device=x.device, dtype=x.dtype)
        return mask.masked_fill(foreign, float("-inf"))[:, None]
