"""A small perceptron's training handed over to the compiled loop, and back at any moment.

The module's own parameters, gradients and optimizer memory become views of the flat arrays that the
loop works on. So whoever looks at the module sees the newest numbers, a checkpoint is written as
ever, and PyTorch may take the next step itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from engine.training.fast import kernel
from engine.views import Array

MOST_WEIGHTS = 6_000  # beyond, PyTorch's matrix products win

_ACTIVATIONS: dict[type[nn.Module], tuple[int, str]] = {
    nn.ReLU: (kernel.RELU, ""),
    nn.Tanh: (kernel.TANH, ""),
    nn.Sigmoid: (kernel.SIGMOID, ""),
    nn.LeakyReLU: (kernel.LEAKY, "negative_slope"),
    nn.ELU: (kernel.ELU, "alpha"),
    nn.SiLU: (kernel.SILU, ""),
    nn.Softplus: (kernel.SOFTPLUS, ""),
}
_OPTIMIZERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "SGD": (kernel.SGD, ()),
    "Momentum": (kernel.MOMENTUM, ("momentum_buffer",)),
    "Nesterov": (kernel.NESTEROV, ("momentum_buffer",)),
    "Adagrad": (kernel.ADAGRAD, ("sum",)),
    "RMSprop": (kernel.RMSPROP, ("square_avg",)),
    "Adadelta": (kernel.ADADELTA, ("square_avg", "acc_delta")),
    "Adam": (kernel.ADAM, ("exp_avg", "exp_avg_sq")),
    "AdamW": (kernel.ADAMW, ("exp_avg", "exp_avg_sq")),
    "Adamax": (kernel.ADAMAX, ("exp_avg", "exp_inf")),
}
_COUNTED = {"Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax"}  # torch keeps their step
_LOSSES = {
    "cross-entropy": (kernel.CROSS_ENTROPY, "label_smoothing"),
    "hinge": (kernel.HINGE, ""),
    "squared error": (kernel.SQUARED, ""),
    "absolute error": (kernel.ABSOLUTE, ""),
    "Huber": (kernel.HUBER, "huber_delta"),
}


@dataclass(frozen=True)
class Taken:
    """What some steps did.

    Attributes:
        steps: How many were taken.
        samples: How many samples they saw.
        loss: Sum of their mean losses.
        score: Sum of their mean scores: right answers, or squared errors.
        last: The last batch's mean loss; no finite number if it ended the steps.
    """

    steps: int
    samples: int
    loss: float
    score: float
    last: float


@dataclass(frozen=True)
class Way:
    """How to take steps: an optimizer and a loss with their own numbers.

    Attributes:
        optimizer: Name in the table of optimizers.
        momentum: Part of the last step that is kept.
        weight_decay: How hard weights are pulled to zero.
        loss: Name in the table of losses.
        knob: The loss's own number: its smoothing, or Huber's δ.
        longest: Length to which gradients are cut; 0 for none.
    """

    optimizer: str
    momentum: float
    weight_decay: float
    loss: str
    knob: float = 0.0
    longest: float = 0.0


def known(loss: str, optimizer: str) -> bool:
    """Whether the compiled loop knows this loss and this optimizer."""
    return loss in _LOSSES and optimizer in _OPTIMIZERS


def knob_of(loss: str) -> str:
    """The setting that is this loss's own number; empty if it has none."""
    return _LOSSES[loss][1]


def layers(module: nn.Module) -> list[nn.Module] | None:
    """The parts of a plain chain in order, or None if the module is something else."""
    if isinstance(module, nn.Sequential):
        return list(module)
    if getattr(module, "_chain", False):
        return list(module._layers)  # type: ignore[arg-type] # a Network
    return None


class Perceptron:
    """The module's weights as the compiled loop wants them.

    Attributes:
        sizes: Units of each layer, the inputs first.
        names: What the linear layers are called, `len(sizes) - 1` of them.
    """

    def __init__(self, module: nn.Module, parts: Sequence[tuple[nn.Linear, int, float]]) -> None:
        self._parts = [part for part, _, _ in parts]
        called = {part: name for name, part in module.named_modules()}
        self.names = tuple(called[part] for part in self._parts)
        self.sizes = [self._parts[0].in_features, *(part.out_features for part in self._parts)]
        self._layout = np.zeros((len(parts) + 1, 5), np.int64)
        self._layout[:, 0] = self.sizes
        self._layout[1:, 1] = np.cumsum(self.sizes)[:-1]
        self._knobs = np.array([knob for _, _, knob in parts], np.float32)
        self._places: list[tuple[torch.Tensor, int]] = []
        end = 0
        for row, (part, kind, _) in zip(self._layout[1:], parts, strict=True):
            row[2:] = kind, end, -1
            self._places.append((part.weight, end))
            end += part.weight.numel()
            if part.bias is not None:
                row[4] = end
                self._places.append((part.bias, end))
                end += part.bias.numel()
        self._flat, self._grad, self._first, self._second = np.zeros((4, end), np.float32)
        self._buffers = np.zeros((3, 0), np.float32)
        for parameter, at in self._places:
            self._view(self._flat, parameter, at).copy_(parameter.detach())
            parameter.data = self._view(self._flat, parameter, at)

    @classmethod
    def of(cls, module: nn.Module) -> Perceptron | None:
        """The module as a small perceptron, or None if it is none."""
        found = layers(module)
        parts = None if found is None else _pairs(found)
        weights = sum(parameter.numel() for parameter in module.parameters())
        if not parts or weights > MOST_WEIGHTS:
            return None
        if not all(parameter.requires_grad for parameter in module.parameters()):
            return None
        if any(parameter.dtype != torch.float32 for parameter in module.parameters()):
            return None
        return cls(module, parts)

    def adopt(self, optimizer: torch.optim.Optimizer, name: str) -> None:
        """Take over the optimizer's memory: from now on it is a view of the loop's own."""
        for parameter, at in self._places:
            memory = optimizer.state[parameter]
            for key, flat in zip(_OPTIMIZERS[name][1], (self._first, self._second), strict=False):
                view = self._view(flat, parameter, at)
                if isinstance(before := memory.get(key), torch.Tensor):
                    if before.data_ptr() == view.data_ptr():
                        continue
                    view.copy_(before)
                else:
                    view.zero_()
                memory[key] = view
            if name in _COUNTED:
                memory.setdefault("step", torch.tensor(0.0))

    def show_gradients(self) -> None:
        """Let the module's parameters show the loop's newest gradients."""
        for parameter, at in self._places:
            parameter.grad = self._view(self._grad, parameter, at)

    def taken(self, optimizer: torch.optim.Optimizer) -> int:
        """How many steps the optimizer counts."""
        step = optimizer.state[self._places[0][0]].get("step", 0.0)
        return int(step)

    def count(self, optimizer: torch.optim.Optimizer, name: str, steps: int) -> None:
        """Tell the optimizer how many steps there were, as PyTorch's own would know."""
        if name in _COUNTED:
            for parameter, _ in self._places:
                optimizer.state[parameter]["step"] = torch.tensor(float(steps))

    def train(
        self,
        x: Array,
        y: Array,
        order: Array,
        begin: int,
        batch: int,
        rates: Array,
        taken: int,
        way: Way,
    ) -> Taken:
        """Some steps, one for each rate.

        Args:
            x: Samples, `(n, features)` float32.
            y: Classes `(n,)` int64, or numbers `(n, outputs)` float32.
            order: In which order samples are taken, `(n,)` int64.
            begin: Where in the order the first batch begins.
            batch: Samples a step.
            rates: The learning rate of each step, `(steps,)` float64.
            taken: Steps before.
            way: Optimizer and loss.
        """
        self._room(batch)
        labels = y if y.ndim == 1 else np.zeros(0, np.int64)
        targets = y if y.ndim == 2 else np.zeros((0, 1), np.float32)
        loss, score, last, steps, samples = kernel.train(
            self._flat, self._grad, self._first, self._second, self._layout, self._knobs,
            x, labels, targets, order, begin, batch, rates,
            _OPTIMIZERS[way.optimizer][0], way.momentum, way.weight_decay, taken,
            _LOSSES[way.loss][0], np.float32(way.knob), way.longest, self._buffers,
        )  # fmt: skip
        return Taken(steps, samples, loss, score, last)

    def answers(self, x: Array) -> Array:
        """What every unit gives, `(all units, n)`: the inputs first, then layer by layer."""
        width = 256
        self._room(width)
        into = np.zeros((sum(self.sizes), len(x)), np.float32)
        kernel.answers(self._flat, self._layout, self._knobs, x, width, self._buffers, into)
        return into

    def _room(self, batch: int) -> None:
        needed = sum(self.sizes) * batch
        if self._buffers.shape[1] < needed:
            self._buffers = np.zeros((3, needed), np.float32)

    def _view(self, flat: Array, parameter: torch.Tensor, at: int) -> torch.Tensor:
        part = flat[at : at + parameter.numel()]
        return torch.from_numpy(part).view(parameter.shape)


def _pairs(parts: Sequence[nn.Module]) -> list[tuple[nn.Linear, int, float]] | None:
    """Each linear layer with what follows it: kind and number of its activation."""
    pairs: list[tuple[nn.Linear, int, float]] = []
    for part in parts:
        if type(part) is nn.Linear:
            pairs.append((part, kernel.IDENTITY, 0.0))
        elif type(part) in _ACTIVATIONS:
            kind, knob = _ACTIVATIONS[type(part)]
            if not pairs or pairs[-1][1] != kernel.IDENTITY or not _usual(part):
                return None
            pairs[-1] = (pairs[-1][0], kind, float(getattr(part, knob)) if knob else 0.0)
        elif not _idle(part, first=not pairs):
            return None
    return pairs


def _usual(part: nn.Module) -> bool:
    """Softplus with another β or threshold is not what the loop computes."""
    return not isinstance(part, nn.Softplus) or (part.beta == 1 and part.threshold == 20)


def _idle(part: nn.Module, first: bool) -> bool:
    """Whether a part changes nothing: no dropout, or flattening what is flat."""
    if isinstance(part, nn.Dropout):
        return part.p == 0
    return isinstance(part, nn.Identity) or (first and isinstance(part, nn.Flatten))


def rehearse() -> None:
    """Have everything compiled (or read from numba's cache) that a training calls."""
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    network = Perceptron.of(module)
    if network is None:
        raise RuntimeError("a chain of two linear layers must be a perceptron")
    network.adopt(optimizer, "SGD")
    x, order = np.ones((4, 2), np.float32), np.arange(4)
    rates, way = np.full(2, 0.1), Way("SGD", 0.0, 0.0, "cross-entropy")
    done = network.train(x, np.array([0, 1, 0, 1]), order, 0, 2, rates, 0, way)
    network.answers(x)
    if not math.isfinite(done.last):
        raise RuntimeError("the compiled loop does not compute")
