"""Attacks on models that hide their gradients: by steps without slope, or by chance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import torch
from torch import nn

from engine.attack.table import Epsilon, Seed, Steps, attack, loss, uphill
from engine.attack.watch import seen
from engine.forms import Slider

Step = Annotated[float, Slider(0.01, 1.0, log=True, help="Longer steps, as a part of epsilon")]
Draws = Annotated[int, Slider(1, 128, log=True, help="A steadier gradient")]


@attack("bpda", norm="Linf", gradients=True, minimal=False)
def bpda(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 20,
    step: Step = 0.1,
    draws: Draws = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """PGD that goes backward through a defence's blunt parts as if they were smooth.

    Forward everything is as it is. Parts that say so (an attribute `stand_in`) are replaced on
    the way back by their smooth stand-in, or by nothing where it is None; see `see_through`.

    Source: Athalye, Carlini & Wagner (2018), Obfuscated gradients give a false sense of security.
    """
    with see_through(module):
        return _walk(module, x, y, epsilon, steps, step, draws, seed, targeted=targeted)


@attack("eot", norm="Linf", gradients=True, minimal=False)
def eot(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 20,
    step: Step = 0.1,
    draws: Draws = 16,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """PGD along the mean gradient of many draws, for models that answer at random.

    Source: Athalye et al. (2018), Synthesizing robust adversarial examples.
    """
    return _walk(module, x, y, epsilon, steps, step, draws, seed, targeted=targeted)


def _walk(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    steps: int,
    step: float,
    draws: int,
    seed: int,
    *,
    targeted: bool,
) -> torch.Tensor:
    low, high = (x - epsilon).clamp_min(0), (x + epsilon).clamp_max(1)
    found = x.clone()
    with torch.random.fork_rng(devices=[]):  # the model's own chance, repeatable
        torch.manual_seed(seed)
        for _ in range(steps):
            slope = torch.zeros_like(x)
            for _ in range(draws):
                slope += uphill(module, found, y, targeted=targeted)
            found.add_(slope.sign(), alpha=step * epsilon).clamp_(low, high)
            seen(found)
    return found


@contextmanager
def see_through(module: nn.Module) -> Iterator[None]:
    """Within, gradients pass blunt parts of a model through their smooth stand-ins.

    A blunt part is a submodule with an attribute `stand_in`: a differentiable function of its
    input that is near what it does, or None for the identity. What it answers stays the same.
    """

    def smooth(part: Any, inputs: tuple[torch.Tensor, ...], answer: torch.Tensor) -> torch.Tensor:
        near = inputs[0] if part.stand_in is None else part.stand_in(inputs[0])
        passed: torch.Tensor = near + (answer - near).detach()
        return passed

    hooks = [
        part.register_forward_hook(smooth) for part in module.modules() if hasattr(part, "stand_in")
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def mean_loss(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, draws: int, seed: int
) -> torch.Tensor:
    """The loss of a model that answers at random, averaged over draws, `(batch,)`."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.stack([loss(module, x, y) for _ in range(draws)]).mean(0)
