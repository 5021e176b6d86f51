"""Defences that only change the labels: smoothing and distillation. Neither holds for long."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.defend.table import Lesson, Objective, recipes
from engine.forms import Slider
from engine.network.build import build
from engine.training.session import Session


@recipes.add("label_smoothing", attacks=False)
def label_smoothing(
    lesson: Lesson,
    *,
    smoothing: Annotated[float, Slider(0.0, 0.9, help="Less certain labels")] = 0.2,
) -> Objective:
    """Labels that are less than certain: part of the chance goes to all classes alike.

    It flattens the loss around samples, which stops weak attacks and hardly any strong one.

    Source: Szegedy et al. (2016), Rethinking the inception architecture; Warde-Farley &
    Goodfellow (2016), Adversarial perturbations of deep neural networks.
    """
    del lesson

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scores: torch.Tensor = module(x)
        return scores, functional.cross_entropy(scores, y, label_smoothing=smoothing)

    return Objective(learn)


@recipes.add("distillation", attacks=False)
def distillation(
    lesson: Lesson,
    *,
    temperature: Annotated[float, Slider(1.0, 50.0, help="Softer answers of the teacher")] = 20.0,
    soft: bool = True,
) -> Objective:
    """Learn a teacher's soft answers at a high temperature, then answer at temperature 1.

    The scores grow by the temperature, the softmax saturates and the gradient vanishes: attacks
    on the cross-entropy stop, while those on the scores go on (Carlini & Wagner, 2017).

    Source: Papernot et al. (2016), Distillation as a defense to adversarial perturbations.
    """
    teacher = _teacher(lesson, temperature) if soft else None

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scores: torch.Tensor = module(x)
        if teacher is None:
            return scores, functional.cross_entropy(scores / temperature, y)
        teacher.module.eval()
        with torch.no_grad():
            wanted = (teacher.module(x) / temperature).softmax(1)
        return scores, functional.cross_entropy(scores / temperature, wanted)

    return Objective(learn, teacher)


def _teacher(lesson: Lesson, temperature: float) -> Session:
    """A network of the same kind that learns the labels at the same temperature."""

    def learn(
        module: nn.Module, x: torch.Tensor, y: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scores: torch.Tensor = module(x)
        return scores, functional.cross_entropy(scores / temperature, y)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.settings.seed + 1)
        module: nn.Module = build(lesson.spec)
    return Session(module, lesson.data, lesson.settings, learn=learn)
