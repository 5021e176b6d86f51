"""Accuracy, clean and under attack."""

from __future__ import annotations

import torch
from torch import nn

from engine.attack.table import attacks
from engine.explain.table import calm


def accuracy(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Part of the samples that is answered right."""
    with calm(module), torch.no_grad():
        return float((module(x).argmax(1) == y).double().mean())


def robust_accuracy(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float, attack: str = "pgd"
) -> float:
    """Part of the samples still answered right after an attack with this budget."""
    return accuracy(module, attacks.find(attack)(module, x, y, epsilon=epsilon), y)
