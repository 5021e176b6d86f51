"""Attacks that look for the smallest change that is enough."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.adam import Adam
from engine.attack.balls import across, length, unit
from engine.attack.slopes import slopes
from engine.attack.table import Epsilon, Steps, attack, fooled, margin, uphill
from engine.attack.watch import seen
from engine.forms import Slider

OVER = 1e-4  # how far past the border a DeepFool step goes, as a part of the step


@attack("deepfool", norm="L2", gradients=True, minimal=True)
def deepfool(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 2.0,
    steps: Steps = 50,
) -> torch.Tensor:
    """To the nearest border of a linear picture of the network, again and again.

    On an affine network one step is the smallest change there is.

    Source: Moosavi-Dezfooli, Fawzi & Frossard (2016), DeepFool: a simple and accurate method to
    fool deep neural networks.
    """
    del epsilon  # the ball is applied at the door
    return nearest_border(module, x, y, steps)


@attack("deepfool_linf", norm="Linf", gradients=True, minimal=True)
def deepfool_linf(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.3,
    steps: Steps = 50,
) -> torch.Tensor:
    """DeepFool with the largest change of a pixel as its measure.

    Source: Moosavi-Dezfooli, Fawzi & Frossard (2016), DeepFool, section 3.3.
    """
    del epsilon
    return nearest_border(module, x, y, steps, "Linf")


def nearest_border(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int, norm: str = "L2"
) -> torch.Tensor:
    """A little past the border that linearised steps lead to, like `x`; may leave [0, 1]."""
    change = torch.zeros_like(x)
    for _ in range(steps):
        there = (x + (1 + OVER) * change).clamp(0, 1)
        open_ = ~fooled(module, there, y)
        if not bool(open_.any()):
            break
        change[open_] += _to_border(module, there[open_], y[open_], norm)
        seen(x + (1 + OVER) * change)
    return x + (1 + OVER) * change


def _to_border(module: nn.Module, x: torch.Tensor, y: torch.Tensor, norm: str) -> torch.Tensor:
    """The smallest step to the nearest linearised border with another class, like `x`."""
    scores, slope = slopes(module, x)
    rows = torch.arange(len(x))
    gap = (scores - scores[rows, y][:, None]).abs()  # (batch, classes)
    normal = slope - slope[rows, y][:, None]  # (batch, classes, features)
    dual = normal.norm(dim=2) if norm == "L2" else normal.abs().sum(2)
    away = gap / dual.clamp_min(1e-12)
    away[rows, y] = torch.inf
    nearest = away.argmin(1)
    n, g, d = normal[rows, nearest], gap[rows, nearest], dual[rows, nearest].clamp_min(1e-12)
    g = g + 1e-6  # a sample on the border itself must still move
    step = (g / d**2)[:, None] * n if norm == "L2" else (g / d)[:, None] * n.sign()
    return step.reshape(x.shape)


@attack("cw_l2", norm="L2", gradients=True, minimal=True)
def cw_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 2.0,
    steps: Steps = 100,
    searches: Annotated[int, Slider(1, 9, help="Smaller changes, longer search")] = 5,
    rate: Annotated[float, Slider(0.001, 0.5, log=True, help="Longer steps")] = 0.05,
    confidence: Annotated[float, Slider(0.0, 10.0, help="Further past the border")] = 0.0,
    targeted: bool = False,
) -> torch.Tensor:
    """Least squared change plus a penalty while the class holds; the penalty's weight is searched.

    The change is made through a hyperbolic tangent, so that pixels stay in [0, 1] by themselves.

    Source: Carlini & Wagner (2017), Towards evaluating the robustness of neural networks.
    """
    del epsilon
    low, high = torch.zeros(len(x)), torch.full((len(x),), torch.inf)
    weight = torch.ones(len(x))
    best, smallest = x.clone(), torch.full((len(x),), torch.inf)
    for _ in range(searches):
        done = torch.zeros(len(x), dtype=torch.bool)
        start = torch.atanh((2 * x - 1).clamp(-1 + 1e-6, 1 - 1e-6))
        adam = Adam(start.clone(), rate)
        for _ in range(steps):
            w = adam.w.detach().requires_grad_()
            with torch.enable_grad():
                found = (torch.tanh(w) + 1) / 2
                short = margin(module(found), y, confidence, targeted=targeted)
                size = ((found - x) ** 2).flatten(1).sum(1)
                total = (size + weight * short.clamp_min(0)).sum()
            (gradient,) = torch.autograd.grad(total, w)
            hit = short.detach() <= 0
            better = hit & (size.detach() < smallest)
            best[better], smallest[better] = found.detach()[better], size.detach()[better]
            done |= hit
            adam.step(gradient)
            seen(found)
        high, low = torch.where(done, weight, high), torch.where(done, low, weight)
        weight = torch.where(high.isinf(), weight * 10, (low + high) / 2)
    return best


@attack("ddn", norm="L2", gradients=True, minimal=True)
def ddn(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 2.0,
    steps: Steps = 50,
    targeted: bool = False,
) -> torch.Tensor:
    """Gradient steps on a sphere that shrinks after every success and grows after every failure.

    Source: Rony et al. (2019), Decoupling direction and norm for efficient gradient-based L2
    adversarial attacks and defenses.
    """
    del epsilon
    radius = torch.ones(len(x), dtype=x.dtype)
    found, best = x, x.clone()
    smallest = torch.full((len(x),), torch.inf, dtype=x.dtype)
    for step in range(steps):
        hit = fooled(module, found, y, targeted=targeted)
        size = length(found - x, "L2")
        better = hit & (size < smallest)
        best[better], smallest[better] = found[better], size[better]
        gradient = unit(uphill(module, found, y, targeted=targeted))
        pace = 0.01 + 0.99 * (1 + torch.cos(torch.tensor(torch.pi * step / steps))).item() / 2
        change = found - x + pace * gradient
        radius = radius * torch.where(hit, 0.95, 1.05)
        scale = radius / length(change, "L2").clamp_min(1e-12)
        found = (x + change * across(scale, x)).clamp(0, 1)
        seen(found)
    return best
