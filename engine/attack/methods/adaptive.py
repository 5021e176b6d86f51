"""Ascent that chooses its own step size: the strong standard attacks."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.ascent import aimed_ratio, ascend, entropy, ratio
from engine.attack.balls import across
from engine.attack.table import Epsilon, Objective, Seed, Steps, attack, fooled
from engine.forms import Slider

Restarts = Annotated[int, Slider(1, 20, help="More starting points")]
Targets = Annotated[int, Slider(1, 99, log=True, help="Aims at more of the other classes")]


@attack("apgd_ce", norm="Linf", gradients=True, minimal=False)
def apgd_ce(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 50,
    restarts: Restarts = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """Ascent on the cross-entropy that halves its step whenever it stalls, back at the best place.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks.
    """
    return climb(
        module, x, y, epsilon, "Linf", steps, restarts, entropy(targeted), seed, targeted=targeted
    )


@attack("apgd_dlr", norm="Linf", gradients=True, minimal=False)
def apgd_dlr(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 50,
    restarts: Restarts = 1,
    seed: Seed = 0,
) -> torch.Tensor:
    """The same on a ratio of scores, which a network cannot flatten by growing its scores.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, equation 6.
    """
    return climb(module, x, y, epsilon, "Linf", steps, restarts, ratio, seed)


@attack("apgd_t", norm="Linf", gradients=True, minimal=False)
def apgd_t(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 50,
    targets: Targets = 9,
    seed: Seed = 0,
) -> torch.Tensor:
    """The same towards one other class after the other, the likeliest first, until one is reached.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks, section 4.
    """
    return aim_in_turn(module, x, y, epsilon, "Linf", steps, targets, seed)


@attack("apgd_ce_l2", norm="L2", gradients=True, minimal=False)
def apgd_ce_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 1.0,
    steps: Steps = 50,
    restarts: Restarts = 1,
    targeted: bool = False,
    seed: Seed = 0,
) -> torch.Tensor:
    """Self-tuned ascent on the cross-entropy in the ball of Euclidean length.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks.
    """
    return climb(
        module, x, y, epsilon, "L2", steps, restarts, entropy(targeted), seed, targeted=targeted
    )


@attack("apgd_t_l2", norm="L2", gradients=True, minimal=False)
def apgd_t_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 1.0,
    steps: Steps = 50,
    targets: Targets = 9,
    seed: Seed = 0,
) -> torch.Tensor:
    """Self-tuned ascent towards one other class after the other, by Euclidean length.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks.
    """
    return aim_in_turn(module, x, y, epsilon, "L2", steps, targets, seed)


def climb(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    norm: str,
    steps: int,
    restarts: int,
    objective: Objective,
    seed: int,
    *,
    targeted: bool = False,
) -> torch.Tensor:
    """APGD; samples that are not fooled yet begin anew from another place."""
    generator = torch.Generator().manual_seed(seed)

    def once(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        def fooling(scores: torch.Tensor) -> torch.Tensor:
            said = scores.argmax(1)
            return (said == y) if targeted else (said != y)

        return ascend(
            module,
            x,
            y,
            epsilon=epsilon,
            norm=norm,
            steps=steps,
            objective=objective,
            fooling=fooling,
            generator=generator,
        )

    found = once(x, y)
    for _ in range(restarts - 1):
        open_ = ~fooled(module, found, y, targeted=targeted)
        if not bool(open_.any()):
            break
        again = once(x[open_], y[open_])
        hit = fooled(module, again, y[open_], targeted=targeted)
        found[open_] = torch.where(across(hit, again), again, found[open_])
    return found


def aim_in_turn(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    norm: str,
    steps: int,
    targets: int,
    seed: int,
) -> torch.Tensor:
    """APGD-T: the targeted ratio for each of the likeliest other classes; the first hit is kept.

    Samples that no class is reached for keep what the first aim found.
    """
    generator = torch.Generator().manual_seed(seed)
    others = likeliest_others(module, x, y)
    found, open_ = x.clone(), torch.ones(len(x), dtype=torch.bool)
    for turn in range(min(targets, others.shape[1])):
        own = y[open_]

        def fooling(scores: torch.Tensor, own: torch.Tensor = own) -> torch.Tensor:
            return scores.argmax(1) != own

        attempt = ascend(
            module,
            x[open_],
            own,
            epsilon=epsilon,
            norm=norm,
            steps=steps,
            objective=aimed_ratio(others[open_, turn]),
            fooling=fooling,
            generator=generator,
        )
        hit = fooled(module, attempt, own)
        keep = hit | (turn == 0)
        found[open_] = torch.where(across(keep, attempt), attempt, found[open_])
        open_[open_.clone()] = ~hit
        if not bool(open_.any()):
            break
    return found


def likeliest_others(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The other classes of each sample, the one with the largest score first.

    Returns:
        `(batch, classes − 1)`.
    """
    with torch.no_grad():
        scores: torch.Tensor = module(x)
    order = scores.scatter(1, y[:, None], -torch.inf).argsort(1, descending=True)
    return order[:, :-1]
