"""Pieces of photographs that scikit-learn brings along."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

VALID = 0.2  # part set aside for validation
PHOTOGRAPHS = ("china", "flower")


@datasets.add("photographs", shape=[3, 32, 32], classes=list(PHOTOGRAPHS), kind="image")
def photographs(
    side: Annotated[int, Slider(8, 64, help="Larger pieces, fewer of them [pixel]")] = 32,
    seed: Annotated[int, Slider(0, 999, help="Cut elsewhere, split otherwise")] = 0,
) -> DataSet:
    """Two photographs in colour, a palace in China and a flower, cut into squares.

    The squares do not overlap, so that none of what judges was learnt from.

    Source: scikit-learn's sample images; both under Creative Commons licences.
    """
    from sklearn.datasets import load_sample_image

    random = np.random.default_rng(seed)
    pieces, labels = [], []
    for label, name in enumerate(PHOTOGRAPHS):
        picture = load_sample_image(f"{name}.jpg")  # (427, 640, 3), bytes
        rows, columns = (length // side for length in picture.shape[:2])
        top, left = (int(random.integers(length % side + 1)) for length in picture.shape[:2])
        cut = picture[top : top + rows * side, left : left + columns * side]
        squares = cut.reshape(rows, side, columns, side, 3).transpose(0, 2, 4, 1, 3)
        pieces.append(squares.reshape(-1, 3, side, side) / 255)
        labels.append(np.full(rows * columns, label))
    x, y = np.concatenate(pieces), np.concatenate(labels)
    note = (
        f"two photographs cut into {len(x)} squares of {side} x {side} pixels that do not overlap"
    )
    return split(
        "photographs", x, y, PHOTOGRAPHS, seed=seed, valid=round(VALID * len(x)), note=note
    )
