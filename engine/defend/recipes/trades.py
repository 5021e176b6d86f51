"""TRADES: the clean loss, and a price on how far an attack moves the answer."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.attack.table import inside
from engine.defend.table import Lesson, Objective, Radius, Rounds, recipes
from engine.explain.table import calm
from engine.forms import Slider
from engine.models.unit import box_of, boxed


@recipes.add("trades", attacks=True)
def trades(
    lesson: Lesson,
    *,
    epsilon: Radius = 0.1,
    beta: Annotated[float, Slider(0.0, 12.0, help="More robust, less accurate")] = 6.0,
    rounds: Rounds = 7,
    step: Annotated[float, Slider(0.05, 1.0, help="Longer steps, as part of ε")] = 0.25,
) -> Objective:
    """Trade accuracy for robustness: `CE(f(x), y) + β max KL(f(x) ‖ f(x + δ))`.

    With β = 0 it is plain training.

    Source: Zhang et al. (2019), Theoretically principled trade-off between robustness and
    accuracy.
    """
    box = box_of(lesson.data)

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scores: torch.Tensor = module(x)
        clean_loss = functional.cross_entropy(scores, y)
        if beta == 0:
            return scores, clean_loss
        inner, clean = boxed(module, box), box.inward(x)
        with calm(inner), torch.no_grad():
            said = inner(clean).log_softmax(1)
        found = (clean + 0.001 * torch.randn_like(clean)).clamp(0, 1)
        with calm(inner):
            for _ in range(rounds):
                slope = _slope(inner, found, said)
                found = inside(found + step * epsilon * slope.sign(), clean, epsilon, "Linf")
        return scores, clean_loss + beta * _apart(scores.log_softmax(1), inner(found.detach()))

    return Objective(learn)


def _apart(said: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Mean `KL(said ‖ softmax(scores))` [nat]; `said` are log chances, `(batch, classes)`."""
    there = scores.log_softmax(1)
    return functional.kl_div(there, said, reduction="batchmean", log_target=True)


def _slope(module: nn.Module, x: torch.Tensor, said: torch.Tensor) -> torch.Tensor:
    """Where the answer moves away fastest, like `x`."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_apart(said, module(x)), x)
    return gradient
