"""Losses by name: `loss(scores, y, **settings) -> (n,)`, one number a sample.

For classes `scores` are `(n, classes)` and not yet chances (a loss applies softmax or sigmoid
itself), `y` is `(n,)` whole numbers. For regression both are `(n, outputs)` float. An entry's
facts are `tasks`, the kinds of answer it can judge, and `unit`, of the number it gives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from engine.tables import Table

losses = Table("loss", "engine.training.losses")

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

AUTOMATIC = {"classification": "cross-entropy", "regression": "squared error"}
"""What `automatic` stands for."""


def choose(name: str, task: str, settings: Mapping[str, Any]) -> tuple[Loss, str]:
    """The loss of a name with its own settings bound, and its unit in brackets or nothing.

    Args:
        name: Of an entry, or `automatic`.
        task: `classification` or `regression`.
        settings: Values by name; a loss takes those it knows.

    Raises:
        ValueError: The loss judges no answers of this task; says which do.
        LookupError: There is no such loss.
    """
    entry = losses.find(AUTOMATIC[task] if name == "automatic" else name)
    if task not in entry.facts["tasks"]:
        fitting = [one.name for one in losses.all().values() if task in one.facts["tasks"]]
        raise ValueError(
            f"loss: {entry.name} judges {' or '.join(entry.facts['tasks'])}; the data are for "
            f"{task}. Choose one of {', '.join(fitting)}"
        )
    known = inspect.signature(entry.function).parameters
    own = {key: value for key, value in settings.items() if key in known}
    unit = str(entry.facts.get("unit", ""))
    return partial(entry.function, **own), f" [{unit}]" if unit else ""
