"""What the parts of a layer do for a score: `inner(module, x, target, layer=...)` like the layer.

The table of these methods is `inner`; each gives `(batch, *layer)`, one number for every place of
every unit of the layer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any

import torch
from torch import nn

from engine.explain.layers import any_layer, hooked, inside, once
from engine.explain.table import Target, calm
from engine.forms import Slider, Text
from engine.tables import Table

inner = Table("layer method", "engine.explain.layered")

Layer = Annotated[str, Text(64, help="A layer by its name; empty: the last convolution")]
Unit = Annotated[int, Slider(0, 4095, help="Another channel or neuron of the layer")]
Steps = Annotated[int, Slider(4, 300, log=True, help="A finer integral")]


def layered(name: str, **facts: Any) -> Callable[[Callable[..., torch.Tensor]], Any]:
    """Put a layer method into the table; it will always see a calm module."""

    def wrap(function: Callable[..., torch.Tensor]) -> Any:
        @functools.wraps(function)
        def asked(module: nn.Module, x: torch.Tensor, target: Target, **settings: Any) -> Any:
            with calm(module):
                wanted = torch.as_tensor(target).expand(len(x)).long()
                return function(module, x.detach(), wanted, **settings).detach()

        return inner.add(name, **facts)(asked)

    return wrap


def conductance(
    who: str, module: nn.Module, x: torch.Tensor, target: torch.Tensor, *,
    layer: str, steps: int, baseline: float,
) -> torch.Tensor:  # fmt: skip
    """How much of `F(x) − F(baseline)` flows through each place of a layer, `(batch, *layer)`.

    `∫ ∂F/∂y · dy`, along the way that `y` takes while the input goes straight from the baseline to
    `x`; each step counts with the mean of the gradients at its ends.

    Source: Dhamdhere, Sundararajan & Yan (2019), How important is a neuron?; the sum along the
    path of `y`: Shrikumar, Su & Kundaje (2018), Computationally efficient measures of internal
    neuron importance.
    """
    part = any_layer(who, module, layer)
    before: tuple[torch.Tensor, torch.Tensor] | None = None
    total = torch.zeros(0)
    for alpha in torch.linspace(0, 1, steps + 1).tolist():
        values, gradient = inside(who, module, part, baseline + alpha * (x - baseline), target)
        if before is None:
            total = torch.zeros_like(values)
        else:
            total += (values - before[0]) * (gradient + before[1]) / 2
        before = values, gradient
    return total


def influence(
    who: str, module: nn.Module, x: torch.Tensor, target: torch.Tensor, *,
    layer: str, steps: int, baseline: float,
) -> torch.Tensor:  # fmt: skip
    """The score's gradient at a layer, averaged along the way from the baseline, `(batch, *layer)`.

    Source: Leino et al. (2018), Influence-directed explanations for deep convolutional networks.
    """
    part = any_layer(who, module, layer)
    total = torch.zeros(0)
    for step in range(steps):
        alpha = (step + 0.5) / steps
        _, gradient = inside(who, module, part, baseline + alpha * (x - baseline), target)
        total = gradient if step == 0 else total + gradient
    return total / steps


def neuron(
    who: str, module: nn.Module, part: nn.Module, x: torch.Tensor, unit: int, target: torch.Tensor,
    *, weighed: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """A unit's activation, `(batch,)`, and its gradient with respect to `x`.

    Args:
        who: The method, for messages.
        module: The network.
        part: The layer.
        x: Samples.
        unit: Channel or neuron; what it gives at all its places is summed.
        target: The outputs that `weighed` looks at.
        weighed: Whether each place counts with the score's gradient there: the part of the
            score's gradient that flows through this unit.

    Raises:
        ValueError: The layer has no such unit.
    """
    seen: list[torch.Tensor] = []

    def keep(_layer: nn.Module, _inputs: object, out: object) -> None:
        seen.append(out if isinstance(out, torch.Tensor) else torch.empty(0))

    x = x.detach().requires_grad_()
    with hooked(part, keep), torch.enable_grad():
        answers = module(x)
        values = once(who, seen)
        if unit >= values.shape[1]:
            raise ValueError(
                f"{who}: the layer has units 0 to {values.shape[1] - 1}; got {unit}. Choose a lower"
            )
        own = values[:, unit].flatten(1) if values.ndim > 2 else values[:, unit, None]
        weight = torch.ones_like(own)
        if weighed:
            total = answers.gather(1, target[:, None]).sum()
            through = torch.zeros_like(values)
            if total.requires_grad:
                found = torch.autograd.grad(total, values, retain_graph=True, allow_unused=True)
                through = through if found[0] is None else found[0]
            weight = through[:, unit].reshape(own.shape)
        if not own.requires_grad:
            return own.sum(1).detach(), torch.zeros_like(x)
        (gradient,) = torch.autograd.grad((own * weight).sum(), x, allow_unused=True)
    return own.sum(1).detach(), torch.zeros_like(x) if gradient is None else gradient
