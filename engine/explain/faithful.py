"""Whether a map points at what the network really uses: take that away and look at the score."""

from __future__ import annotations

import torch
from torch import nn

from engine.explain.table import calm
from engine.views import Array

STEPS = 20


def deletion(
    module: nn.Module,
    x: torch.Tensor,
    target: int,
    order: torch.Tensor,
    *,
    steps: int = STEPS,
    baseline: float = 0.0,
    insert: bool = False,
) -> Array:
    """The chance of the target while places are taken away in an order, `(steps + 1,)`.

    Args:
        module: The network.
        x: One sample, `(1, ...)`.
        target: The output watched.
        order: The numbers of the places, the most important first, `(places,)`; for pictures a
            place is a pixel in all its channels.
        steps: How many portions the places are taken in.
        baseline: What stands for a missing number.
        insert: Whether places are put into an empty sample instead.

    Source: Petsiuk, Das & Saenko (2018), RISE, section 4.1.
    """
    places = len(order)
    rank = torch.empty(places, dtype=torch.long)
    rank[order] = torch.arange(places)
    gone = rank[None] < torch.linspace(0, places, steps + 1).round()[:, None]  # (steps + 1, places)
    shape = (len(gone), 1, *x.shape[2:]) if x.ndim == 4 else (len(gone), *x.shape[1:])
    hidden = (~gone if insert else gone).reshape(shape)
    with calm(module), torch.no_grad():
        scores = module(torch.where(hidden, torch.full_like(x, baseline), x))
    chances: Array = scores.softmax(1)[:, target].numpy()
    return chances


def ranking(explanation: torch.Tensor) -> torch.Tensor:
    """The places of a map `(1, ...)`, what speaks most for the target first, `(places,)`."""
    one = explanation[0].sum(0) if explanation.ndim == 4 else explanation[0]
    return one.flatten().argsort(descending=True, stable=True)


def area(chances: Array) -> float:
    """Mean height of a curve over equal steps: small for a good deletion, large for insertion."""
    return float((chances[1:] + chances[:-1]).mean() / 2)
