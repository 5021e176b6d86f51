"""Ascent that chooses its own step size: the strong standard attacks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from engine.attack.balls import across, inside
from engine.attack.table import Epsilon, Seed, Steps, attack

Objective = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""What is made large, from scores `(batch, classes)` and classes `(batch,)` to `(batch,)`."""

RISING = 0.75  # part of steps that must gain, else the step is halved
KEPT = 0.25  # part of the last move that is repeated


@attack("apgd_ce", norm="Linf", gradients=True, minimal=False)
def apgd_ce(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 50,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """Ascent on the cross-entropy that halves its step whenever it stalls, back at the best place.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks.
    """

    def entropy(scores: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        value = functional.cross_entropy(scores, wanted, reduction="none")
        return -value if targeted else value

    return _apgd(module, x, y, epsilon, steps, entropy, seed)


@attack("apgd_dlr", norm="Linf", gradients=True, minimal=False)
def apgd_dlr(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 50,
    seed: Seed = 0,
) -> torch.Tensor:
    """The same on a ratio of scores, which a network cannot flatten by growing its scores.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, equation 6.
    """
    return _apgd(module, x, y, epsilon, steps, _ratio, seed)


def _ratio(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """`−(z_y − max_{i≠y} z_i) / (z_1st − z_3rd)`; with two classes the numerator alone."""
    own = scores.gather(1, y[:, None])[:, 0]
    other = scores.scatter(1, y[:, None], -torch.inf).amax(1)
    if scores.shape[1] < 3:
        return other - own
    top = scores.topk(3, dim=1).values
    return (other - own) / (top[:, 0] - top[:, 2] + 1e-12)


def _apgd(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    steps: int,
    objective: Objective,
    seed: int,
) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    noise = 2 * torch.rand(x.shape, generator=generator, dtype=x.dtype) - 1
    found = (x + epsilon * noise).clamp(0, 1)
    value, gradient = _slope(module, found, y, objective)
    best, most, uphill = found, value, gradient
    size = torch.full((len(x),), 2 * epsilon, dtype=x.dtype)
    last, gains = found, torch.zeros(len(x))
    checked_most, checked_size = most.clone(), size.clone()
    checks = _checkpoints(steps)
    for step in range(1, steps + 1):
        ahead = inside(found + across(size, x) * gradient.sign(), x, epsilon, "Linf")
        if step == 1:
            last, found = found, ahead
        else:
            mixed = found + (1 - KEPT) * (ahead - found) + KEPT * (found - last)
            last, found = found, inside(mixed, x, epsilon, "Linf")
        before = value
        value, gradient = _slope(module, found, y, objective)
        gains += value > before
        better = value > most
        best = torch.where(across(better, x), found, best)
        uphill = torch.where(across(better, x), gradient, uphill)
        most = torch.maximum(most, value)
        if step in checks:
            slow = gains < RISING * checks[step]
            stuck = (checked_size == size) & (checked_most == most)
            halve = slow | stuck
            checked_size, checked_most = size.clone(), most.clone()
            size = torch.where(halve, size / 2, size)
            back = across(halve, x)
            found, last = torch.where(back, best, found), torch.where(back, best, last)
            gradient = torch.where(back, uphill, gradient)
            value = torch.where(halve, most, value)
            gains.zero_()
    return best


def _checkpoints(steps: int) -> dict[int, int]:
    """Step at which the step size is looked at -> how many steps lie since the last look."""
    places, part, gap = {}, 0.22, 0.22
    before = 0
    while part < 1:
        at = max(before + 1, round(part * steps))
        places[at] = at - before
        before, gap = at, max(gap - 0.03, 0.06)
        part += gap
    return places


def _slope(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, objective: Objective
) -> tuple[torch.Tensor, torch.Tensor]:
    """The objective, `(batch,)`, and its gradient, like `x`."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        value = objective(module(x), y)
        total = value.sum()
    (gradient,) = torch.autograd.grad(total, x)
    return value.detach(), gradient
