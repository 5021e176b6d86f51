"""How a network is told the noise level and the class: as a vector."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

SLOWEST, FASTEST = 1.0, 200.0  # of the waves, in radians from t = 0 to t = 1


class Told(nn.Module):
    """Sines and cosines of the level, through a small network, and a vector for each class.

    Args:
        width: Numbers it gives.
        classes: How many classes; one more stands for "not told". 0: it knows of none.

    Source: Vaswani et al. (2017), Attention Is All You Need, for the waves.
    """

    waves: torch.Tensor

    def __init__(self, width: int, classes: int = 0) -> None:
        super().__init__()
        count = width // 4
        pace = torch.linspace(math.log(SLOWEST), math.log(FASTEST), count).exp()
        self.register_buffer("waves", pace, persistent=False)
        self.first, self.second = nn.Linear(2 * count, width), nn.Linear(width, width)
        self.classes = nn.Embedding(classes + 1, width) if classes else None

    def forward(self, level: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Levels `(n,)` (or one for all, `(1,)`) and classes `(n,)` -> `(n or 1, width)`."""
        angles = level[:, None] * self.waves
        known = self.first(torch.cat([angles.sin(), angles.cos()], 1))
        if self.classes is not None:
            nobody = torch.tensor([self.classes.num_embeddings - 1])
            known = known + self.classes(nobody if labels is None else labels)
        told: torch.Tensor = functional.silu(self.second(functional.silu(known)))
        return told


def silent(layer: nn.Linear | nn.Conv2d) -> None:
    """Let a layer give nothing but zeros until it has learnt something."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
