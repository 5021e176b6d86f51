"""FAB: along the linearised border, biased towards the input, to the smallest change."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import DUAL, across, anywhere, length
from engine.attack.methods.adaptive import Targets, likeliest_others
from engine.attack.planes import to_plane
from engine.attack.slopes import slopes
from engine.attack.table import Epsilon, Seed, Steps, attack, fooled
from engine.attack.watch import seen, unseen
from engine.forms import Slider

BIAS = 0.1  # α_max: largest part that the projection of the input itself gets
OVERSHOOT = 1.05  # η: a little past the border
BACKWARD = 0.9  # β: after a hit, this far from the input to where it was
LAST = 10  # halvings of the last search along the line

Restarts = Annotated[int, Slider(1, 20, help="More starting points")]
LargeEpsilon = Annotated[float, Slider(0.0, 100.0, help="A larger change is allowed")]


@attack("fab", norm="Linf", gradients=True, minimal=True)
def fab(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.3,
    steps: Steps = 50,
    restarts: Restarts = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """To the nearest border of the linearised network, always pulled towards the input.

    Source: Croce & Hein (2020), Minimally distorted adversarial examples with a fast adaptive
    boundary attack.
    """
    return search(module, x, y, epsilon, "Linf", steps, restarts, seed, targeted=targeted)


@attack("fab_l2", norm="L2", gradients=True, minimal=True)
def fab_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 2.0,
    steps: Steps = 50,
    restarts: Restarts = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """FAB with Euclidean length as its measure.

    Source: Croce & Hein (2020), Minimally distorted adversarial examples with a fast adaptive
    boundary attack.
    """
    return search(module, x, y, epsilon, "L2", steps, restarts, seed, targeted=targeted)


@attack("fab_l1", norm="L1", gradients=True, minimal=True)
def fab_l1(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: LargeEpsilon = 20.0,
    steps: Steps = 50,
    restarts: Restarts = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """FAB with the sum of all changes as its measure.

    Source: Croce & Hein (2020), Minimally distorted adversarial examples with a fast adaptive
    boundary attack.
    """
    return search(module, x, y, epsilon, "L1", steps, restarts, seed, targeted=targeted)


@attack("fab_t", norm="Linf", gradients=True, minimal=True)
def fab_t(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.3,
    steps: Steps = 50,
    targets: Targets = 9,
    seed: Seed = 0,
) -> torch.Tensor:
    """FAB at the border with one other class after the other; the smallest change is kept.

    Two gradients a step instead of one a class: cheaper where there are many classes.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, section 4.
    """
    return search_in_turn(module, x, y, epsilon, "Linf", steps, targets, seed)


@attack("fab_t_l2", norm="L2", gradients=True, minimal=True)
def fab_t_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 2.0,
    steps: Steps = 50,
    targets: Targets = 9,
    seed: Seed = 0,
) -> torch.Tensor:
    """FAB-T with Euclidean length as its measure.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, section 4.
    """
    return search_in_turn(module, x, y, epsilon, "L2", steps, targets, seed)


def search_in_turn(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    norm: str,
    steps: int,
    targets: int,
    seed: int,
) -> torch.Tensor:
    """FAB-T: a search for each of the likeliest other classes."""
    others = likeliest_others(module, x, y)
    best, smallest = x.clone(), torch.full((len(x),), torch.inf, dtype=x.dtype)
    for turn in range(min(targets, others.shape[1])):
        found = search(module, x, y, epsilon, norm, steps, 1, seed + turn, aim=others[:, turn])
        size = length(found - x, norm)
        better = fooled(module, found, y) & (size < smallest)
        best[better], smallest[better] = found[better], size[better]
        seen(best)
    return best


def search(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    norm: str,
    steps: int,
    restarts: int,
    seed: int,
    *,
    targeted: bool = False,
    aim: torch.Tensor | None = None,
) -> torch.Tensor:
    """The nearest fooling place found, like `x`; the input itself where there is none.

    Args:
        module: The network, calm.
        x: Samples, `(batch, ...)`.
        y: Class to be led away from, or with `targeted` the one to reach, `(batch,)`.
        epsilon: Radius within which a restart begins.
        norm: What makes a change small.
        steps: Steps a start.
        restarts: Starts; the first at the input.
        seed: For the other starts.
        targeted: Whether `y` is to be reached.
        aim: The only other class whose border is looked at, `(batch,)`.
    """
    generator = torch.Generator().manual_seed(seed)
    best, smallest = x.clone(), torch.full((len(x),), torch.inf, dtype=x.dtype)
    already = fooled(module, x, y, targeted=targeted)
    smallest[already] = 0
    for start in range(restarts):
        found = x
        if start:  # at most half as far as what is known, or as the budget
            radius = torch.minimum(smallest, torch.tensor(epsilon)) / 2
            found = x + (anywhere(x, 1.0, norm, generator) - x) * across(radius, x)
        for step in range(steps + 1):
            hit = fooled(module, found, y, targeted=targeted)
            size = length(found - x, norm)
            better = hit & (size < smallest)
            best[better], smallest[better] = found[better], size[better]
            if step == steps:
                break
            found = torch.where(across(hit, x), x + BACKWARD * (found - x), found)
            normal, gap = _plane(module, found, y, norm, targeted=targeted, aim=aim)
            found = _between(found, x, normal, gap, norm)
            seen(found)
    with unseen():
        return _last_search(module, x, best, y, targeted=targeted)


def _between(
    found: torch.Tensor, x: torch.Tensor, normal: torch.Tensor, gap: torch.Tensor, norm: str
) -> torch.Tensor:
    """Past the plane from here, mixed with past it from the input.

    `x_{i+1} = (1 − α)(x_i + η δ_i) + α (x + η δ)`, `α = min(‖δ_i‖/(‖δ_i‖ + ‖δ‖), α_max)`.
    """
    here, home = found.flatten(1), x.flatten(1)
    gap_home = gap - (normal * (home - here)).sum(1)  # the same plane, seen from the input
    near = to_plane(here, normal, gap, norm)
    far = to_plane(home, normal, gap_home, norm)
    lengths = length(near, norm), length(far, norm)
    alpha = (lengths[0] / (lengths[0] + lengths[1]).clamp_min(1e-12)).clamp_max(BIAS)[:, None]
    mixed = (1 - alpha) * (here + OVERSHOOT * near) + alpha * (home + OVERSHOOT * far)
    return mixed.clamp(0, 1).reshape(x.shape)


def _plane(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    norm: str,
    *,
    targeted: bool,
    aim: torch.Tensor | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest linearised border: its normal `(batch, features)` and the gain that reaches it.

    A border of classes c and l is where `f_l − f_c = 0`; the nearest has the least
    `|f_l − f_c| / ‖∇f_l − ∇f_c‖_q`.
    """
    rows = torch.arange(len(x))
    if aim is not None:
        scores, slope = slopes(module, x, torch.stack([y, aim], 1))
        return slope[:, 1] - slope[:, 0], scores[:, 0] - scores[:, 1]
    scores, slope = slopes(module, x)
    if targeted:  # away from the best other class, to y
        other = scores.scatter(1, y[:, None], -torch.inf).argmax(1)
        return slope[rows, y] - slope[rows, other], scores[rows, other] - scores[rows, y]
    normal = slope - slope[rows, y][:, None]
    gap = scores[rows, y][:, None] - scores
    away = gap.abs() / normal.norm(p=DUAL[norm], dim=2).clamp_min(1e-12)
    away[rows, y] = torch.inf
    nearest = away.argmin(1)
    return normal[rows, nearest], gap[rows, nearest]


def _last_search(
    module: nn.Module, x: torch.Tensor, best: torch.Tensor, y: torch.Tensor, *, targeted: bool
) -> torch.Tensor:
    """The place nearest to the input on the straight line to `best` that still fools."""
    near, far = torch.zeros(len(x), dtype=x.dtype), torch.ones(len(x), dtype=x.dtype)
    for _ in range(LAST):
        middle = (near + far) / 2
        hit = fooled(module, x + across(middle, x) * (best - x), y, targeted=targeted)
        far, near = torch.where(hit, middle, far), torch.where(hit, near, middle)
    return x + across(far, x) * (best - x)
