"""An explanation with its own costs and its own error beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.explain.table import calm
from engine.tables import Entry


@dataclass(frozen=True)
class Measured:
    """What a method found and what that took.

    Attributes:
        map: The explanation, like the input, `(batch, ...)`.
        seconds: Time it took [s].
        evaluations: Samples that went through the network.
        gap: How far the numbers are from summing to F(x) − F(baseline), the largest of the
            batch; NaN for a method that does not claim to.
        total: The difference F(x) − F(baseline) it should sum to, `(batch,)`.
    """

    map: torch.Tensor
    seconds: float
    evaluations: int
    gap: float
    total: torch.Tensor


def measure(
    entry: Entry,
    module: nn.Module,
    x: torch.Tensor,
    target: int | torch.Tensor,
    settings: Mapping[str, Any],
) -> Measured:
    """Explain a batch and measure the explanation.

    Args:
        entry: A method of the table of explainers.
        module: The network.
        x: Samples, `(batch, ...)`.
        target: The output to explain.
        settings: The method's own.

    Raises:
        ValueError: The method does not fit this network or these samples; says why.
    """
    with counted(module) as count:
        begun = time.perf_counter()
        found = entry(module, x, target, **settings)
        seconds = time.perf_counter() - begun
    filled = entry.form.fill(dict(settings))
    total = _difference(module, x, target, float(filled.get("baseline", 0.0)))  # type: ignore[arg-type]
    gap = math.nan
    if entry.facts["complete"]:
        gap = float((found.flatten(1).sum(1) - total).abs().max())
    return Measured(found, seconds, count[0], gap, total)


@contextmanager
def counted(module: nn.Module) -> Iterator[list[int]]:
    """Within, the one number of the list counts the samples that went through the module."""
    count = [0]

    def add(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        count[0] += len(inputs[0])

    hook = module.register_forward_pre_hook(add)
    try:
        yield count
    finally:
        hook.remove()


def _difference(
    module: nn.Module, x: torch.Tensor, target: int | torch.Tensor, baseline: float
) -> torch.Tensor:
    """`F(x) − F(baseline)` of the explained output, `(batch,)`."""
    rows, wanted = torch.arange(len(x)), torch.as_tensor(target).expand(len(x))
    with calm(module), torch.no_grad():
        gained: torch.Tensor = module(x) - module(torch.full_like(x, baseline))
    return gained[rows, wanted]
