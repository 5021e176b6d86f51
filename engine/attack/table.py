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

from engine.attack.balls import across as across  # named here too, for who uses the table
from engine.attack.balls import inside as inside
from engine.attack.balls import length as length
from engine.attack.watch import ended, seen
from engine.explain.table import calm
from engine.forms import Slider
from engine.tables import Table

attacks = Table("attack", "engine.attack.methods")

Attack = Callable[..., torch.Tensor]
Epsilon = Annotated[float, Slider(0.0, 5.0, help="A larger change is allowed")]
Seed = Annotated[int, Slider(0, 999, help="Other random draws")]
Objective = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""What is made large, from scores `(batch, classes)` and classes `(batch,)` to `(batch,)`."""

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
            seen(x)
            with calm(module):
                found = function(module, x, y, **settings).detach()
            found = inside(found, x, epsilon, norm)
            ended(found)
            return found

        return attacks.add(name, norm=norm, **facts)(attempt)

    return wrap


def loss(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """What an attack makes large, `(batch,)`: the cross-entropy of `y`, or its negative."""
    value: torch.Tensor = functional.cross_entropy(module(x), y, reduction="none")
    return -value if targeted else value


def uphill(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, *, targeted: bool = False
) -> torch.Tensor:
    """The gradient of `loss` with respect to `x`, like `x`.

    The cross-entropy's own slope, `softmax(z) − e_y`, is written down instead of derived.
    """
    x, scores = asked(module, x)
    slope = scores.detach().softmax(1)
    slope.scatter_add_(1, y[:, None], slope.new_full((len(y), 1), -1.0))
    (gradient,) = torch.autograd.grad(scores, x, slope.neg_() if targeted else slope)
    return gradient


def slope_of(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, objective: Objective
) -> tuple[torch.Tensor, torch.Tensor]:
    """An objective of scores and classes, `(batch,)`, and its gradient, like `x`."""
    x, scores = asked(module, x)
    with torch.enable_grad():
        value = objective(scores, y)
        total = value.sum()
    (gradient,) = torch.autograd.grad(total, x)
    return value.detach(), gradient


def asked(module: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples that can be differentiated by, and the scores of them, `(batch, classes)`.

    Raises:
        ValueError: The network gives scores without a slope; says what to use instead.
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        scores: torch.Tensor = module(x)
    if not scores.requires_grad:
        raise ValueError(
            "attack: needs a network with gradients; this one gives none: use square, spsa, "
            "boundary or hopskipjump, which only ask for answers, or bpda"
        )
    return x, scores


def margin(
    scores: torch.Tensor, y: torch.Tensor, confidence: float = 0.0, *, targeted: bool = False
) -> torch.Tensor:
    """How far the attack is from its wish, `(batch,)`; not positive once it is fulfilled.

    Untargeted `z_y − max_{i≠y} z_i`, targeted its negative; plus a confidence.
    """
    own = scores.gather(1, y[:, None])[:, 0]
    other = scores.scatter(1, y[:, None], -torch.inf).amax(1)
    return (other - own if targeted else own - other) + confidence


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
