"""APGD: ascent in a ball that chooses its own step size, and goes back to the best place.

    z(k+1) = P(x(k) + η ∇f(x(k)))
    x(k+1) = P(x(k) + α (z(k+1) − x(k)) + (1 − α) (x(k) − x(k−1))),  α = 0.75

The step η begins at twice the ball's radius. At checkpoints it is halved for each sample that
gained in fewer than three quarters of the steps since the last one, or whose best value and step
have not changed; such a sample goes on from its best place.

Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
diverse parameter-free attacks, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from engine.attack.balls import across, inside, length, unit
from engine.attack.table import Objective, asked, margin
from engine.attack.watch import seen

RISING = 0.75  # ρ: part of steps that must gain, else the step is halved
KEPT = 0.75  # α: part of the new direction; the rest is the last move, repeated

Fooling = Callable[[torch.Tensor], torch.Tensor]
"""From scores `(batch, classes)` to whether the attacker's wish is fulfilled, `(batch,)`."""


def entropy(targeted: bool) -> Objective:
    """The cross-entropy of the class to be led away from, or minus that of the one to go to."""

    def value(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = functional.cross_entropy(scores, y, reduction="none")
        return -loss if targeted else loss

    return value


def ratio(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """DLR, `−(z_y − max_{i≠y} z_i) / (z_π1 − z_π3)`; with two classes the numerator alone."""
    lead = -margin(scores, y)
    if scores.shape[1] < 3:
        return lead
    top = scores.topk(3, dim=1).values
    return lead / (top[:, 0] - top[:, 2] + 1e-12)


def aimed_ratio(aim: torch.Tensor) -> Objective:
    """Targeted DLR towards t, `−(z_y − z_t) / (z_π1 − (z_π3 + z_π4) / 2)`.

    Below four classes the numerator alone.
    """

    def value(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        own, wanted = (scores.gather(1, c[:, None])[:, 0] for c in (y, aim))
        if scores.shape[1] < 4:
            return wanted - own
        top = scores.topk(4, dim=1).values
        return (wanted - own) / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + 1e-12)

    return value


def ascend(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: float,
    norm: str,
    steps: int,
    objective: Objective,
    fooling: Fooling,
    generator: torch.Generator,
) -> torch.Tensor:
    """Where the objective was largest among the places that fool, else among all; like `x`.

    Args:
        module: The network, calm.
        x: Samples, `(batch, ...)`, in [0, 1].
        y: Their classes, `(batch,)`.
        epsilon: Radius of the ball.
        norm: "Linf" or "L2".
        steps: Gradients a sample.
        objective: What is made large.
        fooling: Whether scores fulfil the wish.
        generator: Where the first place is drawn from.
    """
    walk = _Walk(module, y, objective, fooling)
    found = last = inside(x + _first(x, epsilon, norm, generator), x, epsilon, norm)
    walk.look(found)
    size = torch.full((len(x),), 2 * epsilon, dtype=x.dtype)  # η
    before_most, before_size = walk.most.clone(), size.clone()
    checks = checkpoints(steps)
    for step in range(1, steps + 1):
        move = walk.gradient.sign() if norm == "Linf" else unit(walk.gradient)
        ahead = inside(found + across(size, x) * move, x, epsilon, norm)
        if step > 1:
            mixed = found + KEPT * (ahead - found) + (1 - KEPT) * (found - last)
            ahead = inside(mixed, x, epsilon, norm)
        last, found = found, ahead
        walk.look(found)
        seen(found)
        if step in checks:
            slow = walk.gains < RISING * checks[step]
            stuck = (before_size == size) & (before_most == walk.most)
            halve = slow | stuck
            before_size, before_most = size, walk.most.clone()
            size = torch.where(halve, size / 2, size)
            back = across(halve, x)
            found, last = torch.where(back, walk.best, found), torch.where(back, walk.best, last)
            walk.go_back(halve)
    return walk.result


class _Walk:
    """What has been seen on the way of a batch.

    Attributes:
        value: The objective where the walk stands, `(batch,)`.
        gradient: Its gradient there, like the samples.
        best: Where it was largest.
        most: How large, `(batch,)`.
        gains: Steps that gained since the last checkpoint, `(batch,)`.
        result: Where it was largest among places that fool, or among all while none does.
    """

    def __init__(
        self, module: nn.Module, y: torch.Tensor, objective: Objective, fooling: Fooling
    ) -> None:
        self._module, self._y = module, y
        self._objective, self._fooling = objective, fooling
        self.gains = torch.zeros(len(y))
        self.value = torch.full((len(y),), -torch.inf)
        self.most = self.value.clone()
        self._hit = torch.zeros(len(y), dtype=torch.bool)
        self._worth = self.value.clone()

    def look(self, found: torch.Tensor) -> None:
        """Ask for scores and gradient at a place and remember what is best."""
        before = self.value
        at, scores = asked(self._module, found)
        with torch.enable_grad():
            value = self._objective(scores, self._y)
            total = value.sum()
        (self.gradient,) = torch.autograd.grad(total, at)
        self.value, scores = value.detach(), scores.detach()
        if not hasattr(self, "best"):
            self.best, self.uphill, self.result = found, self.gradient, found
        self.gains += self.value > before
        better = self.value > self.most
        self.best = torch.where(across(better, found), found, self.best)
        self.uphill = torch.where(across(better, found), self.gradient, self.uphill)
        self.most = torch.maximum(self.most, self.value)
        hit = self._fooling(scores)
        prefer = (hit & ~self._hit) | ((hit == self._hit) & (self.value > self._worth))
        self.result = torch.where(across(prefer, found), found, self.result)
        self._worth = torch.where(prefer, self.value, self._worth)
        self._hit |= hit

    def go_back(self, some: torch.Tensor) -> None:
        """Stand at the best place again, with its value and gradient, and count gains anew."""
        self.gradient = torch.where(across(some, self.best), self.uphill, self.gradient)
        self.value = torch.where(some, self.most, self.value)
        self.gains = torch.zeros_like(self.gains)


def checkpoints(steps: int) -> dict[int, int]:
    """Step at which the step size is looked at -> how many steps lie since the last look.

    Parts of all steps: `p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j − p_{j−1} − 0.03, 0.06)`.
    """
    places, part, gap = {}, 0.22, 0.22
    before = 0
    while part < 1:
        at = max(before + 1, round(part * steps))
        places[at] = at - before
        before, gap = at, max(gap - 0.03, 0.06)
        part += gap
    return places


def _first(x: torch.Tensor, epsilon: float, norm: str, generator: torch.Generator) -> torch.Tensor:
    """A random change on the ball's rim."""
    if norm == "Linf":
        change = 2 * torch.rand(x.shape, generator=generator, dtype=x.dtype) - 1
    else:
        change = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return change * across(epsilon / length(change, norm).clamp_min(1e-12), x)
