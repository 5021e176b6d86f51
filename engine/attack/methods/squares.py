"""Square: random squares, kept when the loss rises; they shrink. Asks for scores only."""

from __future__ import annotations

import math

import torch
from torch import nn

from engine.attack.balls import across, inside, length
from engine.attack.methods.blind import Queries
from engine.attack.table import Epsilon, Seed, attack, loss
from engine.attack.watch import seen

FIRST = 0.1  # part of the picture that the first squares cover
HALVED = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # queries of 10,000 at which it halves


@attack("square", norm="Linf", gradients=False, minimal=False)
def square(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    queries: Queries = 300,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """Random squares set to plus or minus epsilon, kept when the loss rises; they shrink.

    Source: Andriushchenko et al. (2020), Square attack: a query-efficient black-box attack.
    """
    return square_walk(module, x, y, epsilon, "Linf", queries, seed, targeted=targeted)


@attack("square_l2", norm="L2", gradients=False, minimal=False)
def square_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 1.0,
    queries: Queries = 300,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """Length moved from one square window to another, kept when the loss rises.

    Source: Andriushchenko et al. (2020), Square attack: a query-efficient black-box attack,
    section 3.3.
    """
    return square_walk(module, x, y, epsilon, "L2", queries, seed, targeted=targeted)


def square_walk(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    norm: str,
    queries: int,
    seed: int,
    *,
    targeted: bool = False,
) -> torch.Tensor:
    """The random walk of both forms; a table is walked as a picture with one row."""
    generator = torch.Generator().manual_seed(seed)
    shape = x.shape
    x = x if x.ndim == 4 else x.flatten(1)[:, None, None]
    begin, propose = (_stripes, _painted) if norm == "Linf" else (_blobs, _moved)

    def worth(at: torch.Tensor) -> torch.Tensor:
        return loss(module, at.reshape(shape), y, targeted=targeted)

    best = inside(x + epsilon * begin(x, generator), x, epsilon, norm)
    with torch.no_grad():
        most = worth(best)
        for query in range(queries):
            found = propose(best, x, epsilon, _part(query, queries), generator)
            value = worth(found)
            gain = value > most
            best, most = torch.where(across(gain, x), found, best), torch.maximum(most, value)
            seen(best.reshape(shape))
    return best.reshape(shape)


def _part(query: int, queries: int) -> float:
    """The part of the picture that a square covers: halved at the paper's parts of the search."""
    return FIRST * 0.5 ** sum(query * 10_000 > at * queries for at in HALVED)


def _window(
    x: torch.Tensor, side: tuple[int, int], generator: torch.Generator
) -> tuple[slice, slice, slice, slice]:
    """A random window of so many rows and columns, in all samples and channels."""
    starts = [
        int(torch.randint(0, whole - part + 1, (), generator=generator))
        for whole, part in zip(x.shape[2:], side, strict=True)
    ]
    rows, columns = (slice(at, at + part) for at, part in zip(starts, side, strict=True))
    return slice(None), slice(None), rows, columns


def _side(x: torch.Tensor, part: float, least: int = 1) -> tuple[int, int]:
    """Rows and columns of a square that covers a part of the picture, or of a piece of a row."""
    rows, columns = x.shape[2:]
    if rows == 1:
        return 1, max(min(least, columns), min(columns, round(part * columns)))
    side = max(least, round(math.sqrt(part * rows * columns)))
    return min(rows, side), min(columns, side)


def _signs(shape: tuple[int, ...], x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return (2 * torch.randint(0, 2, shape, generator=generator) - 1).to(x.dtype)


def _stripes(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Signs in vertical stripes, as the attack begins."""
    return _signs((len(x), x.shape[1], 1, x.shape[3]), x, generator).expand_as(x)


def _painted(
    best: torch.Tensor, x: torch.Tensor, epsilon: float, part: float, generator: torch.Generator
) -> torch.Tensor:
    """`best` with one square, the same place in each sample, at x plus or minus epsilon."""
    found = best.clone()
    place = _window(x, _side(x, part), generator)
    signs = _signs((len(x), x.shape[1], 1, 1), x, generator)
    found[place] = x[place] + epsilon * signs
    return found.clamp_(0, 1)


def _blobs(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A grid of hills with random signs, of length one in all, as the attack begins."""
    change = torch.zeros_like(x)
    rows, columns = (max(1, size // 5) for size in x.shape[2:])
    hill = _hill(rows, columns, generator)
    for top in range(0, x.shape[2] - rows + 1, rows):
        for left in range(0, x.shape[3] - columns + 1, columns):
            signs = _signs((len(x), x.shape[1], 1, 1), x, generator)
            change[:, :, top : top + rows, left : left + columns] += hill * signs
    return change / across(length(change, "L2"), x)


def _moved(
    best: torch.Tensor, x: torch.Tensor, epsilon: float, part: float, generator: torch.Generator
) -> torch.Tensor:
    """Length taken from a second window and given, as a hill, to a first one.

    The new hill has what both windows had, and what is still free of the budget.
    """
    change = best - x
    side = _side(x, part, least=3)
    to, source = _window(x, side, generator), _window(x, side, generator)
    both = torch.zeros_like(x[:1])
    both[to], both[source] = 1, 1
    had = (change * both).square().sum((2, 3), keepdim=True)  # (batch, channels, 1, 1)
    free = (epsilon**2 - length(change, "L2") ** 2).clamp_min(0)
    hill = _hill(*side, generator) * _signs((len(x), x.shape[1], 1, 1), x, generator)
    old = change[to] / change[to].square().sum((2, 3), keepdim=True).sqrt().clamp_min(1e-12)
    new = hill + old
    new = new / new.square().sum((2, 3), keepdim=True).sqrt().clamp_min(1e-12)
    change[source] = 0
    change[to] = new * (had + across(free, x) / x.shape[1]).sqrt()
    scale = epsilon / length(change, "L2").clamp_min(1e-12)
    return (x + change * across(scale, x)).clamp_(0, 1)


def _hill(rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    """Half a hill up and half one down, side by side, of length one: `(rows, columns)`."""
    across_rows = rows > 1 and bool(torch.rand((), generator=generator) > 0.5)
    along = rows if across_rows else columns
    half = along // 2
    up = _steps(half, columns) if across_rows else _steps(rows, half)
    down = _steps(along - half, columns) if across_rows else _steps(rows, along - half)
    hill = torch.cat([up, -down], 0 if across_rows else 1)
    return hill / hill.square().sum().sqrt().clamp_min(1e-12)


def _steps(rows: int, columns: int) -> torch.Tensor:
    """A hill in steps, `Σ_k 1/(k + 1)²` over the frames around a place, of length one."""
    hill = torch.zeros(rows, columns)
    most = max(rows // 2, columns // 2) + 1
    top, left = rows // 2, columns // 2
    for k in range(most):
        at = slice(max(top - k, 0), top + k + 1), slice(max(left - k, 0), left + k + 1)
        hill[at] += 1 / (k + 1) ** 2
    return hill / hill.square().sum().sqrt().clamp_min(1e-12)
