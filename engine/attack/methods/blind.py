"""Attacks that only ask for scores or decisions: no gradient is needed."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import nn

from engine.attack.balls import across, inside, length
from engine.attack.table import Epsilon, Seed, attack, fooled, loss
from engine.attack.watch import seen
from engine.forms import Slider

Queries = Annotated[int, Slider(10, 5000, log=True, help="Asks the network more often")]


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
        seen(found)
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
        seen(best)
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
    if x.ndim != 4:  # a table is a picture with one row
        flat = x.flatten(1)[:, None, None]
        aim: dict[str, Any] = {"targeted": targeted, "seed": seed}
        wide = _Reshaped(module, x.shape[1:])
        found = one_pixel(wide, flat, y, epsilon=count, people=people, rounds=rounds, **aim)
        return found.reshape(x.shape)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        rows = [
            _evolve(module, x[i : i + 1], y[i : i + 1], count, people, rounds, generator, targeted)
            for i in range(len(x))
        ]
    return torch.cat(rows)


class _Reshaped(nn.Module):
    """A network that takes its samples in another shape."""

    def __init__(self, inner: nn.Module, shape: torch.Size) -> None:
        super().__init__()
        self.inner, self.shape = inner, shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of samples of any shape with as many numbers."""
        scores: torch.Tensor = self.inner(x.reshape(len(x), *self.shape))
        return scores


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
