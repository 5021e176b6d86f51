"""FMN: a gradient step, and a ball that shrinks after a hit and grows after a miss."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import DUAL, across, length, unit
from engine.attack.balls import inside as project
from engine.attack.table import Epsilon, Steps, attack, margin, slope_of
from engine.attack.watch import seen
from engine.forms import Slider

PACE = (1.0, 0.01)  # α: length of a step, at the beginning and at the end
TIGHTEN = (0.05, 0.001)  # γ: by which part the ball shrinks and grows


@attack("fmn", norm="Linf", gradients=True, minimal=True)
def fmn(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.3,
    steps: Steps = 100,
    targeted: bool = False,
) -> torch.Tensor:
    """Gradient steps in a ball that shrinks after every hit and grows after every miss.

    Source: Pintor et al. (2021), Fast minimum-norm adversarial attacks through adaptive norm
    constraints.
    """
    del epsilon  # the ball is applied at the door
    return _fmn(module, x, y, "Linf", steps, targeted=targeted)


@attack("fmn_l2", norm="L2", gradients=True, minimal=True)
def fmn_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 2.0,
    steps: Steps = 100,
    targeted: bool = False,
) -> torch.Tensor:
    """FMN with Euclidean length as its measure.

    Source: Pintor et al. (2021), Fast minimum-norm adversarial attacks through adaptive norm
    constraints.
    """
    del epsilon
    return _fmn(module, x, y, "L2", steps, targeted=targeted)


@attack("fmn_l1", norm="L1", gradients=True, minimal=True)
def fmn_l1(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[float, Slider(0.0, 100.0, help="A larger change is allowed")] = 20.0,
    steps: Steps = 100,
    targeted: bool = False,
) -> torch.Tensor:
    """FMN with the sum of all changes as its measure.

    Source: Pintor et al. (2021), Fast minimum-norm adversarial attacks through adaptive norm
    constraints.
    """
    del epsilon
    return _fmn(module, x, y, "L1", steps, targeted=targeted)


@attack("fmn_l0", norm="L0", gradients=True, minimal=True)
def fmn_l0(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[int, Slider(0, 100, help="More pixels may change")] = 10,
    steps: Steps = 100,
    targeted: bool = False,
) -> torch.Tensor:
    """FMN with the number of changed pixels as its measure.

    Source: Pintor et al. (2021), Fast minimum-norm adversarial attacks through adaptive norm
    constraints.
    """
    del epsilon
    return _fmn(module, x, y, "L0", steps, targeted=targeted)


def _fmn(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, norm: str, steps: int, *, targeted: bool
) -> torch.Tensor:
    """The smallest hit on the way, like `x`; the input itself where there is none.

    With δ the change, L the margin, g its gradient and q the dual norm: while nothing has hit,
    `ε = ‖δ‖ + L / ‖g‖_q`, the distance of the linearised border; then `ε ← (1 ± γ) ε`, never
    more than the best so far. `δ ← P_ε(δ − α g / ‖g‖₂)`, clipped to pictures.
    """

    def short(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        return margin(scores, classes, targeted=targeted)

    change, best = torch.zeros_like(x), x.clone()
    smallest = torch.full((len(x),), torch.inf, dtype=x.dtype)
    radius = torch.full_like(smallest, torch.inf)
    for step in range(steps + 1):
        value, gradient = slope_of(module, x + change, y, short)
        gradient = gradient * _room(x + change, gradient)
        size = length(change, norm)
        hit = value < 0
        better = hit & (size < smallest)
        best[better], smallest[better] = (x + change)[better], size[better]
        if step == steps:
            break
        pace, tighten = (_cosine(*ends, step / steps) for ends in (PACE, TIGHTEN))
        found_one = smallest.isfinite()
        radius = _resized(radius, smallest, hit, tighten, norm)
        radius = torch.where(found_one, radius, _linear(size, value, gradient, norm))
        change = change - pace * unit(gradient)
        change = _into(change, x, radius, norm)
        seen(x + change)
    return best


def _room(x: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Which numbers can follow the step down the gradient: a black pixel grows no darker.

    Without this a step in the L2 ball may be lost to pixels that cannot take it, for ever.
    """
    return torch.where(gradient > 0, x > 0, x < 1)


def _resized(
    radius: torch.Tensor, smallest: torch.Tensor, hit: torch.Tensor, tighten: float, norm: str
) -> torch.Tensor:
    """The ball after a hit (smaller than before and than the best) or after a miss (larger)."""
    if norm == "L0":  # by one pixel at least
        less = torch.minimum(radius - 1, ((1 - tighten) * radius).floor())
        more = torch.maximum(radius + 1, ((1 + tighten) * radius).floor())
        less = torch.minimum(less, smallest - 1)
    else:
        less, more = torch.minimum((1 - tighten) * radius, smallest), (1 + tighten) * radius
        less = torch.where(radius.isfinite(), less, (1 - tighten) * smallest)
    return torch.minimum(torch.where(hit, less, more), smallest).clamp_min(0)


def _linear(
    size: torch.Tensor, value: torch.Tensor, gradient: torch.Tensor, norm: str
) -> torch.Tensor:
    """How far the linearised border is from the input."""
    flat = gradient.flatten(1)
    if norm == "L0":
        return size + 1  # the paper begins with one pixel
    steep: torch.Tensor = flat.norm(p=DUAL[norm], dim=1).clamp_min(1e-12)
    return size + value / steep


def _into(change: torch.Tensor, x: torch.Tensor, radius: torch.Tensor, norm: str) -> torch.Tensor:
    """The change, in each sample's own ball and clipped to pictures."""
    if norm == "Linf":
        limit = across(radius, x)
        return (x + change.clamp(-limit, limit)).clamp(0, 1) - x
    if norm == "L2":
        scale = (radius / length(change, norm).clamp_min(1e-12)).clamp_max(1)
        return (x + change * across(scale, x)).clamp(0, 1) - x
    rows = [
        project(x[i : i + 1] + change[i : i + 1], x[i : i + 1], float(radius[i]), norm)
        for i in range(len(x))
    ]
    return torch.cat(rows) - x


def _cosine(first: float, last: float, part: float) -> float:
    """From first to last along half a cosine."""
    return last + (first - last) * (1 + math.cos(math.pi * part)) / 2
