"""One example, a handful, or all of them?

Gradient descent follows the mean gradient over all examples. That mean may be guessed from a
batch of `B` drawn at random: right on average, with a variance that falls as `1/B`, and `n/B`
times cheaper. So one pass over the data (an epoch) makes one exact step, or `n/B` noisy ones, and
many noisy steps come further. `B = 1` is stochastic gradient descent, `B = n` batch gradient
descent, between them lies mini-batch.

**Try:** run three epochs with a size B of 1, 32 and 1297, and compare the paths and the accuracies.

Source: Bottou (2010), Large-scale machine learning with stochastic gradient descent.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, near, same
from engine.data import shipped
from engine.views import Array, Curve, Field, Frame, View

RATE = 0.25
SIZES = 2 ** np.arange(9)  # batch sizes 1 to 256
EXTENT = (-1.0, 24.0, -5.0, 4.0)


def softmax(z: Array) -> Array:
    """Probabilities along the last axis, same shape."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def gradient(w: Array, x: Array, y: Array) -> Array:
    """Of the mean cross-entropy of a linear classifier, `(65, 10)`: `xᵀ (p − y) / B`."""
    return np.asarray(x.T @ (softmax(x @ w) - y) / len(x))


def walk(size: int, epochs: int, seed: int) -> Iterator[Array]:
    """Weights after each step; every epoch goes through the examples in a new order."""
    x, y, _, _ = digits()
    generator, w = np.random.default_rng(seed), np.zeros((65, 10))
    for _ in range(epochs):
        order = generator.permutation(len(x))
        for start in range(0, len(x), size):
            batch = order[start : start + size]
            w = w - RATE * gradient(w, x[batch], y[batch])
            yield w


def noise(w: Array, draws: int = 200) -> Array:
    """Mean squared distance of a batch's gradient to the full one, for each size, `(9,)`."""
    x, y, _, _ = digits()
    generator, full = np.random.default_rng(0), gradient(w, x, y)
    miss = softmax(x @ w) - y  # (n, 10)
    variances = []
    for size in SIZES:
        batches = generator.integers(len(x), size=(draws, size))
        guesses = np.stack([x[b].T @ miss[b] / size for b in batches])
        variances.append(((guesses - full) ** 2).sum(axis=(1, 2)).mean())
    return np.array(variances)


@functools.cache
def digits() -> tuple[Array, Array, Array, Array]:
    """Images with a 1 appended, `(1297, 65)`, targets, `(1297, 10)`, and 500 of each to test."""
    images, labels = shipped.digits()
    order = np.random.default_rng(0).permutation(len(images))
    x = np.hstack([images.reshape(-1, 64), np.ones((len(images), 1))])[order]
    y = np.eye(10)[labels[order]]
    return x[:1297], y[:1297], x[1297:], y[1297:]


@functools.cache
def landscape() -> tuple[Array, Array]:
    """The loss on a plane through the start: the plane's two axes, `(2, 650)`, and heights.

    The plane holds the first gradient and the place that 300 full steps reach.
    """
    x, y, _, _ = digits()
    *_, end = walk(len(x), 300, seed=0)
    down = -gradient(np.zeros((65, 10)), x, y).ravel()
    along = end.ravel() / np.linalg.norm(end)
    across = down - (down @ along) * along
    axes = np.stack([along, across / np.linalg.norm(across)])
    a, b = np.linspace(*EXTENT[:2], 41), np.linspace(*EXTENT[2:], 27)
    first, second = (x @ axis.reshape(65, 10) for axis in axes)
    truth = y.argmax(1)
    heights = [
        [-np.log(softmax(i * first + j * second)[np.arange(len(x)), truth]).mean() for i in a]
        for j in b
    ]
    return axes, np.array(heights)


def accuracy(w: Array) -> float:
    """Share of the 500 test digits that are recognised."""
    _, _, x, y = digits()
    return float(((x @ w).argmax(1) == y.argmax(1)).mean())


@lab(
    covers=["gd-variants"],
    seconds=2,
    quick={"size": 1297, "epochs": 1},
    tries={
        "One at a time": {"size": 1},
        "A mini-batch of 32": {"size": 32},
        "All at once": {"size": 1297},
    },
    question=Question(
        "Three passes over 1297 digits. Which learns most?",
        ("3 exact steps", "123 steps on batches of 32", "They are equal: the same digits"),
        1,
        "A batch of 32 points nearly where all do, and leaves time for 41 times more steps.",
    ),
    needs=["gradient-descent-stability", "cross-entropy"],
)
def run(
    size: Annotated[int, Slider(1, 1297, log=True, help="A larger batch: fewer, surer steps")] = 32,
    epochs: Annotated[int, Slider(1, 10, help="More passes over the digits")] = 3,
    seed: Annotated[int, Slider(0, 99, help="Another order of the digits")] = 0,
) -> Frames:
    """Train a linear digit classifier; show its path over the loss, and what a batch is worth."""
    axes, heights = landscape()
    (x, _, _, _), variances = digits(), noise(np.zeros((65, 10)))
    steps = epochs * -(-len(x) // size)
    reference = [np.zeros(650), *(w.ravel() for w in walk(len(x), epochs, seed))]
    path, seen, scores = [np.zeros(2)], [0.0], [accuracy(np.zeros((65, 10)))]
    spent, times = 0.0, [0.0]
    begun = time.thread_time()
    for step, w in enumerate(walk(size, epochs, seed), start=1):
        spent += time.thread_time() - begun
        path.append(axes @ w.ravel())
        if step % max(1, steps // 60) == 0 or step == steps:
            seen.append(step / steps * epochs)
            scores.append(accuracy(w))
            times.append(1000 * spent)
            views: dict[str, View] = {
                "path": Field(
                    heights, EXTENT,
                    {f"B = {size}": np.array(path), "all at once": np.array(reference) @ axes.T},
                    "the loss on a plane, and the paths projected on it", contours=True,
                    xlabel="towards the end of a long descent", ylabel="across it",
                ),
                "accuracy": Curve(
                    np.array(seen), {f"B = {size}": np.array(scores)}, "epochs",
                    "accuracy on 500 test digits", title="what the steps have taught",
                ),
                "speed": Curve(
                    np.array(times), {f"B = {size}": np.array(scores)}, "computing time [ms]",
                    "accuracy on 500 test digits", title="and how fast",
                ),
                "variance": Curve(
                    SIZES, {"measured": variances, "first / B": variances[0] / SIZES},
                    "batch size B", "variance of the gradient", log=True, logx=True,
                    marks={"B": size}, title="how far a batch's gradient is off",
                ),
            }  # fmt: skip
            yield Frame(step, steps, views, {"accuracy": scores[-1], "steps": step})
        begun = time.thread_time()


def check() -> Iterator[Claim]:
    """The variance falls as 1/B; after three epochs many rough steps beat three exact ones."""
    slope = np.polyfit(np.log(SIZES), np.log(noise(np.zeros((65, 10)))), 1)[0]
    yield near("Slope of log variance over log B, B = 1 to 256", slope, -1.0, 0.08)
    for size, steps in ((1, 3891), (32, 123), (1297, 3)):
        walks = [list(walk(size, 3, seed)) for seed in range(3)]
        yield same(f"Steps in three epochs, B = {size}", len(walks[0]), steps)
        scores = [accuracy(weights[-1]) for weights in walks]
        if size < 1297:
            yield above(f"Accuracy, B = {size}, worst of 3 seeds", min(scores), 0.90)
        else:
            yield below("Accuracy, all at once", max(scores), 0.75)
