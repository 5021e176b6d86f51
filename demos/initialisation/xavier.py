"""Xavier: how large should the first weights be?

A layer adds up `n` inputs, so the variance of its sums is `n Var(w)` times that of its inputs. Too
small weights let a signal fade away from layer to layer; too large ones drive every tanh into
saturation, where it has no slope. Between both lies one size that keeps the variance, forwards
over `fan_in` inputs and backwards over `fan_out` outputs: `std(w) = √(2 / (fan_in + fan_out))`.

**Try:** slide the size of the weights from 0.01 to 1 and watch the ten layers fade or saturate.

Source: Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward
neural networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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
from engine.views import Array, Curve, Field, Frame, Histogram, View

WIDTH, BATCH = 256, 200
BINS = np.linspace(-1.5, 1.5, 61)


def xavier(fan_in: int, fan_out: int) -> float:
    """The standard deviation that keeps the variance, forwards and backwards."""
    return math.sqrt(2 / (fan_in + fan_out))


def activations(std: float, layers: int, shape: str, seed: int = 0) -> list[Array]:
    """What 200 random inputs become, layer by layer, `(200, 256)` each; the input comes first."""
    generator = np.random.default_rng(seed)
    a = generator.standard_normal((BATCH, WIDTH))
    passed = [a]
    for _ in range(layers):
        z = a @ (std * generator.standard_normal((WIDTH, WIDTH)))
        a = np.tanh(z) if shape == "tanh" else z
        passed.append(a)
    return passed


def spread(std: float, layers: int, shape: str = "tanh", seed: int = 0) -> Array:
    """Standard deviation of the activations at each layer, `(layers + 1,)`."""
    return np.array([a.std() for a in activations(std, layers, shape, seed)])


def picture(scale: float, layers: int, shape: str, seed: int) -> Frame:
    """The distribution of activations at every layer."""
    passed = activations(scale, layers, shape, seed)
    density = np.stack([np.histogram(np.clip(a, -1.49, 1.49), BINS)[0] for a in passed], axis=1)
    best = xavier(WIDTH, WIDTH)
    depth = np.arange(layers + 1)
    saturated = [float((np.abs(a) > 0.97).mean()) for a in passed]
    views: dict[str, View] = {
        "layers": Field(
            density / density.max(axis=0), (-0.5, layers + 0.5, -1.5, 1.5),
            title=f"activations through {layers} {shape} layers, weights of std {scale:.3g}",
            xlabel="layer", ylabel="activation",
        ),
        "spread": Curve(
            depth,
            {"your std": np.maximum(spread(scale, layers, shape, seed), 1e-30),
             f"Xavier, {best:.3g}": spread(best, layers, shape, seed)},
            "layer", "standard deviation", log=True, dots=True, title="does the signal keep size?",
        ),
        "last": Histogram(
            BINS, {"layer 1": density[:, 1], f"layer {layers}": density[:, -1]},
            xlabel="activation", ylabel="neurons × inputs", title="first layer and last",
        ),
    }  # fmt: skip
    facts = {
        "std of the weights over Xavier's": scale / best,
        "std of the last activations": float(passed[-1].std()) if scale < 1e3 else 1e9,
        "saturated in the last layer [%]": 100 * saturated[-1],
    }
    return Frame(1, 1, views, facts)


@lab(
    covers=["init-xavier-glorot"],
    seconds=1,
    tries={
        "Too small": {"scale": 0.01},
        "Xavier": {"scale": 0.0625},
        "Too large": {"scale": 1.0},
    },
    question=Question(
        "256 neurons a layer, weights of std 0.01, ten tanh layers. What is left of a signal of "
        "size 1?",
        ("About 0.1", "About 0.01", "About 0.00000001"),
        2,
        "Each layer multiplies by 0.01 · √256 = 0.16, and 0.16¹⁰ = 10⁻⁸.",
    ),
    needs=["init-symmetry-breaking", "vanishing-exploding-gradients"],
)
def run(
    scale: Annotated[
        float, Slider(0.005, 2.0, log=True, help="Larger first weights (their std)", live=True)
    ] = 0.0625,
    layers: Annotated[int, Slider(1, 30, help="A deeper stack", live=True)] = 10,
    shape: Annotated[str, Choice(("tanh", "linear"), help="After each layer", live=True)] = "tanh",
    seed: Annotated[int, Slider(0, 99, help="Other random weights", live=True)] = 0,
) -> Frames:
    """Pass 200 random inputs through a fresh network, again at every change."""
    yield from interactive(picture, scale=scale, layers=layers, shape=shape, seed=seed)


def check() -> Iterator[Claim]:
    """The std of the weights, and what it does to ten tanh and thirty linear layers."""
    drawn = xavier(300, 100) * np.random.default_rng(0).standard_normal((300, 100))
    yield near("std of a 300 × 100 Xavier matrix, over √(2/400)", drawn.std() / 0.005**0.5, 1, 0.01)
    seeded = torch.Generator().manual_seed(0)
    theirs = torch.nn.init.xavier_normal_(torch.empty(100, 300), generator=seeded)
    yield near("torch's xavier_normal_, likewise", theirs.std().item() / 0.005**0.5, 1, 0.01)
    best = xavier(WIDTH, WIDTH)
    ends = [spread(best, 10, seed=seed)[-1] for seed in range(3)]
    yield between("Ten tanh layers, Xavier: least std of 3 seeds", min(ends), 0.1, 0.5)
    yield between("and largest", max(ends), 0.1, 0.5)
    yield below("std 0.01 instead: std after ten layers", spread(0.01, 10)[-1], 1e-6)
    yield above("std 1 instead: saturated", spread(1.0, 10)[-1], 0.9)
    linear = np.array([spread(best, 30, "linear", seed) for seed in range(3)])
    yield above("Thirty linear layers, Xavier: least std on the way", linear.min(), 0.5)
    yield below("and largest", linear.max(), 2)
