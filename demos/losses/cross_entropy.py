"""Cross-entropy: the price of a wrong certainty.

A classifier gives logits `z`; softmax turns them into probabilities `p = exp(z) / Σ exp(z)`.
Cross-entropy `L = −Σ y log p` is the surprise at the true class `y`. Its gradient is as simple as
can be, `∂L/∂z = p − y`: what was said minus what is true. The squared error of `p` carries an
extra factor `p (1 − p)` and so falls silent just when the network is sure and wrong.

**Try:** pull the true class's logit to −8: one gradient is almost 1, the other has vanished.

Source: Bishop (1995), Neural Networks for Pattern Recognition, chapter 6;
Szegedy et al. (2016), Rethinking the Inception architecture (label smoothing).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Numbers,
    Question,
    Slider,
    below,
    interactive,
    lab,
    near,
)
from engine.data import shipped
from engine.views import Array, Bars, Curve, Frame, View

CLASSES = ("cat", "dog", "fox", "owl")
LOGITS = [-3.0, 2.5, 0.5, -1.0]


def softmax(z: Array) -> Array:
    """Probabilities along the last axis, same shape."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def target(true: int, classes: int, smoothing: float) -> Array:
    """`(classes,)`: one for the true class, of which `smoothing` is shared out evenly."""
    return np.asarray((1 - smoothing) * np.eye(classes)[true] + smoothing / classes)


def cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    """The loss [nat] and its gradient by the logits, both for one example, `(classes,)`."""
    p = softmax(z)
    log_p = z - z.max() - math.log(np.exp(z - z.max()).sum())
    return -float((y * log_p).sum()), p - y


def squared_error(z: Array, y: Array) -> tuple[float, Array]:
    """Half the squared distance of p and y, and its gradient by the logits."""
    p = softmax(z)
    miss = p - y
    return 0.5 * float((miss**2).sum()), p * (miss - (p * miss).sum())


@functools.cache
def first_losses() -> dict[str, float]:
    """Start -> mean cross-entropy [nat] of an untrained digit network, before any step."""
    images, t = map(torch.from_numpy, shipped.digits())
    x = images.flatten(1)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.relu(x @ (torch.randn(64, 32, generator=generator) * (2 / 64) ** 0.5))
    last = torch.randn(32, 10, generator=generator)
    scales = {"zero": 0.0, "small (0.01)": 0.01, "He": (2 / 32) ** 0.5, "large (2)": 2.0}
    return {
        name: torch.nn.functional.cross_entropy(hidden @ last * scale, t).item()
        for name, scale in scales.items()
    }


def picture(logits: list[float], true: str, smoothing: float) -> Frame:
    """Probabilities, targets and both gradients at these logits."""
    z, right = np.array(logits), CLASSES.index(true)
    y = target(right, len(CLASSES), smoothing)
    (loss, slope), (_, weak) = cross_entropy(z, y), squared_error(z, y)
    sweep = np.linspace(-10, 10, 161)
    moved = np.repeat(z[None], len(sweep), axis=0)
    moved[:, right] = sweep
    both = {
        name: [function(row, y) for row in moved]
        for name, function in (("cross-entropy", cross_entropy), ("squared error", squared_error))
    }
    starts = first_losses()
    views: dict[str, View] = {
        "gradient": Bars(
            CLASSES,
            {"p": softmax(z), "y": y, "gradient p − y": slope, "gradient, squared error": weak},
            xlabel="class",
            ylabel="probability, slope by the logit",
            title="what is said, what is true, and the pull on each logit",
        ),
        "slope": Curve(
            sweep,
            {
                name: np.maximum(1e-8, np.array([np.abs(g[right]) for _, g in values]))
                for name, values in both.items()
            },
            f"logit of the true class, {true}",
            "size of its gradient",
            log=True,
            marks={"here": logits[right]},
            title="who still pulls?",
        ),
        "loss": Curve(
            sweep,
            {name: np.array([height for height, _ in values]) for name, values in both.items()},
            f"logit of the true class, {true}",
            "loss [nat or 1]",
            marks={"here": logits[right]},
            title="the loss",
        ),
        "start": Bars(
            tuple(starts),
            {"first loss": np.array(list(starts.values()))},
            xlabel="size of the last layer's weights at the start",
            ylabel="cross-entropy [nat]",
            level={"ln 10": math.log(10)},
            title="gauge: ten digits, before training",
        ),
    }
    ratio = abs(slope[right]) / max(abs(weak[right]), 1e-12)
    facts = {"cross-entropy [nat]": loss, "p of the true class": softmax(z)[right]}
    return Frame(1, 1, views, {**facts, "gradient against squared error": ratio})


@lab(
    covers=["cross-entropy"],
    seconds=3,
    tries={
        "Sure and wrong": {"logits": [-8.0, 8.0, 0.0, 0.0]},
        "No idea at all": {"logits": [0.0, 0.0, 0.0, 0.0]},
        "Smooth the labels": {"logits": [9.0, -2.0, -2.0, -2.0], "smoothing": 0.2},
    },
    question=Question(
        "A ten-class network starts with all logits zero. What is its first loss?",
        ("0", "about 2.3", "10"),
        1,
        "Every class gets 1/10, and −ln(1/10) = ln 10 = 2.303. A first loss far above it "
        "means a last layer that begins too large.",
    ),
    needs=["softmax-temperature", "information-theory"],
)
def run(
    logits: Annotated[list[float], Numbers(4, -10, 10, CLASSES, live=True)] = LOGITS,
    true: Annotated[str, Choice(CLASSES, help="The true class", live=True)] = "cat",
    smoothing: Annotated[float, Slider(0.0, 0.5, help="Less certainty asked for", live=True)] = 0.0,
) -> Frames:
    """One example's loss and gradients, again at every change."""
    yield from interactive(picture, logits=logits, true=true, smoothing=smoothing)


def check() -> Iterator[Claim]:
    """The gradient is p − y, the first loss ln K, and squared error falls silent."""
    generator, gaps = np.random.default_rng(0), []
    for smoothing in (0.0, 0.1):
        for true in range(10):
            z, y = generator.normal(0, 3, 10), target(true, 10, smoothing)
            logits = torch.tensor(z, requires_grad=True)
            loss = torch.nn.functional.cross_entropy(
                logits, torch.tensor(true), label_smoothing=smoothing
            )
            (slope,) = torch.autograd.grad(loss, logits)
            gaps.append(np.abs(slope.numpy() - cross_entropy(z, y)[1]).max())
    yield below("Largest difference of p − y to torch's gradient", max(gaps), 1e-12)
    yield near(
        "First loss, zero last layer, ten digits [nat]", first_losses()["zero"], math.log(10), 1e-4
    )
    # two classes: only the difference of logits counts, as in the logistic function
    p = 1 / (1 + math.exp(8))
    ratio = (p - 1) / ((p - 1) * p * (1 - p))
    yield near("Logit −8: cross-entropy's gradient over that of ½(p − 1)²", ratio, 2983, 29.8)
