"""A small dense network on the handwritten digits, trained in milliseconds: one trial of a search.

Forward and backward pass are written out in NumPy, which for such small arrays is several times
faster than a general automatic differentiation, so that a lab can train fifty networks at once.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.data.shipped import digits

Array = npt.NDArray[np.float32]
TEST = 450  # digits kept back to judge by
HOPELESS = 50.0  # nats: a loss above is called diverged, and the training stops


@dataclass(frozen=True, slots=True)
class Choices:
    """What a search may choose.

    Attributes:
        learning_rate: Length of a step of gradient descent.
        batch_size: Digits a step.
        width: Units of each hidden layer.
        depth: Hidden layers; none is a linear classifier.
        momentum: Part of the last step that is kept.
    """

    learning_rate: float = 0.1
    batch_size: int = 32
    width: int = 32
    depth: int = 1
    momentum: float = 0.0


@functools.cache
def split() -> tuple[Array, npt.NDArray[np.int64], Array, npt.NDArray[np.int64]]:
    """1,347 digits to learn from, `(1347, 64)` and `(1347,)`, and 450 to judge by."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(images))
    x, y = images.reshape(-1, 64)[order], labels[order]
    return x[:-TEST], y[:-TEST], x[-TEST:], y[-TEST:]


class Trial:
    """A network with its choices; `epoch` goes on with its training.

    Attributes:
        choices: What it is trained with.
        epochs: How often it has seen all digits.
        layers: Weights and biases of each layer, `(inputs, outputs)` and `(outputs,)`.
        diverged: Whether its loss left all bounds; it then learns no more.
    """

    def __init__(self, choices: Choices, seed: int = 0) -> None:
        self.choices, self.epochs, self.diverged = choices, 0, False
        self._random = np.random.default_rng(seed)
        sizes = [64, *[choices.width] * choices.depth, 10]
        self.layers = [
            (
                (self._random.standard_normal((n, m)) * np.sqrt(2 / n)).astype(np.float32),
                np.zeros(m, np.float32),
            )
            for n, m in itertools.pairwise(sizes)
        ]
        self._parts = [part for layer in self.layers for part in layer]
        self._velocity = [np.zeros_like(part) for part in self._parts]

    def epoch(self) -> None:
        """See every digit once, in a new order."""
        x = split()[0]
        order = self._random.permutation(len(x))
        for start in range(0, len(x), self.choices.batch_size):
            self.step(order[start : start + self.choices.batch_size])
        self.epochs += 1

    def step(self, rows: npt.NDArray[np.int64], learning_rate: float | None = None) -> float:
        """One step of gradient descent on some digits; the loss before it [nat]."""
        if self.diverged:
            return HOPELESS
        x, y, _, _ = split()
        layers = self._forward(x[rows])
        loss, slope = _cross_entropy(layers[-1], y[rows])
        if not loss < HOPELESS:
            self.diverged = True
            return HOPELESS
        rate = self.choices.learning_rate if learning_rate is None else learning_rate
        grads: list[Array] = []
        for i in reversed(range(len(self.layers))):
            grads = [layers[i].T @ slope, slope.sum(axis=0), *grads]
            if i:
                slope = (slope @ self.layers[i][0].T) * (layers[i] > 0)
        for part, v, g in zip(self._parts, self._velocity, grads, strict=True):
            v *= np.float32(self.choices.momentum)
            v += g
            part -= np.float32(rate) * v
        return loss

    def accuracy(self, part: slice = slice(None)) -> float:
        """Share of the 450 held back digits, or of a part, named rightly; a guess once diverged."""
        _, _, x, y = split()
        right = self._forward(x[part])[-1].argmax(1) == y[part]
        return 0.1 if self.diverged else float(right.mean())

    def loss(self) -> float:
        """Mean cross-entropy on the digits it learns from [nat], at most `HOPELESS`."""
        x, y, _, _ = split()
        return HOPELESS if self.diverged else _cross_entropy(self._forward(x)[-1], y)[0]

    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(part.size for part in self._parts)

    def _forward(self, x: Array) -> list[Array]:
        """The input, every hidden layer after its ReLU, and the scores."""
        layers = [x]
        with np.errstate(all="ignore"):  # an overflow is found by its loss
            for W, b in self.layers[:-1]:
                layers.append(np.maximum(layers[-1] @ W + b, 0))
            W, b = self.layers[-1]
            layers.append(layers[-1] @ W + b)
        return layers


def _cross_entropy(scores: Array, y: npt.NDArray[np.int64]) -> tuple[float, Array]:
    """Mean loss [nat] of scores `(n, 10)` and its slope by them, same shape."""
    with np.errstate(all="ignore"):
        shifted = scores - scores.max(axis=1, keepdims=True)
        total = np.exp(shifted).sum(axis=1, keepdims=True)
        rows = np.arange(len(y))
        loss = float((np.log(total[:, 0]) - shifted[rows, y]).mean())
        slope = np.exp(shifted) / total
    slope[rows, y] -= 1
    return loss, slope / np.float32(len(y))
