"""Distributions of the plane that a generative model can be asked to learn; a table.

An entry makes a `Target`: how to draw from it and, where it is known, its exact density, so that
what a model has learnt can be held against the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.tables import Table

targets = Table("target", "engine.generate.targets")

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Target:
    """A distribution of the plane.

    Attributes:
        draw: How many points, and a generator -> points `(n, 2)` and their classes `(n,)`.
        log_density: Points `(n, 2)` -> log p [nat], `(n,)`; None where it has no closed form.
        extent: The part of the plane that holds it.
        modes: Centres of its modes, `(modes, 2)`; None where it has no separate ones.
        spread: Standard deviation of one mode; a sample within three of a centre is *valid*.
        classes: What the classes are called.
        shares: How likely each mode is, `(modes,)`; None: all equally.
        line: Where the density is a line smeared with round noise, points along it, `(n, 2)`, each
            as likely; `smear` is the noise's standard deviation.
    """

    draw: Callable[[int, torch.Generator], tuple[torch.Tensor, torch.Tensor]]
    log_density: Callable[[torch.Tensor], torch.Tensor] | None
    extent: Extent
    modes: torch.Tensor | None = None
    spread: float = 0.0
    classes: tuple[str, ...] = ()
    shares: torch.Tensor | None = None
    line: torch.Tensor | None = None
    smear: float = 0.0
