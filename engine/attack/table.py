"""The table of attacks: `attack(module, x, y, epsilon=..., seed=..., **settings) -> like x`.

Inputs lie in [0, 1], and so does what comes back. `epsilon` bounds the change in the attack's
norm, an entry's fact `norm`: "Linf", "L2", "L1" or "L0" (pixels changed). With `targeted=True`
`y` is what the classifier is to say, else what it is no longer to say. Facts besides: `gradients`,
whether the attack needs them, and `minimal`, whether it looks for the smallest change and stops
there (where that is larger than `epsilon` the input comes back cut to the ball).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import torch
from torch import nn
from torch.nn import functional

from engine.explain.table import calm
from engine.forms import Slider
from engine.tables import Table

attacks = Table("attack", "engine.attack.methods")

Attack = Callable[..., torch.Tensor]
Epsilon = Annotated[float, Slider(0.0, 5.0, help="A larger change is allowed")]
Seed = Annotated[int, Slider(0, 999, help="Other random draws")]
Steps = Annotated[int, Slider(1, 200, log=True, help="Searches longer")]


def attack(name: str, *, norm: str, **facts: Any) -> Callable[[Attack], Attack]:
    """Put an attack into the table; what it returns is always inside its ball and in [0, 1]."""

    def wrap(function: Attack) -> Attack:
        usual = inspect.signature(function).parameters["epsilon"].default

        @functools.wraps(function)
        def attempt(
            module: nn.Module, x: torch.Tensor, y: torch.Tensor, **settings: Any
        ) -> torch.Tensor:
            epsilon = float(settings.setdefault("epsilon", usual))
            x = x.detach()
            _refuse(name, x, y)
            if epsilon == 0:
                return x.clone()
            with calm(module):
                found = function(module, x, y, **settings).detach()
            return inside(found, x, epsilon, norm)

        return attacks.add(name, norm=norm, **facts)(attempt)

    return wrap


def inside(found: torch.Tensor, x: torch.Tensor, epsilon: float, norm: str) -> torch.Tensor:
    """`found` moved into the ball of radius `epsilon` around `x`, and into [0, 1]."""
    found = found.clamp(0, 1)  # towards x, which lies in [0, 1]: no norm grows by it
    change = found - x
    if norm == "Linf":
        return torch.max(torch.min(found, x + epsilon), x - epsilon).clamp(0, 1)
    if norm == "L0":
        return x + _largest(change, int(epsilon))
    if norm == "L1":
        return (x + _onto_l1(change.flatten(1), epsilon).reshape(x.shape)).clamp(0, 1)
    long = length(change, norm)
    factor = (epsilon / long.clamp_min(1e-12)).clamp_max(1)
    return (x + change * across(factor, x)).clamp(0, 1)


def length(change: torch.Tensor, norm: str) -> torch.Tensor:
    """How large each sample's change is, `(batch,)`; L0 counts pixels, whatever their channels."""
    flat = change.flatten(1).abs()
    match norm:
        case "Linf":
            return flat.amax(1)
        case "L2":
            return flat.square().sum(1).sqrt()
        case "L1":
            return flat.sum(1)
        case _:
            return _pixels(change).gt(0).sum(1).float()


def loss(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """What an attack makes large, `(batch,)`: the cross-entropy of `y`, or its negative."""
    value: torch.Tensor = functional.cross_entropy(module(x), y, reduction="none")
    return -value if targeted else value


def uphill(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """The gradient of `loss` with respect to `x`, like `x`."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        total = loss(module, x, y, targeted=targeted).sum()
    (gradient,) = torch.autograd.grad(total, x)
    return gradient


def across(numbers: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A number a sample, `(batch,)`, in a shape that multiplies `x`."""
    return numbers.reshape(-1, *[1] * (x.ndim - 1))


def fooled(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """Whether each sample is answered as the attacker wishes, `(batch,)` booleans."""
    with torch.no_grad():
        said: torch.Tensor = module(x).argmax(1)
    return (said == y) if targeted else (said != y)


def _refuse(name: str, x: torch.Tensor, y: torch.Tensor) -> None:
    low, high = float(x.min()), float(x.max())
    if low < 0 or high > 1:
        raise ValueError(f"{name}: inputs must lie in [0, 1]; got {low:.3g} to {high:.3g}")
    if y.shape != x.shape[:1]:
        raise ValueError(f"{name}: needs one class a sample, ({len(x)},); got {tuple(y.shape)}")


def _pixels(change: torch.Tensor) -> torch.Tensor:
    """How much each pixel changed, over its channels: `(batch, pixels)`."""
    size = change.abs().amax(1) if change.ndim == 4 else change.abs()
    return size.flatten(1)


def _largest(change: torch.Tensor, count: int) -> torch.Tensor:
    """The change at the `count` pixels that change most, zero elsewhere."""
    size = _pixels(change)
    kept = torch.zeros_like(size)
    kept.scatter_(1, size.topk(min(count, size.shape[1]), dim=1).indices, 1.0)
    shape = (len(change), 1, *change.shape[2:]) if change.ndim == 4 else change.shape
    return change * kept.reshape(shape)


def _onto_l1(change: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Each row's nearest point in the L1 ball.

    Source: Duchi et al. (2008), Efficient projections onto the l1-ball.
    """
    size = change.abs()
    ordered = size.sort(dim=1, descending=True).values
    over = (ordered.cumsum(1) - epsilon) / torch.arange(1, size.shape[1] + 1)
    last = ((ordered > over).sum(1, keepdim=True) - 1).clamp_min(0)
    cut = over.gather(1, last).clamp_min(0)
    near = size.sum(1, keepdim=True) <= epsilon
    return torch.where(near, change, change.sign() * (size - cut).clamp_min(0))
