"""An explanation with its own costs and its own error beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from engine.explain.methods.backward import greys
from engine.explain.table import calm, compares, listening
from engine.tables import Entry

SEEDS = 5  # draws of a sampled method that its band is made of

Progress = Callable[[int], None]
"""Told how many samples have gone through the network; may raise to end the work."""


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
        band: For a sampled method, how far other seeds' maps lie from their mean, as a part of
            it: 0.1 is a tenth; NaN where that was not measured.
        told: What the method itself says of its error, for instance the R² of its fit.
    """

    map: torch.Tensor
    seconds: float
    evaluations: int
    gap: float
    total: torch.Tensor
    band: float = math.nan
    told: Mapping[str, float] = field(default_factory=dict)


def measure(
    entry: Entry,
    module: nn.Module,
    x: torch.Tensor,
    target: int | torch.Tensor,
    settings: Mapping[str, Any],
    *,
    references: torch.Tensor | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Explain a batch and measure the explanation.

    Args:
        entry: A method of the table of explainers.
        module: The network.
        x: Samples, `(batch, ...)`.
        target: The output to explain.
        settings: The method's own.
        references: Samples of the data, for methods that compare with some.
        progress: Told after every pass how far it is.

    Raises:
        ValueError: The method does not fit this network or these samples; says why.
    """
    others = {"references": references} if references is not None and compares(entry) else {}
    with counted(module, progress) as count, listening() as told:
        begun = time.perf_counter()
        found = entry(module, x, target, **settings, **others)
        seconds = time.perf_counter() - begun
    total = _difference(module, x, target, _bases(entry, x, settings, others.get("references")))
    gap = math.nan
    if entry.facts["complete"]:
        gap = float((found.flatten(1).sum(1) - total).abs().max())
    return Measured(found, seconds, count[0], gap, total, told=dict(told))


def band(
    entry: Entry,
    module: nn.Module,
    x: torch.Tensor,
    target: int | torch.Tensor,
    settings: Mapping[str, Any],
    *,
    references: torch.Tensor | None = None,
    progress: Progress | None = None,
) -> float:
    """How much a sampled method's map changes with its seed, as a part of the mean map.

    The root of the mean square distance of `SEEDS` maps from their mean, over the mean's length.
    """
    first = int(settings.get("seed", 0))
    maps = torch.stack(
        [
            measure(
                entry, module, x, target, {**settings, "seed": first + turn},
                references=references, progress=progress,
            ).map
            for turn in range(SEEDS)
        ]
    ).flatten(1)  # fmt: skip
    mean = maps.mean(0)
    scatter = (maps - mean).square().sum(1).mean().sqrt()
    return float(scatter / mean.norm()) if mean.norm() > 0 else math.nan


@contextmanager
def counted(module: nn.Module, progress: Progress | None = None) -> Iterator[list[int]]:
    """Within, the one number of the list counts the samples that went through the module."""
    count = [0]

    def add(_module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        count[0] += len(inputs[0])
        if progress is not None:
            progress(count[0])

    hook = module.register_forward_pre_hook(add)
    try:
        yield count
    finally:
        hook.remove()


def _bases(
    entry: Entry, x: torch.Tensor, settings: Mapping[str, Any], references: torch.Tensor | None
) -> torch.Tensor:
    """What the method compares with, `(n, ...)`: the difference is to the mean score of these."""
    if references is not None:
        return references
    filled = entry.form.fill(dict(settings))
    if compares(entry) and "baseline" not in filled:
        return greys(x)
    return torch.full_like(x[:1], float(filled.get("baseline", 0.0)))  # type: ignore[arg-type]


def _difference(
    module: nn.Module, x: torch.Tensor, target: int | torch.Tensor, bases: torch.Tensor
) -> torch.Tensor:
    """`F(x)` less the mean of `F(base)` of the explained output, `(batch,)`."""
    rows, wanted = torch.arange(len(x)), torch.as_tensor(target).expand(len(x))
    with calm(module), torch.no_grad():
        gained: torch.Tensor = module(x) - module(bases).mean(0)
    return gained[rows, wanted]
