"""Who takes the next steps: PyTorch, or the compiled loop where it computes the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from engine.data import DataSet
from engine.training.fast.ready import ready
from engine.training.objective import Objective
from engine.training.settings import Settings
from engine.views import Array

if TYPE_CHECKING:  # numba is not light
    from engine.training.fast.route import Perceptron, Taken

LEAP = 0.004  # seconds of steps that the compiled loop takes at once
FIRST = 16  # steps, before it is known how long they take
WIDEST = 1_024  # samples a batch; beyond, PyTorch's matrix products win


class Route:
    """The choice between the two, looked up at every step, so that any control may be turned.

    Attributes:
        most: How many steps the compiled loop may take at once.
    """

    def __init__(self, module: nn.Module, data: DataSet) -> None:
        self.most = FIRST
        self._network: Perceptron | None = None
        self._taken = 0  # steps that the optimizer has counted, and those of the loop since
        self._pending = False  # whether there are any of the loop that it has not counted
        if ready() and data.kind in ("plane", "table"):
            from engine.training.fast.route import Perceptron

            self._network = Perceptron.of(module)
            self._x, self._y = data.train_x.numpy(), data.train_y.numpy()

    @property
    def network(self) -> Perceptron | None:
        """The weights as the compiled loop sees them, or None if PyTorch takes all steps."""
        return self._network

    def compiled(self, settings: Settings, objective: Objective) -> bool:
        """Whether the compiled loop takes the next step."""
        return self._network is not None and _plain(settings, objective)

    def settle(self, optimizer: torch.optim.Optimizer, settings: Settings) -> None:
        """Tell the optimizer of the loop's steps, and have the loop work on its memory."""
        if self._network is None:
            return
        from engine.training.fast.route import known

        if not known("cross-entropy", settings.optimizer):
            return
        if self._pending:
            self._network.count(optimizer, settings.optimizer, self._taken)
            self._pending = False
        self._network.adopt(optimizer, settings.optimizer)
        self._taken = self._network.taken(optimizer)

    def leap(
        self,
        settings: Settings,
        objective: Objective,
        order: torch.Tensor,
        begin: int,
        rates: Array,
    ) -> Taken:
        """Steps by the compiled loop, one for each of `rates`, from `begin` in the order."""
        from engine.training.fast.route import Way, knob_of

        if self._network is None:
            raise RuntimeError("leap: only where compiled() says so")
        if not self._pending:
            self._network.show_gradients()
        knob = knob_of(objective.name)
        way = Way(
            settings.optimizer,
            settings.momentum,
            settings.weight_decay,
            objective.name,
            float(getattr(settings, knob)) if knob else 0.0,
            settings.clip,
        )
        taken = self._network.train(
            self._x, self._y, order.numpy(), begin, settings.batch_size, rates, self._taken, way
        )
        self._taken += taken.steps
        self._pending = True
        return taken

    def learn(self, steps: int, seconds: float) -> None:
        """Note how long some steps took, so that the next leap is of the right length."""
        if seconds > 0:
            self.most = max(1, min(4 * self.most, int(steps * LEAP / seconds)))


def _plain(settings: Settings, objective: Objective) -> bool:
    """Whether the settings ask for nothing that only PyTorch's route does."""
    from engine.training.fast.route import known

    return (
        known(objective.name, settings.optimizer)
        and not (settings.balance or settings.l1)
        and settings.accumulate == 1
        and settings.augmentation == "none"
        and settings.precision == "float32"
        and settings.batch_size <= WIDEST
    )
