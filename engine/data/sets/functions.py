"""One number from another: curves with noise on them."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

VALID = 0.25  # part set aside for validation
REACH = 3.0  # samples lie in [-3, 3]: about as wide as scaled columns of a table


@datasets.add("function", shape=[1], classes=[], kind="table")
def function(
    shape: Literal["sine", "step", "bump", "saw", "chirp", "line"] = "sine",
    size: Annotated[int, Slider(10, 2000, log=True, help="More points")] = 200,
    noise: Annotated[float, Slider(0.0, 1.0, help="Points stray further from the curve")] = 0.1,
    seed: Annotated[int, Slider(0, 999, help="Another draw of the same kind")] = 0,
) -> DataSet:
    """Points of a curve, off it by some noise: the network shall find the curve.

    Source: Bishop (2006), Pattern recognition and machine learning, section 1.1.
    """
    random = np.random.default_rng(seed)
    x = random.uniform(-REACH, REACH, size)
    y = curve(shape, x / REACH) + noise * random.normal(size=size)
    note = f"{size} points of a {shape}, made; they stray by {noise:g} (standard deviation)"
    return split(
        "function",
        x[:, None],
        y[:, None],
        (),
        seed=seed,
        valid=max(1, round(VALID * size)),
        features=("x",),
        note=note,
    )


def curve(shape: str, x: np.ndarray) -> np.ndarray:
    """The height of the curve itself at places in [-1, 1]."""
    found: np.ndarray = {
        "sine": np.sin(2 * np.pi * x),
        "step": np.where(x < 0, -0.7, 0.7),
        "bump": 2 * np.exp(-40 * x**2) - 0.7,
        "saw": 3 * (x % (2 / 3)) - 1,
        "chirp": np.sin(12 * (x + 1) ** 2 / 2),
        "line": 0.8 * x,
    }[shape]
    return found
