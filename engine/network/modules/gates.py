"""Activations and regularisers that torch.nn lacks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Sine(nn.Module):
    """The sine of the input times a frequency."""

    def __init__(self, frequency: float = 30.0) -> None:
        super().__init__()
        self.frequency = frequency

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape to the same shape."""
        return torch.sin(self.frequency * x)


class SwiGLU(nn.Module):
    """The first half of the last axis, gated by the swish of the second."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(..., 2 n)` to `(..., n)`."""
        value, gate = x.chunk(2, -1)
        return value * functional.silu(gate)


class ReLUSquared(nn.Module):
    """The square of the ReLU."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape to the same shape."""
        return torch.relu(x).square()


class Maxout(nn.Module):
    """The largest of several neighbouring channels."""

    def __init__(self, pieces: int = 2) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, channels, ...)` to `(batch, channels / pieces, ...)`."""
        return torch.unflatten(x, 1, (-1, self.pieces)).amax(2)


class DropPath(nn.Module):
    """Zero for some examples while training, the others scaled up to keep the mean."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ...)` to the same shape."""
        if not self.training or self.p == 0:
            return x
        kept = torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), device=x.device) >= self.p
        return x * kept / max(1 - self.p, 1e-12)


class LayerScale(nn.Module):
    """A learned factor for each channel; `trailing` axes follow the channels."""

    def __init__(self, features: int, init: float = 1e-5, trailing: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((features, *(1,) * trailing), init))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """`(batch, ..., features, ...)` to the same shape."""
        return x * self.weight


class Scale(nn.Module):
    """The input times a fixed number."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape to the same shape."""
        return x * self.factor


class GaussianNoise(nn.Module):
    """The input with normal noise while training."""

    def __init__(self, deviation: float = 0.1) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape to the same shape."""
        return x + self.deviation * torch.randn_like(x) if self.training else x
