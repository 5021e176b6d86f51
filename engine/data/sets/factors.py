"""One shape on black, whose every property is known: what disentangling is measured on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Annotated

import numpy as np
import numpy.typing as npt

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

Floats = npt.NDArray[np.float64]

NAMES = ("shape", "column", "row", "size", "angle")
SHAPES = ("square", "ellipse", "triangle")
COUNTS = (len(SHAPES), 7, 7, 4, 6)  # values of each factor
FINE = 3  # points along a pixel at which it is asked whether it is inside


def known_factors(pixels: int = 16) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Every combination of the factors.

    Returns:
        Images `(n, 1, pixels, pixels)` in [0, 1], and the number of each factor's value in them,
        `(n, 5)`, in the order of `NAMES`.
    """
    factors = np.array(list(itertools.product(*map(range, COUNTS))))
    images = np.stack([_drawn(tuple(one), pixels) for one in factors.tolist()])
    return images[:, None].astype(np.float32), factors


@datasets.add("factors", shape=[1, 16, 16], classes=list(SHAPES), kind="image")
def factors(
    pixels: Annotated[int, Slider(12, 64, help="Larger images")] = 16,
    seed: Annotated[int, Slider(0, 999, help="Another split")] = 0,
) -> DataSet:
    """A square, ellipse or triangle in every place, size and angle: 3,528 images.

    Source: after Matthey et al. (2017), dSprites: Disentanglement testing Sprites dataset.
    """
    images, values = known_factors(pixels)
    note = (
        f"{len(images):,} images, drawn: every combination of {len(SHAPES)} shapes, "
        "7 x 7 places, 4 sizes and 6 angles; a tenth is set aside"
    )
    valid = len(images) // 10
    return split("factors", images, values[:, 0], SHAPES, seed=seed, valid=valid, note=note)


def _drawn(values: tuple[int, ...], pixels: int) -> Floats:
    """One image, `(pixels, pixels)`: the part of each pixel that lies inside of the shape."""
    shape, column, row, size, angle = values
    axis = (np.arange(pixels * FINE) + 0.5) / (pixels * FINE)  # in [0, 1], from the left or top
    x = axis[None, :] - (0.3 + 0.4 * column / (COUNTS[1] - 1))
    y = axis[:, None] - (0.3 + 0.4 * row / (COUNTS[2] - 1))
    # a square looks the same after a quarter, so angles stay below one
    turn = np.pi / 2 * angle / COUNTS[4]
    along, across = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    reach = 0.16 + 0.12 * size / (COUNTS[3] - 1)
    inside = _INSIDE[SHAPES[shape]](along / reach, across / reach)
    blocks = inside.reshape(pixels, FINE, pixels, FINE)
    mean: Floats = blocks.mean(axis=(1, 3))
    return mean


_INSIDE: dict[str, Callable[[Floats, Floats], npt.NDArray[np.bool_]]] = {
    "square": lambda x, y: np.maximum(abs(x), abs(y)) < 0.8,
    "ellipse": lambda x, y: x**2 + (y / 0.55) ** 2 < 1,
    "triangle": lambda x, y: (y < 0.6) & (abs(x) * np.sqrt(3) - y < 0.9),
}
