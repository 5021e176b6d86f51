"""Attacks that walk along the sign of the gradient inside an L-infinity ball."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import across, anywhere
from engine.attack.table import Epsilon, Seed, Steps, attack, loss, uphill
from engine.attack.watch import seen
from engine.forms import Slider

Step = Annotated[float, Slider(0.01, 1.0, log=True, help="Longer steps, as a part of epsilon")]


@attack("fgsm", norm="Linf", gradients=True, minimal=False)
def fgsm(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    targeted: bool = False,
) -> torch.Tensor:
    """One step along the sign of the gradient: every pixel by epsilon.

    Source: Goodfellow, Shlens & Szegedy (2015), Explaining and harnessing adversarial examples.
    """
    return x + epsilon * uphill(module, x, y, targeted=targeted).sign()


@attack("r_fgsm", norm="Linf", gradients=True, minimal=False)
def r_fgsm(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """A random step of half the size first, then FGSM with the rest: leaves flat places.

    Source: Tramèr et al. (2018), Ensemble adversarial training.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    begun = (x + epsilon / 2 * noise.sign()).clamp(0, 1)
    return begun + epsilon / 2 * uphill(module, begun, y, targeted=targeted).sign()


@attack("bim", norm="Linf", gradients=True, minimal=False)
def bim(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 10,
    targeted: bool = False,
) -> torch.Tensor:
    """FGSM in small steps, each kept inside the ball.

    Source: Kurakin, Goodfellow & Bengio (2017), Adversarial examples in the physical world.
    """
    low, high = _box(x, epsilon)
    found = x.clone()
    for _ in range(steps):
        way = uphill(module, found, y, targeted=targeted).sign_()
        found.add_(way, alpha=epsilon / steps).clamp_(low, high)
        seen(found)
    return found


@attack("pgd", norm="Linf", gradients=True, minimal=False)
def pgd(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 20,
    step: Step = 0.1,
    restarts: Annotated[int, Slider(1, 20, help="More starting points")] = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """Projected gradient ascent from random places of the ball; the worst one is kept.

    The first start is the input itself, so that the result is never weaker than plain ascent.

    Source: Madry et al. (2018), Towards deep learning models resistant to adversarial attacks.
    """
    generator = torch.Generator().manual_seed(seed)
    low, high = _box(x, epsilon)
    best, most = x, torch.full((len(x),), -torch.inf, dtype=x.dtype)
    for restart in range(restarts):
        found = anywhere(x, epsilon, "Linf", generator) if restart else x.clone()
        for _ in range(steps):
            way = uphill(module, found, y, targeted=targeted).sign_()
            found.add_(way, alpha=step * epsilon).clamp_(low, high)
            seen(found)
        if restarts == 1:
            return found
        best, most = _better(module, found, y, best, most, targeted=targeted)
    return best


@attack("mifgsm", norm="Linf", gradients=True, minimal=False)
def mifgsm(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 10,
    decay: Annotated[float, Slider(0.0, 2.0, help="Earlier gradients count more")] = 1.0,
    targeted: bool = False,
) -> torch.Tensor:
    """BIM with momentum: what it finds also fools other models more often.

    Source: Dong et al. (2018), Boosting adversarial attacks with momentum.
    """
    low, high = _box(x, epsilon)
    found, memory = x.clone(), torch.zeros_like(x)
    for _ in range(steps):
        memory.mul_(decay).add_(_unit(uphill(module, found, y, targeted=targeted)))
        found.add_(memory.sign(), alpha=epsilon / steps).clamp_(low, high)
        seen(found)
    return found


@attack("nifgsm", norm="Linf", gradients=True, minimal=False)
def nifgsm(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 10,
    decay: Annotated[float, Slider(0.0, 2.0, help="Earlier gradients count more")] = 1.0,
    targeted: bool = False,
) -> torch.Tensor:
    """MI-FGSM that looks at the gradient where the momentum is about to carry it.

    Source: Lin et al. (2020), Nesterov accelerated gradient and scale invariance for adversarial
    attacks.
    """
    low, high = _box(x, epsilon)
    found, memory, size = x.clone(), torch.zeros_like(x), epsilon / steps
    for _ in range(steps):
        ahead = found + size * decay * memory
        memory.mul_(decay).add_(_unit(uphill(module, ahead, y, targeted=targeted)))
        found.add_(memory.sign(), alpha=size).clamp_(low, high)
        seen(found)
    return found


def _box(x: torch.Tensor, epsilon: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The lowest and highest value that each number may take, both like `x`."""
    return (x - epsilon).clamp_min_(0), (x + epsilon).clamp_max_(1)


def _unit(gradient: torch.Tensor) -> torch.Tensor:
    """Each sample's gradient over its mean size."""
    size = gradient.abs().flatten(1).mean(1).clamp_min(1e-12)
    return gradient / across(size, gradient)


def _better(
    module: nn.Module,
    found: torch.Tensor,
    y: torch.Tensor,
    best: torch.Tensor,
    most: torch.Tensor,
    *,
    targeted: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each sample the input with the larger loss, and that loss."""
    with torch.no_grad():
        value = loss(module, found, y, targeted=targeted)
    gain = value > most
    return torch.where(across(gain, found), found, best), torch.where(gain, value, most)
