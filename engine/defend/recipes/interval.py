"""Learning narrow bounds, so that there is something to certify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.defend.bounds.interval import interval
from engine.defend.table import Lesson, Objective, Radius, recipes
from engine.forms import Slider
from engine.models.unit import box_of, boxed
from engine.network.build import build


@recipes.add("interval", attacks=False)
def interval_bounds(
    lesson: Lesson,
    *,
    epsilon: Radius = 0.1,
    share: Annotated[float, Slider(0.0, 1.0, help="More weight on the proof")] = 0.5,
    ramp: Annotated[float, Slider(0.0, 1.0, help="ε grows over a longer part of the run")] = 0.5,
) -> Objective:
    """Learn from the worst scores that interval bounds allow; ε and their weight grow slowly.

    Source: Gowal et al. (2018), On the effectiveness of interval bound propagation for training
    verifiably robust models.
    """
    box = box_of(lesson.data)
    with torch.random.fork_rng(devices=[]):
        probe = boxed(build(lesson.spec), box).eval()
    interval(probe, *[box.inward(lesson.data.train_x[:1])] * 2)  # refuses before any training
    batches = -(-len(lesson.data.train_x) // lesson.settings.batch_size)
    rise = max(1.0, ramp * batches * lesson.settings.epochs)
    step = [0]

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        step[0] += 1
        part = min(1.0, step[0] / rise)
        clean, inner = box.inward(x), boxed(module, box)
        scores: torch.Tensor = module(x)
        with _answering(inner):
            low, high = interval(
                inner,
                (clean - part * epsilon).clamp(0, 1),
                (clean + part * epsilon).clamp(0, 1),
            )
        own = functional.one_hot(y, low.shape[1]).bool()
        worst = torch.where(own, low, high)
        plain, proof = (functional.cross_entropy(one, y) for one in (scores, worst))
        return scores, (1 - part * share) * plain + part * share * proof

    return Objective(learn)


@contextmanager
def _answering(module: nn.Module) -> Iterator[None]:
    """Within, layers answer as in eval mode, but their weights still learn."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
