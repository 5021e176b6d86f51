"""Monotone splines: a number bent by pieces of rational functions, and back."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

EDGE = 4.0  # beyond it a number is left as it is
SMALLEST = 1e-3  # of widths and heights as a share, and of slopes
ONE = math.log(math.e - 1)  # softplus of it is 1


def numbers(pieces: int) -> int:
    """How many numbers say what a spline looks like: widths, heights, slopes between."""
    return 3 * pieces - 1


def bend(x: torch.Tensor, told: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The values y and log dy/dx of every number, both like x.

    In a piece from (x_k, y_k) to (x_{k+1}, y_{k+1}) with slopes d_k, d_{k+1}, s = Δy/Δx and
    ξ = (x - x_k)/Δx:  y = y_k + Δy (s ξ² + d_k ξ(1-ξ)) / (s + (d_{k+1} + d_k - 2s) ξ(1-ξ)).

    Args:
        x: `(...)`.
        told: `(..., numbers(pieces))`; zeros give the identity.

    Source: Durkan et al. (2019), Neural Spline Flows, equations 4 and 5.
    """
    knots = _knots(told)
    inside = x.abs() < EDGE
    held = x.clamp(-EDGE, EDGE)
    left, low, wide, high, before, after = _piece(held, knots, 0)
    steep = high / wide
    along = (held - left) / wide
    both = along * (1 - along)
    below = steep + (after + before - 2 * steep) * both
    y = low + high * (steep * along.square() + before * both) / below
    rises = after * along.square() + 2 * steep * both + before * (1 - along).square()
    slope = 2 * steep.log() + rises.log() - 2 * below.log()
    return torch.where(inside, y, x), torch.where(inside, slope, torch.zeros_like(x))


def unbend(y: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """The x with bend(x) = y: the root of a quadratic in ξ (equations 6 to 8)."""
    knots = _knots(told)
    inside = y.abs() < EDGE
    held = y.clamp(-EDGE, EDGE)
    left, low, wide, high, before, after = _piece(held, knots, 1)
    steep = high / wide
    more = (held - low) * (after + before - 2 * steep)
    a = high * (steep - before) + more
    b = high * before - more
    c = -steep * (held - low)
    root = (b.square() - 4 * a * c).clamp_min(0).sqrt()
    along = 2 * c / (-b - root)
    return torch.where(inside, left + along * wide, y)


_Knots = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _knots(told: torch.Tensor) -> _Knots:
    """Where the pieces meet, `(..., pieces + 1)` each: x, y and slopes; the outer slopes are 1."""
    pieces = (told.shape[-1] + 1) // 3
    widths, heights, slopes = told.split([pieces, pieces, pieces - 1], -1)
    inner = SMALLEST + functional.softplus(slopes + ONE) * (1 - SMALLEST)
    return _places(widths), _places(heights), functional.pad(inner, (1, 1), value=1.0)


def _places(shares: torch.Tensor) -> torch.Tensor:
    """Shares of the interval, before softmax, as places in it."""
    pieces = shares.shape[-1]
    share = SMALLEST + (1 - SMALLEST * pieces) * shares.softmax(-1)
    inner = 2 * EDGE * share.cumsum(-1)[..., :-1] - EDGE
    return functional.pad(functional.pad(inner, (1, 0), value=-EDGE), (0, 1), value=EDGE)


def _piece(held: torch.Tensor, knots: _Knots, axis: int) -> list[torch.Tensor]:
    """Begin, length and slopes of the piece that a number is in: x, y, Δx, Δy, d_k, d_{k+1}."""
    inner = knots[axis][..., 1:-1]
    index = (held[..., None] >= inner).sum(-1, keepdim=True)

    def at(values: torch.Tensor, ahead: int = 0) -> torch.Tensor:
        return values.gather(-1, index + ahead).squeeze(-1)

    x, y, slopes = knots
    left, low = at(x), at(y)
    return [left, low, at(x, 1) - left, at(y, 1) - low, at(slopes), at(slopes, 1)]
