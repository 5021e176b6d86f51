"""An attack that sees only answers and guesses the border's direction from many of them."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.attack.balls import across, length
from engine.attack.methods.blind import first_fooling, to_border
from engine.attack.table import Epsilon, Seed, attack, fooled
from engine.attack.watch import seen
from engine.forms import Slider


@attack("hopskipjump", norm="L2", gradients=False, minimal=True)
def hopskipjump(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epsilon: Epsilon = 3.0,
    rounds: Annotated[int, Slider(1, 40, log=True, help="Comes closer")] = 12,
    draws: Annotated[int, Slider(10, 400, log=True, help="A steadier direction")] = 60,
    seed: Seed = 0,
) -> torch.Tensor:
    """At the border guess its normal from random probes, step along it, and go back to the border.

    Source: Chen, Jordan & Wainwright (2020), HopSkipJumpAttack: a query-efficient decision-based
    attack.
    """
    del epsilon  # the ball is applied at the door
    generator = torch.Generator().manual_seed(seed)
    best = first_fooling(module, x, y, generator)
    for turn in range(1, rounds + 1):
        far = length(best - x, "L2").clamp_min(1e-9)
        probe = far / x[0].numel() ** 0.5
        normal = _normal(module, best, y, probe, round(draws * turn**0.5), generator)
        pace = far / turn**0.5
        for _ in range(12):  # shorter until it fools
            ahead = (best + across(pace, x) * normal).clamp(0, 1)
            miss = ~fooled(module, ahead, y)
            if not bool(miss.any()):
                break
            pace = torch.where(miss, pace / 2, pace)
        ahead = torch.where(across(miss, x), best, ahead)
        found = to_border(module, x, ahead, y)
        closer = length(found - x, "L2") < far
        best = torch.where(across(closer, x), found, best)
        seen(best)
    return best


def _normal(
    module: nn.Module,
    best: torch.Tensor,
    y: torch.Tensor,
    probe: torch.Tensor,
    draws: int,
    generator: torch.Generator,
) -> torch.Tensor:
    """The border's direction at each sample, of length one, from probes on both sides of it."""
    ways, answers = [], []
    for _ in range(draws):
        way = torch.randn(best.shape, generator=generator, dtype=best.dtype)
        way = way / across(length(way, "L2"), best)
        ways.append(way)
        hit = fooled(module, (best + across(probe, best) * way).clamp(0, 1), y)
        answers.append(2.0 * hit - 1.0)
    said = torch.stack(answers)  # (draws, batch)
    said = torch.where(said.abs().sum(0) == said.sum(0).abs(), said, said - said.mean(0))
    total = sum(across(a, best) * way for a, way in zip(said, ways, strict=True))
    normal = torch.as_tensor(total)
    return normal / across(length(normal, "L2").clamp_min(1e-12), best)
