"""Attacks that only ask for scores or decisions: no gradient is needed."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import nn

from engine.attack.table import Epsilon, Seed, across, attack, fooled, inside, length, loss
from engine.forms import Slider

Queries = Annotated[int, Slider(10, 5000, log=True, help="Asks the network more often")]


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
    generator = torch.Generator().manual_seed(seed)
    best = inside(x + epsilon * _stripes(x, generator), x, epsilon, "Linf")
    with torch.no_grad():
        most = loss(module, best, y, targeted=targeted)
        for query in range(queries):
            side = _side(x, 0.1 * 0.5 ** int(8 * query / queries))
            found = _with_square(best, x, epsilon, side, generator)
            value = loss(module, found, y, targeted=targeted)
            gain = value > most
            best, most = torch.where(across(gain, x), found, best), torch.maximum(most, value)
    return best


def _stripes(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Signs in vertical stripes, as the attack begins; for tables a sign a column."""
    shape = (len(x), x.shape[1], 1, x.shape[3]) if x.ndim == 4 else x.shape
    return (2 * torch.randint(0, 2, shape, generator=generator) - 1).to(x.dtype).expand_as(x)


def _side(x: torch.Tensor, part: float) -> int:
    """The side of a square that covers a part of the picture; columns of a table."""
    if x.ndim != 4:
        return max(1, round(part * x[0].numel()))
    rows, columns = x.shape[2:]
    return max(1, min(rows, columns, round(math.sqrt(part * rows * columns))))


def _with_square(
    best: torch.Tensor, x: torch.Tensor, epsilon: float, side: int, generator: torch.Generator
) -> torch.Tensor:
    """`best` with one square, the same place in each sample, at x plus or minus epsilon."""
    found = best.clone()
    if x.ndim != 4:
        left = int(torch.randint(0, x.shape[1] - side + 1, (), generator=generator))
        place: tuple[slice, ...] = (slice(None), slice(left, left + side))
        shape: tuple[int, ...] = (len(x), 1)
    else:
        top = int(torch.randint(0, x.shape[2] - side + 1, (), generator=generator))
        left = int(torch.randint(0, x.shape[3] - side + 1, (), generator=generator))
        place = (slice(None), slice(None), slice(top, top + side), slice(left, left + side))
        shape = (len(x), x.shape[1], 1, 1)
    signs = (2 * torch.randint(0, 2, shape, generator=generator) - 1).to(x.dtype)
    found[place] = x[place] + epsilon * signs
    return found.clamp(0, 1)


@attack("spsa", norm="Linf", gradients=False, minimal=False)
def spsa(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    queries: Queries = 400,
    draws: Annotated[int, Slider(2, 128, log=True, help="A steadier estimate")] = 16,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """PGD along a gradient guessed from pairs of random steps.

    Source: Uesato et al. (2018), Adversarial risk and the dangers of evaluating against weak
    attacks.
    """
    generator = torch.Generator().manual_seed(seed)
    found, width = x, 0.01
    for _ in range(max(1, queries // (2 * draws))):
        guess = torch.zeros_like(x)
        for _ in range(draws):
            way = (2 * torch.randint(0, 2, x.shape, generator=generator) - 1).to(x.dtype)
            with torch.no_grad():
                rise = loss(module, found + width * way, y, targeted=targeted)
                rise = rise - loss(module, found - width * way, y, targeted=targeted)
            guess += across(rise, x) * way
        found = inside(found + 0.2 * epsilon * guess.sign(), x, epsilon, "Linf")
    return found


@attack("boundary", norm="L2", gradients=False, minimal=True)
def boundary(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 3.0,
    queries: Queries = 1000,
    seed: Seed = 0,
) -> torch.Tensor:
    """From noise that fools the network along the border towards the input; sees only answers.

    Source: Brendel, Rauber & Bethge (2018), Decision-based adversarial attacks.
    """
    del epsilon
    generator = torch.Generator().manual_seed(seed)
    best = first_fooling(module, x, y, generator)
    around, closer = torch.full((len(x),), 0.1), torch.full((len(x),), 0.1)
    for _ in range(queries // 2):
        way = x - best
        far = length(way, "L2").clamp_min(1e-12)
        side = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        side = side - way * across((side * way).flatten(1).sum(1) / far**2, x)  # at right angles
        side = best + side * across(around * far / length(side, "L2"), x)
        side = x + (side - x) * across(far / length(side - x, "L2"), x)  # as far away as before
        side = side.clamp(0, 1)
        held = fooled(module, side, y)
        around = (around * torch.where(held, 1.1, 0.9)).clamp(1e-4, 1.0)
        found = side + across(closer, x) * (x - side)
        hit = held & fooled(module, found, y)
        closer = (closer * torch.where(hit, 1.1, torch.where(held, 0.9, 1.0))).clamp(1e-5, 0.5)
        best = torch.where(across(hit, x), found, torch.where(across(held, x), side, best))
    return best


def first_fooling(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Noise that the network takes for something else, drawn back to the border by halving."""
    found = x.clone()
    for _ in range(50):
        open_ = ~fooled(module, found, y)
        if not bool(open_.any()):
            break
        found[open_] = torch.rand(x[open_].shape, generator=generator, dtype=x.dtype)
    return to_border(module, x, found, y)


def to_border(
    module: nn.Module, x: torch.Tensor, found: torch.Tensor, y: torch.Tensor
) -> torch.Tensor:
    """The place nearest to `x` on the straight line to `found` that still fools, by halving."""
    near, far = torch.zeros(len(x)), torch.ones(len(x))
    for _ in range(12):
        middle = (near + far) / 2
        hit = fooled(module, x + across(middle, x) * (found - x), y)
        far, near = torch.where(hit, middle, far), torch.where(hit, near, middle)
    return x + across(far, x) * (found - x)


@attack("one_pixel", norm="L0", gradients=False, minimal=False)
def one_pixel(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[int, Slider(0, 20, help="More pixels may change")] = 1,
    people: Annotated[int, Slider(8, 200, log=True, help="More candidates")] = 60,
    rounds: Annotated[int, Slider(1, 100, log=True, help="Searches longer")] = 20,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """A few pixels set to any grey, found by differential evolution.

    Source: Su, Vargas & Sakurai (2019), One pixel attack for fooling deep neural networks.
    """
    count = int(epsilon)
    if count == 0 or x.ndim != 4:
        return x
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        rows = [
            _evolve(module, x[i : i + 1], y[i : i + 1], count, people, rounds, generator, targeted)
            for i in range(len(x))
        ]
    return torch.cat(rows)


def _evolve(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    count: int,
    people: int,
    rounds: int,
    generator: torch.Generator,
    targeted: bool,
) -> torch.Tensor:
    """The best of a population of pixel changes, each `(count, 2 + channels)` in [0, 1]."""
    size = (people, count, 2 + x.shape[1])
    genes = torch.rand(size, generator=generator)
    worth = loss(module, _painted(x, genes), y.expand(people), targeted=targeted)
    for _ in range(rounds):
        a, b, c = (genes[torch.randperm(people, generator=generator)] for _ in range(3))
        child = (a + 0.5 * (b - c)).clamp(0, 1)
        value = loss(module, _painted(x, child), y.expand(people), targeted=targeted)
        gain = value > worth
        genes = torch.where(gain[:, None, None], child, genes)
        worth = torch.maximum(worth, value)
    return _painted(x, genes[worth.argmax()][None])


def _painted(x: torch.Tensor, genes: torch.Tensor) -> torch.Tensor:
    """One sample with each set of pixels painted on it, `(people, channels, rows, columns)`."""
    out = x.repeat(len(genes), 1, 1, 1)
    row = (genes[..., 0] * (x.shape[2] - 1)).round().long()
    column = (genes[..., 1] * (x.shape[3] - 1)).round().long()
    people = torch.arange(len(genes))[:, None]
    out[people, :, row, column] = genes[..., 2:]
    return out
