"""What an explanation will cost, said before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.explain.layers import find_layer
from engine.explain.parts import players
from engine.explain.table import calm, slope
from engine.tables import Entry

PROBE = 32  # samples that are timed


@dataclass(frozen=True)
class Work:
    """What is to be explained, for the formulas that count evaluations.

    Attributes:
        module: The network.
        x: Samples, `(batch, ...)`.
        settings: The method's own, with its defaults filled in.
        references: How many samples of the data it may compare with.
    """

    module: nn.Module
    x: torch.Tensor
    settings: Mapping[str, Any]
    references: int = 0

    @property
    def batch(self) -> int:
        """How many samples there are."""
        return len(self.x)

    @property
    def parts(self) -> int:
        """Into how many parts a sample is cut."""
        return int(players(self.x, int(self.settings.get("grid", 1))).max()) + 1

    @property
    def channels(self) -> int:
        """How many feature maps the method's layer has."""
        layer = find_layer("cost", self.module, str(self.settings.get("layer", "")))
        width: list[int] = []
        hook = layer.register_forward_hook(lambda _l, _i, out: width.append(out.shape[1]))
        try:
            with calm(self.module), torch.no_grad():
                self.module(self.x[:1])
        finally:
            hook.remove()
        return width[0]


Count = Callable[[Work], int]


@dataclass(frozen=True)
class Estimate:
    """What a method is expected to take.

    Attributes:
        evaluations: Samples that will go through the network.
        seconds: Time [s], from a timed probe of this network on this machine.
    """

    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Pace:
    """Time for one sample [s]: forward alone, and forward with backward."""

    forward: float
    backward: float


def pace(module: nn.Module, x: torch.Tensor) -> Pace:
    """Time a few samples through the network."""
    batch = x[:1].expand(PROBE, *x.shape[1:]).contiguous()
    target = torch.zeros(PROBE, dtype=torch.long)
    with calm(module):
        with torch.no_grad():
            module(batch[:1])  # the first call of a network is slower than all others
            begun = time.perf_counter()
            module(batch)
        half = time.perf_counter()
        slope(module, batch, target)
        done = time.perf_counter()
    return Pace((half - begun) / PROBE, (done - half) / PROBE)


def estimate(entry: Entry, work: Work, measured: Pace) -> Estimate:
    """How many evaluations a method will need and how long they will take.

    Raises:
        ValueError: The method does not fit this network; says why.
    """
    count: Count = entry.facts["cost"]
    evaluations = count(work)
    each = measured.forward if entry.facts["family"] == "perturbation" else measured.backward
    return Estimate(evaluations, evaluations * each)
