"""A ball through fifty matrices.

A matrix turns a ball into an ellipsoid whose half-axes are its singular values. A random Gaussian
matrix of the right size keeps lengths on average, but stretches some directions and squeezes
others, and fifty of them one after another leave a needle: almost all directions are lost. An
orthogonal matrix, `Wᵀ W = 1`, only turns and mirrors: all its singular values are 1, those of any
product too, and gradients flow back as they came.

**Try:** go through the layers and watch the two clouds, which began as the same ball.

Source: Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning
in deep linear neural networks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, above, below, interactive, lab
from engine.views import Array, Curve, Field, Frame, Points, View

DEPTH, WIDTH, CLOUD = 50, 64, 400


def orthogonal(size: int, generator: np.random.Generator) -> Array:
    """A random orthogonal matrix: Gaussian columns, each made square to those before it."""
    Q, R = np.linalg.qr(generator.standard_normal((size, size)))
    return np.asarray(Q * np.sign(np.diag(R)))  # without the signs not all turns are as likely


def gaussian(size: int, generator: np.random.Generator) -> Array:
    """A random matrix that keeps the mean square of what passes."""
    return np.asarray(generator.standard_normal((size, size)) / np.sqrt(size))


@functools.lru_cache(maxsize=4)
def products(size: int, seed: int) -> dict[str, Array]:
    """Kind -> the product of the first k matrices for k = 0 to 50, `(51, size, size)`."""
    generator, found = np.random.default_rng(seed), {}
    for name, make in (("orthogonal", orthogonal), ("Gaussian", gaussian)):
        stack = [np.eye(size)]
        for _ in range(DEPTH):
            stack.append(make(size, generator) @ stack[-1])
        found[name] = np.array(stack)
    return found


@functools.lru_cache(maxsize=4)
def stretches(size: int, seed: int) -> dict[str, Array]:
    """Kind -> the singular values of those products, falling, `(51, size)`."""
    return {
        name: np.linalg.svd(stack, compute_uv=False) for name, stack in products(size, seed).items()
    }


def shadow(P: Array, ball: Array) -> Array:
    """The cloud after the product P, on its most stretched and its middle direction: `(n, 2)`."""
    U, _, _ = np.linalg.svd(P)
    return np.asarray((ball @ P.T) @ U[:, [0, len(P) // 2]])


def picture(layer: int, size: int, seed: int) -> Frame:
    """Both clouds and all singular values after some layers."""
    stacks, values = products(size, seed), stretches(size, seed)
    ball = np.random.default_rng(99).standard_normal((CLOUD, size))
    ball = ball / np.linalg.norm(ball, axis=1, keepdims=True) * np.sqrt(size)
    clouds = [shadow(stacks[name][layer], ball) for name in ("orthogonal", "Gaussian")]
    # both to the same overall size, so that shapes can be compared
    xy = np.concatenate([cloud / np.sqrt((cloud**2).mean()) for cloud in clouds])
    index = np.arange(1, size + 1)
    floor = {name: np.maximum(v, 1e-18) for name, v in values.items()}
    views: dict[str, View] = {
        "cloud": Points(
            np.clip(xy, -5, 5), np.repeat(np.array([0, 1], np.int32), CLOUD),
            ("orthogonal", "Gaussian"), extent=(-5, 5, -5, 5), equal=True,
            xlabel="most stretched direction", ylabel="middle direction",
            title=f"one ball after {layer} matrices, both drawn to one size",
        ),
        "values": Curve(
            index, {name: v[layer] for name, v in floor.items()}, "singular value number",
            "singular value", log=True, title=f"half-axes of the ellipsoids after {layer} layers",
        ),
        "layers": Field(
            np.log10(floor["Gaussian"]).T, (-0.5, DEPTH + 0.5, 0.5, size + 0.5),
            title="Gaussian: log₁₀ of all singular values", xlabel="layers passed",
            ylabel="singular value number",
        ),
        "gradient": Curve(
            np.arange(DEPTH + 1),
            {f"{name}, {which}": v[:, i]
             for name, v in floor.items() for which, i in (("largest", 0), ("median", size // 2))},
            "layers passed", "singular value", log=True, marks={"here": layer},
            title="what a gradient is multiplied by on its way back",
        ),
    }  # fmt: skip
    wide = floor["Gaussian"][layer]
    facts = {
        "Gaussian: largest over middle": float(wide[0] / wide[size // 2]),
        "orthogonal: largest over smallest": float(
            floor["orthogonal"][layer][0] / floor["orthogonal"][layer][-1]
        ),
    }
    return Frame(layer, DEPTH, views, facts)


@lab(
    covers=["init-orthogonal"],
    seconds=1,
    quick={"layer": 3, "size": 8},
    tries={
        "One matrix": {"layer": 1},
        "Ten": {"layer": 10},
        "Fifty": {"layer": 50},
    },
    question=Question(
        "A ball in 64 dimensions passes 50 random Gaussian matrices that keep lengths on average. "
        "What comes out?",
        ("A ball of about the same size", "A needle", "A flat disc of 32 dimensions"),
        1,
        "Each matrix favours some directions, and the favours multiply: after fifty, one direction "
        "is stretched a hundred times more than the eleventh.",
    ),
    needs=["linalg-transform", "svd-low-rank", "init-xavier-glorot"],
)
def run(
    layer: Annotated[int, Slider(0, DEPTH, help="Later in the stack", live=True)] = DEPTH,
    size: Annotated[int, Slider(4, 64, help="More dimensions", live=True)] = WIDTH,
    seed: Annotated[int, Slider(0, 99, help="Other random matrices", live=True)] = 0,
) -> Frames:
    """Play the layers up to `layer`, then answer to every change."""
    for passed in range(layer):
        yield picture(passed, size, seed)
    yield from interactive(picture, layer=layer, size=size, seed=seed)


def check() -> Iterator[Claim]:
    """Orthogonal products keep every direction, Gaussian ones keep a few."""
    ends = [stretches(WIDTH, seed) for seed in range(3)]
    gap = max(float(np.abs(values["orthogonal"][-1] - 1).max()) for values in ends)
    yield below("50 orthogonal 64 × 64: largest distance of a singular value to 1", gap, 1e-10)
    ratios = [float(values["Gaussian"][-1][0] / values["Gaussian"][-1][10]) for values in ends]
    yield above("50 Gaussian: largest over the 11th, least of 3 seeds", min(ratios), 50)
    least = max(float(values["Gaussian"][-1][-1]) for values in ends)
    yield below("50 Gaussian: the smallest, largest of 3 seeds", least, 1e-12)
