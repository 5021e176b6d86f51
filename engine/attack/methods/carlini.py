"""Carlini and Wagner's attack on the largest change."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.adam import Adam
from engine.attack.balls import across, length
from engine.attack.table import Epsilon, Steps, asked, attack, margin
from engine.attack.watch import seen
from engine.forms import Slider

SHRINK = 0.9  # of τ after a success
CLEAR = 1e-3  # how far past the border the margin still costs
MOST_WEIGHT = 1e6


@attack("cw_linf", norm="Linf", gradients=True, minimal=True)
def cw_linf(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.3,
    steps: Steps = 20,
    rounds: Annotated[int, Slider(1, 60, log=True, help="Smaller changes, longer search")] = 25,
    rate: Annotated[float, Slider(0.001, 0.5, log=True, help="Longer steps")] = 0.01,
    targeted: bool = False,
) -> torch.Tensor:
    """Only changes beyond a threshold cost; after each success the threshold shrinks.

    Minimises `c · max(margin, 0) + Σ max(|δ_i| − τ, 0)`. A round that succeeds makes
    `τ ← 0.9 min(τ, max |δ_i|)`; one that fails doubles the weight c and begins at the last success.
    Pixels are clipped to [0, 1] here, not bent by a tangent: black and white ones must move too,
    and there the tangent is flat.

    Source: Carlini & Wagner (2017), Towards evaluating the robustness of neural networks,
    section VI.C.
    """
    del epsilon  # the ball is applied at the door
    limit = torch.ones(len(x), dtype=x.dtype)  # τ
    weight = torch.ones(len(x), dtype=x.dtype)  # c
    place = x.clone()  # where each sample begins
    best, smallest = x.clone(), torch.full((len(x),), torch.inf, dtype=x.dtype)
    for _ in range(rounds):
        adam = Adam(place.clone(), rate)
        done = torch.zeros(len(x), dtype=torch.bool)
        for _ in range(steps):
            found, scores = asked(module, adam.w)
            with torch.enable_grad():
                short = margin(scores, y, targeted=targeted)
                over = ((found - x).abs() - across(limit, x)).clamp_min(0).flatten(1).sum(1)
                total = (weight * (short + CLEAR).clamp_min(0) + over).sum()
            size, hit = length(found.detach() - x, "Linf"), short.detach() < 0
            better = hit & (size < smallest)
            best[better], smallest[better] = found.detach()[better], size[better]
            place[better] = found.detach()[better]
            done |= hit & (over.detach() <= 0)
            (gradient,) = torch.autograd.grad(total, found)
            adam.step(gradient)
            adam.w.clamp_(0, 1)
            seen(found)
        place = torch.where(across(smallest.isfinite(), x), place, adam.w)
        limit = torch.where(done, SHRINK * torch.minimum(limit, smallest), limit)
        weight = torch.where(done, weight, 2 * weight).clamp_max(MOST_WEIGHT)
    return best
