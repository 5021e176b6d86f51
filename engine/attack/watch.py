"""The way an attack goes: its iterates with what they cost, recorded without its knowing.

    with recorded(module) as path:
        attack(module, x, y, epsilon=0.1)
    path[0].x, path[-1].x, path[-1].forwards

An attack calls `seen(found)` after each of its steps; nothing happens unless somebody records.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import nn

MOST_KEPT = 2000  # iterates; later ones thin out the earlier


@dataclass
class Cost:
    """What was asked of a network.

    Attributes:
        forwards: Samples it answered.
        backwards: Samples for which it gave a gradient.
    """

    forwards: int = 0
    backwards: int = 0


@dataclass(frozen=True)
class Step:
    """One place on the way of an attack.

    Attributes:
        x: Where it stood, like the input.
        forwards: Samples the network had answered by then.
        backwards: Samples it had given a gradient for.
        seconds: Time since the attack began, without the recording [s].
    """

    x: torch.Tensor
    forwards: int
    backwards: int
    seconds: float


class Path(list[Step]):
    """The places in their order; of long ways every second, fourth, ... is kept."""

    def __init__(self, cost: Cost) -> None:
        super().__init__()
        self._cost = cost
        self._begun = time.perf_counter()
        self._every = 1
        self._count = 0

    def add(self, x: torch.Tensor) -> None:
        """Keep a copy of where the attack stands."""
        stopped = time.perf_counter()
        if self._count % self._every == 0:
            cost = self._cost
            took = stopped - self._begun
            self.append(Step(x.detach().clone(), cost.forwards, cost.backwards, took))
            if len(self) > MOST_KEPT:
                del self[1::2]
                self._every *= 2
        self._count += 1
        self._begun += time.perf_counter() - stopped

    def close(self, x: torch.Tensor) -> None:
        """Keep where the attack ended."""
        self._count = 0
        self.add(x)


_watcher: ContextVar[Path | None] = ContextVar("watcher", default=None)


def seen(found: torch.Tensor) -> None:
    """Tell whoever records where the attack stands now, like the input."""
    path = _watcher.get()
    if path is not None:
        path.add(found)


def ended(found: torch.Tensor) -> None:
    """Tell whoever records what the attack gives back."""
    path = _watcher.get()
    if path is not None:
        path.close(found)


@contextmanager
def unseen() -> Iterator[None]:
    """Within, steps are not recorded: an attack inside an attack, or on part of a batch."""
    token = _watcher.set(None)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextmanager
def counted(module: nn.Module) -> Iterator[Cost]:
    """Within, what is asked of the module is counted, in samples."""
    cost = Cost()

    def answered(_part: nn.Module, inputs: tuple[torch.Tensor, ...], scores: torch.Tensor) -> None:
        cost.forwards += len(inputs[0])
        if scores.requires_grad:
            scores.register_hook(sloped)

    def sloped(gradient: torch.Tensor) -> None:
        cost.backwards += len(gradient)

    hook = module.register_forward_hook(answered)
    try:
        yield cost
    finally:
        hook.remove()


@contextmanager
def recorded(module: nn.Module) -> Iterator[Path]:
    """Within, the steps of an attack on the module are recorded."""
    with counted(module) as cost:
        path = Path(cost)
        token = _watcher.set(path)
        try:
            yield path
        finally:
            _watcher.reset(token)
