"""Thirty layers deep: where does the gradient go?

In a deep stack `hₗ = φ(W hₗ₋₁)` the gradient flows back through every layer,
`∂L/∂hₗ₋₁ = Wᵀ (φ′ ⊙ ∂L/∂hₗ)`: thirty factors in a row. A factor of ½ each leaves a billionth, and
the first layers stop learning; a factor of 2 makes a billion, and they explode. The sigmoid's slope
is at most ¼. With ReLU, weights of variance `2/n` (He) keep the size; `1/n` (Xavier) halves its
square.

**Try:** find the gain that keeps 30 tanh layers alive.

Source: Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen; Glorot & Bengio (2010),
Understanding the difficulty of training deep feedforward neural networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import numpy as np
import torch

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Question,
    Slider,
    above,
    below,
    between,
    interactive,
    lab,
    near,
)
from engine.views import Array, Curve, Frame, Histogram, Matrix, Note, View

WIDTH, BATCH = 100, 64
ACTIVATIONS: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "linear": lambda x: x,
}
SPREADS = {"Xavier: variance 1/n": math.sqrt(1 / WIDTH), "He: variance 2/n": math.sqrt(2 / WIDTH)}
TINY, HUGE = 1e-30, 1e30  # the pictures end here; a note says so


def flow(
    activation: str, spread: float, depth: int, seed: int
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Send numbers forward and a gradient back through a random stack.

    Returns:
        The values after each layer and the gradients of the loss there, input first:
        `depth + 1` arrays `(64, 100)` each. Double precision, so that 1e-30 is still a number.
    """
    random = torch.Generator().manual_seed(seed)
    φ = ACTIVATIONS[activation]
    h = torch.randn(BATCH, WIDTH, generator=random, dtype=torch.float64, requires_grad=True)
    values = [h]
    for _ in range(depth):
        W = spread * torch.randn(WIDTH, WIDTH, generator=random, dtype=torch.float64)
        values.append(φ(values[-1] @ W.T))
    toward = torch.randn(BATCH, WIDTH, generator=random, dtype=torch.float64)
    gradients = torch.autograd.grad((values[-1] * toward).sum(), values)
    return [value.detach() for value in values], list(gradients)


def size(x: torch.Tensor) -> float:
    """Root of the mean square."""
    return float(x.square().mean().sqrt())


@lab(
    covers=["vanishing-exploding-gradients"],
    seconds=1,
    tries={
        "Sigmoid vanishes": {"activation": "sigmoid", "start": "Xavier: variance 1/n"},
        "ReLU with He's variance": {"activation": "relu", "start": "He: variance 2/n"},
        "Twice the scale explodes": {
            "activation": "relu",
            "start": "He: variance 2/n",
            "gain": 2.0,
        },
    },
    question=Question(
        "A gradient passes back through 30 sigmoid layers. How much of it arrives?",
        ("About a thousandth", "About a millionth", "Less than 1e-12 of it"),
        2,
        "The slope of a sigmoid is at most ¼, and ¼ to the power 30 is 1e-18.",
    ),
    needs=["activations-gallery", "derivatives-chain-rule"],
)
def run(
    activation: Annotated[str, Choice(tuple(ACTIVATIONS), live=True)] = "sigmoid",
    start: Annotated[
        str, Choice(tuple(SPREADS), help="Scale of the weights", live=True)
    ] = "Xavier: variance 1/n",
    gain: Annotated[float, Slider(0.25, 4, log=True, help="Times that scale", live=True)] = 1.0,
    depth: Annotated[int, Slider(1, 50, help="More layers", live=True)] = 30,
    seed: Annotated[int, Slider(0, 99, help="Other weights", live=True)] = 0,
) -> Frames:
    """Show, layer by layer, how large the values and the gradients are."""
    yield from interactive(
        picture, activation=activation, start=start, gain=gain, depth=depth, seed=seed
    )


def picture(activation: str, start: str, gain: float, depth: int, seed: int) -> Frame:
    """Sizes by layer, the factor of each layer, and what the first layers' values look like."""
    values, gradients = flow(activation, gain * SPREADS[start], depth, seed)
    layers = np.arange(depth + 1)
    forward, back = (np.array([size(x) for x in part]) for part in (values, gradients))
    shown = {
        "gradient of the loss": np.clip(back, TINY, HUGE),
        "values": np.clip(forward, TINY, HUGE),
    }
    factor = float(back[0] / back[-1])
    reach = float(np.quantile(np.abs(values[-1].numpy()), 0.99)) or 1.0
    edges = np.linspace(-1, 1, 41) * min(max(reach, TINY), HUGE)
    counts = {
        f"layer {layer}": np.histogram(values[layer].numpy().clip(edges[0], edges[-1]), edges)[0]
        for layer in sorted({1, (depth + 1) // 2, depth})
    }
    views: dict[str, View] = {
        "sizes": Curve(
            layers,
            shown,
            "layer (0 is the input)",
            "size (root mean square)",
            log=True,
            dots=True,
            title="values go right, gradients come back left",
        ),
        "stack": Matrix(
            np.log10(np.stack([shown["values"], shown["gradient of the loss"]])),
            ("values", "gradient"),
            xlabel="layer",
            scale="signed",
            title="the same as colours, log10",
        ),
        "values": Histogram(
            edges,
            counts,
            xlabel="value of a unit",
            ylabel="units",
            title="how spread the values are",
        ),
        "words": Note(_words(factor, depth)),
    }
    log = float(np.clip(np.log10(max(factor, 1e-300)), -99, 99))
    facts = {"log10 of the gradient's factor": log, "factor per layer [1]": 10 ** (log / depth)}
    return Frame(1, 1, views, facts)


def _words(factor: float, depth: int) -> str:
    if factor < 1e-6:
        return (
            f"**Vanished**: the input gets {factor:.1e} of the gradient. Early layers stand still."
        )
    if factor > 1e6:
        return (
            f"**Exploded**: the input gets {factor:.1e} times the gradient. One step destroys it."
        )
    return f"**Alive**: through {depth} layers the gradient's size changes by {factor:.2g}."


def check() -> Iterator[Claim]:
    """The factor of the input gradient through 30 layers, worst of five random stacks."""

    def factors(activation: str, spread: float) -> Array:
        flows = [flow(activation, spread, 30, seed)[1] for seed in range(5)]
        return np.array([size(gradients[0]) / size(gradients[-1]) for gradients in flows])

    xavier, he = SPREADS.values()
    yield below(
        "Sigmoid, Xavier: gradient's factor through 30 layers, largest of 5",
        factors("sigmoid", xavier).max(),
        1e-12,
    )
    alive = factors("relu", he)
    yield between("ReLU, He: smallest", alive.min(), 0.05, 20)
    yield between("ReLU, He: largest", alive.max(), 0.05, 20)
    yield below("ReLU, Xavier: largest", factors("relu", xavier).max(), 1e-3)
    yield above("ReLU, twice He's scale: smallest", factors("relu", 2 * he).min(), 1e6)
    mean = float(np.exp(np.log(factors("linear", xavier)).mean()))
    yield near("Linear layers with variance 1/n keep it (mean factor)", mean, 1.0, 0.5)
