"""Points of the plane in classes: small puzzles whose solution can be seen at a glance."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

EXTENT = (-1.5, 1.5, -1.5, 1.5)  # all of these sets are scaled to fit
VALID = 0.25  # part set aside for validation

Floats = npt.NDArray[np.float64]
Size = Annotated[int, Slider(40, 4000, log=True, help="More points")]
Noise = Annotated[float, Slider(0.0, 0.5, help="Points stray further from their place")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]


def _plane(
    name: str, xy: Floats, y: npt.NDArray[np.int64], noise: float, seed: int, count: int
) -> DataSet:
    """Stray the points, `(n, 2)`, by `noise`, and split them."""
    random = np.random.default_rng(seed + 10_000)  # the shape's own draws use `seed`
    return split(
        name,
        xy + noise * random.normal(size=xy.shape),
        y,
        tuple("ABCDEF"[:count]),
        seed=seed,
        valid=round(VALID * len(xy)),
        extent=EXTENT,
        note=f"{len(xy)} points, made; they stray from their place by {noise:g} "
        f"(standard deviation); a quarter is set aside for validation",
    )


def _turns(size: int, count: int) -> npt.NDArray[np.int64]:
    """Class numbers 0..count-1 in turn, so that classes differ by one point at most."""
    return np.arange(size) % count


@datasets.add("moons", shape=[2], classes=["A", "B"], kind="plane")
def moons(size: Size = 400, noise: Noise = 0.12, seed: Seed = 0) -> DataSet:
    """Two half moons that reach into each other."""
    y = _turns(size, 2)
    angle = np.random.default_rng(seed).uniform(0, np.pi, size)
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    lower = np.stack([0.5 - np.cos(angle), 0.25 - np.sin(angle)], axis=1)
    return _plane("moons", 0.85 * np.where(y[:, None] == 0, upper, lower), y, noise, seed, 2)


@datasets.add("circles", shape=[2], classes=["A", "B"], kind="plane")
def circles(size: Size = 400, noise: Noise = 0.08, seed: Seed = 0) -> DataSet:
    """A ring around a ring: no line can part them, a radius can."""
    y = _turns(size, 2)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, size)
    radius = np.where(y == 0, 1.1, 0.5)
    xy = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _plane("circles", xy, y, noise, seed, 2)


@datasets.add("blobs", shape=[2], classes=["A", "B", "C"], kind="plane")
def blobs(
    centres: Annotated[int, Slider(2, 6, help="More classes")] = 3,
    size: Size = 400,
    noise: Noise = 0.2,
    seed: Seed = 0,
) -> DataSet:
    """Round clouds on a circle, a class each."""
    y = _turns(size, centres)
    angle = 2 * np.pi * y / centres + 0.5
    xy = 0.9 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _plane("blobs", xy, y, noise, seed, centres)


@datasets.add("xor", shape=[2], classes=["A", "B"], kind="plane")
def xor(size: Size = 400, noise: Noise = 0.05, seed: Seed = 0) -> DataSet:
    """Four squares, opposite ones alike: the puzzle that one layer cannot solve.

    Source: Minsky & Papert (1969), Perceptrons.
    """
    quadrant = _turns(size, 4)
    corner = np.random.default_rng(seed).uniform(0.1, 1.2, (size, 2))
    signs = np.stack([np.where(quadrant % 2 == 0, 1, -1), np.where(quadrant < 2, 1, -1)], axis=1)
    return _plane("xor", signs * corner, np.isin(quadrant, (1, 2)).astype(int), noise, seed, 2)


@datasets.add("spirals", shape=[2], classes=["A", "B"], kind="plane")
def spirals(
    arms: Annotated[int, Slider(2, 5, help="More classes, wound closer")] = 2,
    turns: Annotated[float, Slider(0.5, 3.0, help="Wound further")] = 1.5,
    size: Size = 400,
    noise: Noise = 0.03,
    seed: Seed = 0,
) -> DataSet:
    """Arms wound around each other, a class each.

    Source: Lang & Witbrock (1988), Learning to tell two spirals apart.
    """
    y = _turns(size, arms)
    along = np.sqrt(np.random.default_rng(seed).uniform(0.01, 1, size))  # even along the arm
    angle = 2 * np.pi * (turns * along + y / arms)
    xy = 1.3 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _plane("spirals", xy, y, noise, seed, arms)


@datasets.add("checkerboard", shape=[2], classes=["A", "B"], kind="plane")
def checkerboard(
    fields: Annotated[int, Slider(2, 6, help="Smaller fields")] = 4,
    size: Size = 800,
    noise: Noise = 0.0,
    seed: Seed = 0,
) -> DataSet:
    """Black and white fields of a board."""
    xy = np.random.default_rng(seed).uniform(-1.3, 1.3, (size, 2))
    column = np.floor((xy + 1.3) / 2.6 * fields).astype(int)
    return _plane("checkerboard", xy, column.sum(axis=1) % 2, noise, seed, 2)


@datasets.add("gauss", shape=[2], classes=["A", "B"], kind="plane")
def gauss(
    size: Size = 400,
    overlap: Annotated[float, Slider(0.1, 1.0, help="Wider clouds that share ground")] = 0.35,
    seed: Seed = 0,
) -> DataSet:
    """Two round clouds: the best border is the straight line half way."""
    y = _turns(size, 2)
    xy = np.where(y == 0, 0.6, -0.6)[:, None] * np.ones((size, 2))
    return _plane("gauss", xy, y, overlap, seed, 2)


@datasets.add("plane", shape=[2], classes=[], kind="plane")
def plane(
    size: Size = 400,
    shape: Literal["hill", "saddle", "waves"] = "hill",
    noise: Noise = 0.02,
    seed: Seed = 0,
) -> DataSet:
    """A height over each point of the plane: regression that can be seen."""
    random = np.random.default_rng(seed)
    xy = random.uniform(-1.5, 1.5, (size, 2))
    x, y = xy.T
    heights = {
        "hill": np.exp(-2 * (x**2 + y**2)),
        "saddle": x * y / 2,
        "waves": np.sin(3 * x) * np.cos(3 * y),
    }
    z = heights[shape] + noise * random.normal(size=size)
    note = f"{size} points, made; heights are off by {noise:g} (standard deviation)"
    valid = round(VALID * size)
    return split("plane", xy, z[:, None], (), seed=seed, valid=valid, extent=EXTENT, note=note)
