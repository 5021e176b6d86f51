"""Drawn shapes: one to be named, several to be marked pixel by pixel, with their boxes."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

VALID = 0.2  # part set aside for validation
KINDS = ("disc", "square", "triangle", "ring")
SMALLEST, LARGEST = 0.12, 0.24  # half of a shape's width, as a part of the picture's side
TRIES = 30  # places that are tried for a shape among others

Size = Annotated[int, Slider(100, 10_000, log=True, help="More pictures")]
Side = Annotated[int, Slider(16, 64, help="Larger pictures [pixel]")]
Noise = Annotated[float, Slider(0.0, 0.5, help="Grain in the picture")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]


@datasets.add("shapes", shape=[1, 32, 32], classes=list(KINDS), kind="image")
def shapes(size: Size = 1200, side: Side = 32, noise: Noise = 0.1, seed: Seed = 0) -> DataSet:
    """One shape in each picture, of some size, somewhere: a disc, square, triangle or ring."""
    random = np.random.default_rng(seed)
    pictures, masks, boxes = scenes(size, 1, side, noise, random)
    note = f"{size:,} pictures of {side} x {side} pixels, drawn; grain of {noise:g}"
    return split(
        "shapes",
        pictures,
        masks.reshape(size, -1).max(1) - 1,
        KINDS,
        seed=seed,
        valid=round(VALID * size),
        boxes=boxes,
        note=note,
    )


@datasets.add("scenes", shape=[1, 32, 32], classes=["ground", *KINDS], kind="image")
def several(
    most: Annotated[int, Slider(1, 6, help="More shapes in a picture")] = 3,
    size: Size = 800,
    side: Side = 32,
    noise: Noise = 0.1,
    seed: Seed = 0,
) -> DataSet:
    """Up to three shapes in each picture; every pixel is asked for what stands there."""
    random = np.random.default_rng(seed)
    pictures, masks, boxes = scenes(size, most, side, noise, random)
    note = (
        f"{size:,} pictures of {side} x {side} pixels with 1 to {most} shapes, drawn; grain of "
        f"{noise:g}; each pixel has a class, each shape a box"
    )
    return split(
        "scenes",
        pictures,
        masks,
        ("ground", *KINDS),
        seed=seed,
        valid=round(VALID * size),
        boxes=boxes,
        note=note,
    )


@datasets.add("ink", shape=[1, 8, 8], classes=["paper", "ink"], kind="image")
def ink(
    noise: Annotated[float, Slider(0.0, 1.0, help="Grain that hides the ink")] = 0.3,
    seed: Seed = 0,
) -> DataSet:
    """Digits under grain: which of the 8 x 8 pixels held ink before?

    Source: Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI.
    """
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()  # scikit-learn has no types
    clean = bunch.images / 16  # (1797, 8, 8)
    random = np.random.default_rng(seed + 10_000)
    pictures = (clean + noise * random.normal(size=clean.shape))[:, None]
    note = f"UCI digits under grain of {noise:g}; ink is what was darker than half"
    return split("ink", pictures, clean > 0.5, ("paper", "ink"), seed=seed, valid=360, note=note)


def scenes(
    size: int, most: int, side: int, noise: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures with shapes that do not touch.

    Args:
        size: How many pictures.
        most: Shapes in one, 1 to so many (fewer where no room is found).
        side: Rows and columns.
        noise: Standard deviation of the grain.
        random: Where chance comes from.

    Returns:
        Pictures `(size, 1, side, side)`, masks `(size, side, side)` with 0 for the ground and
        1, 2, ... for `KINDS`, and boxes `(size, most, 5)`: kind (from 0; -1 for none), left, top,
        right and bottom edge [pixel].
    """
    rows, columns = np.mgrid[:side, :side] + 0.5  # the middles of the pixels
    masks = np.zeros((size, side, side), dtype=np.int64)
    pictures = np.full((size, side, side), 0.15)
    boxes = np.full((size, most, 5), -1.0)
    for mask, picture, found in zip(masks, pictures, boxes, strict=True):
        for place in range(random.integers(1, most + 1)):
            kind = int(random.integers(len(KINDS)))
            for _ in range(TRIES):
                half = random.uniform(SMALLEST, LARGEST) * side
                x, y = random.uniform(half, side - half, 2)
                inside = covered(kind, columns - x, rows - y, half)
                near = covered(1, columns - x, rows - y, half + 1.5)  # a square around it
                if inside.any() and not mask[near].any():
                    break
            else:
                continue  # no room: the picture has one less
            mask[inside] = kind + 1
            picture[inside] = random.uniform(0.5, 1.0)
            down, along = np.nonzero(inside)
            found[place] = (kind, along.min(), down.min(), along.max() + 1, down.max() + 1)
    pictures += noise * random.normal(size=pictures.shape)
    return pictures[:, None], masks, boxes


def covered(kind: int, x: np.ndarray, y: np.ndarray, half: float) -> np.ndarray:
    """Which pixels a shape covers; x and y are their distances from its middle, y downwards."""
    radius = np.hypot(x, y)
    found: np.ndarray = (
        radius <= half,
        np.maximum(abs(x), abs(y)) <= 0.85 * half,
        (y <= half) & (y >= 2 * abs(x) - half),  # tip up
        (radius <= half) & (radius >= 0.55 * half),
    )[kind]
    return found
