"""Attacks that change few pixels, or little in all."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import across
from engine.attack.table import Steps, asked, attack, fooled, margin, slope_of
from engine.attack.watch import seen
from engine.forms import Slider


@attack("jsma", norm="L0", gradients=True, minimal=False)
def jsma(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[int, Slider(0, 100, help="More pixels may change")] = 10,
    targeted: bool = False,
) -> torch.Tensor:
    """One pixel after the other to its end, always the one that promises most, until it is enough.

    The promise is the slope of the lead times the room the pixel has: the saliency map for single
    pixels.

    Source: Papernot et al. (2016), The limitations of deep learning in adversarial settings.
    """
    found, used = x.clone(), torch.zeros_like(x, dtype=torch.bool)
    for _ in range(int(epsilon)):
        open_ = ~fooled(module, found, y, targeted=targeted)
        if not bool(open_.any()):
            break
        gradient = _lead_slope(module, found, y, targeted=targeted)
        end = (gradient > 0).to(x.dtype)
        gain = (gradient * (end - found)).masked_fill(used, 0)
        gain = gain.sum(1, keepdim=True) if x.ndim == 4 else gain
        pick = torch.zeros_like(gain).flatten(1)
        pick.scatter_(1, gain.flatten(1).argmax(1, keepdim=True), 1.0)
        chosen = (pick.reshape(gain.shape).expand_as(x) > 0) & across(open_, x)
        found = torch.where(chosen, end, found)
        used |= chosen
        seen(found)
    return found


def _lead_slope(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool
) -> torch.Tensor:
    """Gradient of the lead that the attacker wants, like `x`."""

    def lead(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -margin(scores, y, targeted=targeted)

    return slope_of(module, x, y, lead)[1]


@attack("ead", norm="L1", gradients=True, minimal=True)
def ead(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[float, Slider(0.0, 100.0, help="A larger change is allowed")] = 20.0,
    steps: Steps = 100,
    searches: Annotated[int, Slider(1, 9, help="Smaller changes, longer search")] = 5,
    rate: Annotated[float, Slider(0.001, 0.5, log=True, help="Longer steps")] = 0.02,
    sparse: Annotated[float, Slider(0.0, 0.2, help="Fewer pixels change")] = 0.02,
    targeted: bool = False,
) -> torch.Tensor:
    """Carlini and Wagner's penalty with the sum of changes as a second cost: few pixels change.

    After each gradient step, changes smaller than a threshold are set to zero; the next gradient
    is taken where the last move would carry on to (FISTA).

    Source: Chen et al. (2018), EAD: elastic-net attacks to deep neural networks.
    """
    del epsilon  # the ball is applied at the door
    low, high = torch.zeros(len(x)), torch.full((len(x),), torch.inf)
    weight = torch.ones(len(x))
    best, smallest = x.clone(), torch.full((len(x),), torch.inf)
    for _ in range(searches):
        found, ahead, done = x, x, torch.zeros(len(x), dtype=torch.bool)
        for step in range(steps):
            at, scores = asked(module, ahead)
            with torch.enable_grad():
                short = margin(scores, y, targeted=targeted)
                cost = ((at - x) ** 2).flatten(1).sum(1) + weight * (short + 1e-4).clamp_min(0)
                total = cost.sum()
            (gradient,) = torch.autograd.grad(total, at)
            pace = rate * (1 - step / steps) ** 0.5
            change = ahead - pace * gradient - x
            last, found = found, x + change.sign() * (change.abs() - sparse).clamp_min(0)
            found = found.clamp(0, 1)
            ahead = (found + step / (step + 3) * (found - last)).clamp(0, 1)
            size = (found - x).abs().flatten(1).sum(1)
            hit = fooled(module, found, y, targeted=targeted)
            better = hit & (size < smallest)
            best[better], smallest[better] = found[better], size[better]
            done |= hit
            seen(found)
        high, low = torch.where(done, weight, high), torch.where(done, low, weight)
        weight = torch.where(high.isinf(), weight * 10, (low + high) / 2)
    return best
