"""Projected gradient ascent inside L2 and L1 balls."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import inside, unit
from engine.attack.table import Epsilon, Seed, Steps, attack, uphill
from engine.attack.watch import seen
from engine.forms import Slider

Step = Annotated[float, Slider(0.01, 1.0, log=True, help="Longer steps, as a part of epsilon")]


@attack("fgm", norm="L2", gradients=True, minimal=False)
def fgm(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 1.0,
    targeted: bool = False,
) -> torch.Tensor:
    """One step of length epsilon along the gradient itself.

    Source: Miyato, Dai & Goodfellow (2017), Adversarial training methods for semi-supervised text
    classification.
    """
    return x + epsilon * unit(uphill(module, x, y, targeted=targeted))


@attack("pgd_l2", norm="L2", gradients=True, minimal=False)
def pgd_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 1.0,
    steps: Steps = 20,
    step: Step = 0.15,
    targeted: bool = False,
) -> torch.Tensor:
    """Projected gradient ascent with steps and ball measured by Euclidean length.

    Source: Madry et al. (2018), Towards deep learning models resistant to adversarial attacks.
    """
    found = x
    for _ in range(steps):
        found = found + step * epsilon * unit(uphill(module, found, y, targeted=targeted))
        found = inside(found, x, epsilon, "L2")
        seen(found)
    return found


@attack("pgd_l1", norm="L1", gradients=True, minimal=False)
def pgd_l1(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Annotated[float, Slider(0.0, 100.0, help="A larger change is allowed")] = 10.0,
    steps: Steps = 20,
    step: Step = 0.15,
    part: Annotated[float, Slider(0.001, 1.0, log=True, help="More pixels a step")] = 0.05,
    targeted: bool = False,
) -> torch.Tensor:
    """Ascent that moves only the steepest few pixels a step, which is how L1 is spent best.

    Source: Tramèr & Boneh (2019), Adversarial training and robustness for multiple perturbations.
    """
    found = x
    for _ in range(steps):
        gradient = uphill(module, found, y, targeted=targeted)
        room = torch.where(gradient > 0, found < 1, found > 0)  # a full pixel cannot go on
        flat = (gradient * room).flatten(1)
        count = max(1, round(part * flat.shape[1]))
        chosen = flat.abs().topk(count, dim=1).indices
        move = torch.zeros_like(flat).scatter_(1, chosen, flat.gather(1, chosen).sign())
        found = found + step * epsilon / count * move.reshape(x.shape)
        found = inside(found, x, epsilon, "L1")
        seen(found)
    return found


@attack("noise", norm="Linf", gradients=False, minimal=False)
def noise(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    seed: Seed = 0,
) -> torch.Tensor:
    """Random signs of size epsilon: what an attack must beat to deserve its name."""
    del module, y
    generator = torch.Generator().manual_seed(seed)
    return x + epsilon * torch.randn(x.shape, generator=generator, dtype=x.dtype).sign()
