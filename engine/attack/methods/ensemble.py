"""AutoAttack: four attacks that need no tuning; a sample falls if one of them succeeds."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.ascent import entropy
from engine.attack.balls import inside
from engine.attack.methods.adaptive import Targets, aim_in_turn, climb
from engine.attack.methods.blind import Queries
from engine.attack.methods.fab import search_in_turn
from engine.attack.methods.squares import square_walk
from engine.attack.table import Epsilon, Seed, attack, fooled
from engine.attack.watch import seen
from engine.forms import Slider

MEMBERS = ("apgd_ce", "apgd_t", "fab_t", "square")

Steps = Annotated[int, Slider(1, 200, log=True, help="Searches longer")]


@attack("autoattack", norm="Linf", gradients=True, minimal=False)
def autoattack(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 0.1,
    steps: Steps = 50,
    targets: Targets = 9,
    queries: Queries = 1000,
    seed: Seed = 0,
) -> torch.Tensor:
    """APGD-CE, APGD-T, FAB-T and Square in turn on what still stands: the standard of robustness.

    The paper's budget is 100 steps, 9 targets and 5000 queries.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks.
    """
    return ensemble(module, x, y, epsilon, "Linf", steps, targets, queries, seed)[0]


@attack("autoattack_l2", norm="L2", gradients=True, minimal=False)
def autoattack_l2(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 1.0,
    steps: Steps = 50,
    targets: Targets = 9,
    queries: Queries = 1000,
    seed: Seed = 0,
) -> torch.Tensor:
    """AutoAttack in the ball of Euclidean length.

    Source: Croce & Hein (2020), Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks.
    """
    return ensemble(module, x, y, epsilon, "L2", steps, targets, queries, seed)[0]


def ensemble(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    epsilon: float,
    norm: str,
    steps: int,
    targets: int,
    queries: int,
    seed: int,
) -> tuple[torch.Tensor, list[str]]:
    """What the four attacks found, like `x`, and who broke each sample ("" for who stands).

    A sample that stands keeps what APGD-CE made of it; one that was wrong from the beginning
    stays as it is, broken by "".
    """
    found, by = x.clone(), [""] * len(x)
    open_ = ~fooled(module, x, y)
    for member in MEMBERS:
        if not bool(open_.any()):
            break
        part, own = x[open_], y[open_]
        match member:
            case "apgd_ce":
                attempt = climb(module, part, own, epsilon, norm, steps, 1, entropy(False), seed)
            case "apgd_t":
                attempt = aim_in_turn(module, part, own, epsilon, norm, steps, targets, seed)
            case "fab_t":
                attempt = search_in_turn(module, part, own, epsilon, norm, steps, targets, seed)
                attempt = inside(attempt, part, epsilon, norm)
            case _:
                attempt = square_walk(module, part, own, epsilon, norm, queries, seed)
        hit = fooled(module, attempt, own)
        rows = open_.nonzero()[:, 0]
        take = rows if member == MEMBERS[0] else rows[hit]
        found[take] = attempt if member == MEMBERS[0] else attempt[hit]
        for row in rows[hit].tolist():
            by[row] = member
        open_[rows[hit]] = False
        seen(found)
    return found, by
