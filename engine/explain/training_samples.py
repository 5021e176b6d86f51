"""Which training samples made a network say what it says.

The table `influences`: `influence(train, test, **settings) -> (tests, trains)`; positive numbers
speak for the test sample's answer: the training sample made its loss smaller. All look at the last
linear layer alone, where a sample's gradient is `(p − y) ⊗ h`, `p` the chances, `y` the answer and
`h` what the layer reads (a one at its end for the bias).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.explain.layers import hooked
from engine.explain.table import calm
from engine.tables import Table

influences = Table("influence", "engine.explain.influences")

Influence = Callable[..., torch.Tensor]
BATCH = 256


@dataclass(frozen=True)
class Read:
    """Samples as the last layer sees them.

    Attributes:
        inputs: What it reads, with a one at the end, `(n, features + 1)`.
        errors: Chances less the answer, `(n, classes)`.
        chances: `(n, classes)`.
    """

    inputs: torch.Tensor
    errors: torch.Tensor
    chances: torch.Tensor


def last_layer(module: nn.Module) -> nn.Linear:
    """The linear layer that gives the scores.

    Raises:
        ValueError: The network does not end with one.
    """
    found = [part for part in module.modules() if isinstance(part, nn.Linear)]
    if not found:
        raise ValueError(
            "influence: looks at the last linear layer, and this network has none; end it with a "
            "Linear"
        )
    return found[-1]


def read(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Read:
    """Samples `(n, ...)` with their answers `(n,)` as the last layer sees them.

    Raises:
        ValueError: The network does not end with a linear layer.
    """
    layer = last_layer(module)
    seen: list[torch.Tensor] = []
    scores: list[torch.Tensor] = []

    def keep(_layer: nn.Module, inputs: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        seen.append(inputs[0])
        scores.append(out)

    answers: list[torch.Tensor] = []
    with calm(module), torch.no_grad(), hooked(layer, keep):
        for some in x.split(BATCH):
            answers.append(module(some))
    said, given = torch.cat(answers), torch.cat(scores)
    if said.ndim != 2 or said.shape != given.shape or not torch.allclose(said, given, atol=1e-4):
        raise ValueError(
            "influence: needs a network whose scores come straight from its last Linear; this one "
            "does something after it. Take that away, or ask for another view"
        )
    inputs = torch.cat(seen).flatten(1)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1)], 1)
    chances = said.softmax(1)
    wanted = nn.functional.one_hot(y.long(), said.shape[1]).to(chances.dtype)
    return Read(inputs, chances - wanted, chances)


def influence(name: str, **facts: Any) -> Callable[[Influence], Influence]:
    """Put a way into the table."""
    return influences.add(name, **facts)
