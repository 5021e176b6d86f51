"""How well a number tells two groups apart, and how accuracy falls with the budget."""

from __future__ import annotations

import torch
from torch import nn

from engine.attack.table import attacks
from engine.explain.table import calm


def roc(clean: torch.Tensor, attacked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The receiver operating characteristic of a suspicion.

    Returns:
        Part of clean samples wrongly reported, and part of attacked ones found, for every
        threshold from none to all.
    """
    scores = torch.cat([clean, attacked]).double()
    truth = torch.cat([torch.zeros(len(clean)), torch.ones(len(attacked))]).double()
    order = scores.argsort(descending=True)
    scores, truth = scores[order], truth[order]
    last = torch.cat([scores[1:] != scores[:-1], torch.tensor([True])])  # ties go together
    found, wrong = truth.cumsum(0)[last], (1 - truth).cumsum(0)[last]
    zero = torch.zeros(1, dtype=torch.float64)
    return torch.cat([zero, wrong / len(clean)]), torch.cat([zero, found / len(attacked)])


def area(clean: torch.Tensor, attacked: torch.Tensor) -> float:
    """The area under it: the chance that an attacked sample is more suspicious than a clean one."""
    wrong, found = roc(clean, attacked)
    return float(torch.trapezoid(found, wrong))


def accuracy(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Part of the samples that is answered right."""
    with calm(module), torch.no_grad():
        return float((module(x).argmax(1) == y).double().mean())


def robust_accuracy(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float, attack: str = "pgd"
) -> float:
    """Part of the samples still answered right after an attack with this budget."""
    return accuracy(module, attacks.find(attack)(module, x, y, epsilon=epsilon), y)
