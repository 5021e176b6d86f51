"""Optimizers by name: `make(parameters, learning_rate, weight_decay, momentum)`.

`momentum` is the part of the last step that is kept: β in the descent family, β₁ in the Adam
family. An entry's facts are `rate`, a learning rate to begin with, and `momentum`, whether it
uses one.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

from engine.tables import Table

optimizers = Table("optimizer", "engine.training.optimizers")

Parameters = Iterable[torch.nn.Parameter]


def turn(optimizer: torch.optim.Optimizer, name: str, value: float) -> None:
    """Change `learning_rate`, `weight_decay` or `momentum` from the next step on."""
    for group in optimizer.param_groups:
        if name == "learning_rate":
            group["lr"] = value
        elif name == "momentum" and "betas" in group:
            group["betas"] = (value, group["betas"][1])
        elif name in group and (name != "momentum" or group["momentum"]):
            group[name] = value
