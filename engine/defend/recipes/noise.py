"""Learning from noisy inputs: what randomised smoothing asks of its network."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.defend.table import Lesson, Objective, recipes
from engine.forms import Slider
from engine.models.unit import box_of, boxed


@recipes.add("noise", attacks=False)
def noise(
    lesson: Lesson,
    *,
    sigma: Annotated[float, Slider(0.0, 1.0, help="More noise, larger certificates")] = 0.25,
) -> Objective:
    """Add Gaussian noise to every input, so that the network can be smoothed and certified.

    Source: Cohen, Rosenfeld & Kolter (2019), Certified adversarial robustness via randomized
    smoothing.
    """
    box = box_of(lesson.data)

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        clean = box.inward(x)
        scores: torch.Tensor = boxed(module, box)(clean + sigma * torch.randn_like(clean))
        return scores, functional.cross_entropy(scores, y)

    return Objective(learn)
