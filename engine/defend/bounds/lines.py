"""Lines under and over a bend, and how wishes pass through them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from engine.defend.bounds.tape import Pair


@dataclass(frozen=True)
class Lines:
    """`below · x + below_at <= f(x) <= above · x + above_at` in the box, each `(batch, ...)`."""

    below: torch.Tensor
    below_at: torch.Tensor
    above: torch.Tensor
    above_at: torch.Tensor

    def back(self, lower: torch.Tensor, upper: torch.Tensor) -> tuple[Pair, Pair]:
        """Wishes about f, `(batch, wishes, ...)`, as wishes about x, and their constants.

        A positive coefficient is safe with the line below for a lower bound; a negative one
        with the line above; the other way round for an upper bound.
        """
        lower_part, lower_rest = self._side(lower, low=True)
        upper_part, upper_rest = self._side(upper, low=False)
        return (lower_part, upper_part), (lower_rest, upper_rest)

    def _side(self, wish: torch.Tensor, *, low: bool) -> Pair:
        kind = (self.below, self.below_at), (self.above, self.above_at)
        (good, good_at), (bad, bad_at) = kind if low else kind[::-1]
        plus, minus = wish.clamp_min(0), wish.clamp_max(0)
        part = plus * good[:, None] + minus * bad[:, None]
        rest = plus * good_at[:, None] + minus * bad_at[:, None]
        return part, rest.flatten(2).sum(2)


def corner_lines(box: Pair, slope: float) -> Lines:
    """Lines for `max(x, slope · x)`: the chord above; below, the side that leaves less room."""
    low, high = box
    chord = (high - slope * low) / (high - low).clamp_min(1e-12)
    ends = torch.where(high <= 0, slope, torch.ones_like(low))
    open_ = (low < 0) & (high > 0)
    above = torch.where(open_, chord, ends)
    above_at = torch.where(open_, (slope - chord) * low, torch.zeros_like(low))
    steep = torch.where(high >= -low, torch.ones_like(low), torch.full_like(low, slope))
    return Lines(torch.where(open_, steep, ends), torch.zeros_like(low), above, above_at)


def round_lines(module: nn.Module, box: Pair) -> Lines:
    """Lines for tanh and sigmoid, through the ends, as steep as the flatter of the two.

    The slope of an S is smallest at an end of any stretch, so neither line is crossed.
    """
    low, high = box
    at_low, at_high = module(low), module(high)
    slope = torch.minimum(_slope(module, at_low), _slope(module, at_high))
    return Lines(slope, at_low - slope * low, slope, at_high - slope * high)


def _slope(module: nn.Module, value: torch.Tensor) -> torch.Tensor:
    return 1 - value**2 if isinstance(module, nn.Tanh) else value * (1 - value)


def pool_back(
    module: nn.MaxPool2d, box: Pair, lower: torch.Tensor, upper: torch.Tensor
) -> tuple[Pair, Pair]:
    """Wishes about the largest of each window as wishes about the pixels.

    It is at least the pixel with the highest lower bound, and at most the highest upper bound;
    where that pixel beats all others for certain, it is the pixel.
    """
    low, high = (_windows(module, one) for one in box)  # (batch, channels, window, places)
    chosen = functional.one_hot(low.argmax(2), low.shape[2]).movedim(-1, 2).bool()
    rival = high.masked_fill(chosen, -torch.inf).amax(2)
    sure = low.amax(2) >= rival
    above = chosen & sure[:, :, None]
    most = torch.where(sure, torch.zeros_like(rival), high.amax(2))

    def side(wish: torch.Tensor, *, low: bool) -> Pair:
        flat = wish.flatten(3)[:, :, :, None]  # (batch, wishes, channels, 1, places)
        plus, minus = flat.clamp_min(0), flat.clamp_max(0)
        first, second = (plus, minus) if low else (minus, plus)
        coefficients = first * chosen[:, None] + second * above[:, None]
        rest = (second[:, :, :, 0] * most[:, None]).flatten(2).sum(2)
        return _folded(module, coefficients, box[0].shape), rest

    (a, b), (c, d) = side(lower, low=True), side(upper, low=False)
    return (a, c), (b, d)


def _sizes(module: nn.MaxPool2d) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    def two(value: int | tuple[int, ...]) -> tuple[int, int]:
        return (value, value) if isinstance(value, int) else (value[0], value[1])

    return two(module.kernel_size), two(module.stride), two(module.padding)


def _windows(module: nn.MaxPool2d, x: torch.Tensor) -> torch.Tensor:
    """What each window sees, `(batch, channels, window, places)`; the rim is minus infinity."""
    kernel, stride, (down, across) = _sizes(module)
    padded = functional.pad(x, (across, across, down, down), value=-1e30)
    seen = functional.unfold(padded, kernel, stride=stride)
    return seen.reshape(len(x), x.shape[1], kernel[0] * kernel[1], -1)


def _folded(module: nn.MaxPool2d, windows: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Coefficients of windows, `(batch, wishes, channels, window, places)`, added up by pixel."""
    kernel, stride, (down, across) = _sizes(module)
    batch, wishes = windows.shape[:2]
    _, channels, rows, columns = shape
    flat = windows.reshape(batch * wishes, channels * kernel[0] * kernel[1], -1)
    size = (rows + 2 * down, columns + 2 * across)
    added = functional.fold(flat, size, kernel, stride=stride)
    added = added[:, :, down : down + rows, across : across + columns]
    return added.reshape(batch, wishes, channels, rows, columns)
