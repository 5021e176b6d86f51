"""Carlini and Wagner's attack on the largest change."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.adam import Adam
from engine.attack.balls import across, length
from engine.attack.table import Epsilon, Steps, attack, margin
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
    rate: Annotated[float, Slider(0.001, 0.5, log=True, help="Longer steps")] = 0.05,
    targeted: bool = False,
) -> torch.Tensor:
    """Only changes beyond a threshold cost; after each success the threshold shrinks.

    Minimises `c · max(margin, 0) + Σ max(|δ_i| − τ, 0)`. A round that succeeds makes
    `τ ← 0.9 min(τ, max |δ_i|)`; one that fails doubles the weight c and begins at the last success.

    Source: Carlini & Wagner (2017), Towards evaluating the robustness of neural networks,
    section VI.C.
    """
    del epsilon  # the ball is applied at the door
    limit = torch.ones(len(x), dtype=x.dtype)  # τ
    weight = torch.ones(len(x), dtype=x.dtype)  # c
    place = torch.atanh((2 * x - 1).clamp(-1 + 1e-6, 1 - 1e-6))  # where each sample's w begins
    best, smallest = x.clone(), torch.full((len(x),), torch.inf, dtype=x.dtype)
    for _ in range(rounds):
        adam = Adam(place.clone(), rate)
        done = torch.zeros(len(x), dtype=torch.bool)
        for _ in range(steps):
            w = adam.w.detach().requires_grad_()
            with torch.enable_grad():
                found = (torch.tanh(w) + 1) / 2
                short = margin(module(found), y, targeted=targeted)
                over = ((found - x).abs() - across(limit, x)).clamp_min(0).flatten(1).sum(1)
                total = (weight * (short + CLEAR).clamp_min(0) + over).sum()
            size, hit = length(found.detach() - x, "Linf"), short.detach() < 0
            better = hit & (size < smallest)
            best[better], smallest[better] = found.detach()[better], size[better]
            place[better] = adam.w[better]
            done |= hit & (over.detach() <= 0)
            (gradient,) = torch.autograd.grad(total, w)
            adam.step(gradient)
            seen(found)
        place = torch.where(across(smallest.isfinite(), x), place, adam.w)
        limit = torch.where(done, SHRINK * torch.minimum(limit, smallest), limit)
        weight = torch.where(done, weight, 2 * weight).clamp_max(MOST_WEIGHT)
    return best
