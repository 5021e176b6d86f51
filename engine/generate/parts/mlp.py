"""Plain stacks of linear layers, for points of the plane and for latent codes."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def mlp(
    takes: int,
    gives: int,
    *,
    width: int = 64,
    depth: int = 2,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """`depth` hidden layers of `width` units: `(batch, takes)` -> `(batch, gives)`."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(takes, width), activation()]
        takes = width
    return nn.Sequential(*layers, nn.Linear(takes, gives))
