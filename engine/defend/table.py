"""The tables of defences: training recipes, input filters, detectors.

A recipe makes an `Objective`: what is learnt on a batch instead of the plain loss. It sees inputs
in [0, 1] (`engine.models.unit`), so `epsilon` means the same for pictures, points and tables.
A filter changes inputs before the network sees them, `filter(x, generator, **settings) -> like x`.
A detector is fitted on clean training samples and gives a score that grows with suspicion:
`detector(module, x, y, **settings) -> Suspicion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch

from engine.data import DataSet
from engine.forms import Slider
from engine.network.spec import NetworkSpec
from engine.tables import Table
from engine.training.session import Learn, Session
from engine.training.settings import Settings

recipes = Table("training defence", "engine.defend.recipes")
"""Entries' facts: `attacks`, whether inputs are attacked while learning."""

filters = Table("input filter", "engine.defend.filters")
"""Entries' facts: `random`, whether it draws random numbers; `blunt`, whether its gradient is zero
almost everywhere."""

detectors = Table("detector", "engine.defend.detectors")

Radius = Annotated[float, Slider(0.0, 0.5, help="Holds against larger changes, costs accuracy")]
Rounds = Annotated[int, Slider(1, 40, log=True, help="A stronger attack at every step, slower")]

Suspicion = Callable[[torch.Tensor], torch.Tensor]
"""Inputs `(batch, ...)` to how suspicious each is, `(batch,)`; only the order means anything."""


@dataclass(frozen=True)
class Lesson:
    """What a recipe may know of the training it is part of.

    Attributes:
        spec: The network that learns.
        data: What it learns from.
        settings: How.
    """

    spec: NetworkSpec
    data: DataSet
    settings: Settings


@dataclass
class Objective:
    """How a defended network learns.

    Attributes:
        learn: The loss of a batch.
        teacher: A network that must be trained before, or None.
        replays: How often each batch is seen in a row; batches an epoch fall by as much.
    """

    learn: Learn
    teacher: Session | None = None
    replays: int = 1
