"""A digit falls through fifty layers.

ReLU sets half of its inputs to zero and so halves the mean square of a signal. To keep it, the
weights must make up for that: `std(w) = √(2 / fan_in)`, the gain `√2` over Xavier's. It sounds
like little, but it is there in every layer: without it a signal loses a factor `√2` a layer, and
after thirty layers a thirty-thousandth is left. The pictures show one digit's 256
activations after each layer, all on one scale of brightness.

**Try:** lower the gain from 1.41 to 1.3, or raise it to 1.5: black night, or white light.

Source: He et al. (2015), Delving deep into rectifiers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import numpy as np

from demos.kit import (
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
from engine.data.shipped import digits
from engine.views import Array, Curve, Field, Frame, Tiles, View

WIDTH, BATCH, DEPTH = 256, 64, 50
HE, XAVIER = math.sqrt(2), 1.0  # gains: std(w) = gain / √fan_in


@functools.lru_cache(maxsize=2)  # 13 MB each
def directions(seed: int) -> list[Array]:
    """Random matrices `(256, 256)` with entries of mean square 1/256, one a layer."""
    generator = np.random.default_rng(seed)
    return [
        generator.standard_normal((WIDTH, WIDTH), dtype=np.float32) / math.sqrt(WIDTH)
        for _ in range(DEPTH)
    ]


@functools.cache
def inputs() -> Array:
    """64 handwritten digits, enlarged to 16 × 16 pixels, mean square 1: `(64, 256)`."""
    images = digits()[0][:BATCH].repeat(2, axis=1).repeat(2, axis=2)
    flat = images.reshape(BATCH, WIDTH).astype(np.float32)
    return np.asarray(flat / np.sqrt((flat**2).mean()))


@functools.lru_cache(maxsize=8)
def fall(gain: float, seed: int = 0, depth: int = DEPTH) -> Array:
    """Activations after each layer, `(depth + 1, 64, 256)`: `a ← max(0, gain · a W)`."""
    a, passed = inputs(), [inputs()]
    for W in directions(seed)[:depth]:
        a = np.maximum(0, gain * (a @ W))
        passed.append(a)
    return np.array(passed)


def rms(activations: Array) -> Array:
    """Root mean square of each layer, `(depth + 1,)`, in double precision."""
    return np.asarray(np.sqrt((activations.astype(np.float64) ** 2).mean(axis=(1, 2))))


def picture(gain: float, digit: int, seed: int, shown: int = DEPTH) -> Frame:
    """One digit on its way down, and the size of all activations at each layer."""
    passed = fall(gain, seed)
    tiles = np.clip(passed[:, digit].reshape(-1, 16, 16), 0, 3)
    tiles[shown + 1 :] = 0  # not there yet
    sizes, depth = rms(passed), np.arange(DEPTH + 1)
    edges = np.linspace(-6, 6, 49)
    logs = np.log10(np.clip(passed[:, ::8], 1e-6, 1e6)).reshape(DEPTH + 1, -1)
    density = np.stack([np.histogram(row, edges)[0] for row in logs], axis=1)[1:]
    views: dict[str, View] = {
        "fall": Tiles(
            tiles, tuple("the digit" if i == 0 else f"{i}" for i in depth), across=10,
            title="one digit's activations after each of 50 ReLU layers, one brightness for all",
        ),
        "size": Curve(
            depth,
            {"yours": np.clip(sizes, 1e-30, 1e30), "He, gain √2": rms(fall(HE, seed)),
             "Xavier, gain 1": rms(fall(XAVIER, seed)), "predicted, Xavier": 2.0 ** (-depth / 2)},
            "layer", "root mean square", log=True, title="what is left of the signal",
        ),
        "spread": Field(
            density, (-0.5, DEPTH + 0.5, -5.75, 6),
            title="all activations that are not zero", xlabel="layer",
            ylabel="log₁₀ of the activation",
        ),
    }  # fmt: skip
    alive = float((passed[-1] > 0).mean())
    facts = {
        "gain": gain,
        "root mean square after 50 layers": float(np.clip(sizes[-1], 0, 1e30)),
        "active neurons in the last layer [%]": 100 * alive,
    }
    return Frame(shown, DEPTH, views, facts)


@lab(
    covers=["init-he"],
    seconds=1,
    tries={
        "Xavier's gain": {"gain": 1.0},
        "He's gain": {"gain": HE},
        "A little too much": {"gain": 1.55},
    },
    question=Question(
        "A signal passes 30 ReLU layers with Xavier's weights. What is left of it?",
        ("About half", "About 3 %", "About 0.004 %"),
        2,
        "Every ReLU halves the mean square: (1/√2)³⁰ = 2⁻¹⁵, a thirty-thousandth.",
    ),
    needs=["init-xavier-glorot", "activations-gallery"],
)
def run(
    gain: Annotated[float, Slider(0.8, 2.0, help="Larger first weights", live=True)] = HE,
    digit: Annotated[int, Slider(0, BATCH - 1, help="Another digit", live=True)] = 0,
    seed: Annotated[int, Slider(0, 9, help="Other random weights", live=True)] = 0,
) -> Frames:
    """Drop a digit through fifty fresh layers, then answer to every change."""
    for shown in range(1, DEPTH):
        yield partial(picture, gain, digit, seed, shown)
    yield from interactive(picture, gain=gain, digit=digit, seed=seed)


def check() -> Iterator[Claim]:
    """He keeps the size over thirty layers of width 256; Xavier loses √2 a layer."""
    kept = np.array([rms(fall(HE, seed, 30)) for seed in range(3)])
    yield above("He, 30 layers: least root mean square on the way, 3 seeds", kept.min(), 0.3)
    yield below("and largest", kept.max(), 3)
    lost = [float(rms(fall(XAVIER, seed, 30))[-1]) for seed in range(3)]
    predicted = 2.0**-15  # one factor 1/√2 for each of the thirty layers
    for size in (min(lost), max(lost)):
        yield between("Xavier, 30 layers: what is left over 2⁻¹⁵", size / predicted, 1 / 3, 3)
        yield between("over the ledger's 2^−14.5", size / 2**-14.5, 1 / 3, 3)
    ratio = (lost[0] / kept[0][-1]) ** (1 / 30)
    yield near("Xavier's loss a layer, against He's, 1/√2", ratio, 0.5**0.5, 1e-6)
