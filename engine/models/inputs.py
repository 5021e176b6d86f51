"""What is put in front of a model: a validation sample, or what somebody drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from engine.data import DataSet, load
from engine.models.kept import Kept

SIDE = 28  # pixels of the drawing pad, either way
INK = 20 / 28  # part of the side that MNIST's makers let a digit fill


@dataclass(frozen=True)
class Given:
    """One sample in front of a model.

    Attributes:
        x: `(1, *shape)`.
        label: Its true class, or None if nobody knows.
        words: What it is, for captions.
    """

    x: torch.Tensor
    label: int | None
    words: str


class Samples:
    """The validation samples of a model's own data set, read when first asked for."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._data: DataSet | None = None

    def data(self) -> DataSet | None:
        """The data set itself; None for a model without one."""
        if self._data is None and self._kept.data:
            self._data = load(self._kept.data)
        return self._data

    def choose(self, source: str, sample: int, drawing: Sequence[float]) -> Given:
        """A validation sample by number (counted round and round), or the drawing.

        For a model without data the sample is noise, another one for every number.

        Raises:
            ValueError: Something was drawn for a model that takes no pictures.
        """
        if source == "drawing" and len(drawing):
            return Given(resample(drawing, self._kept.shape), None, "drawing")
        if not self._kept.data:
            x = torch.rand(1, *self._kept.shape, generator=torch.Generator().manual_seed(sample))
            return Given(x, None, f"noise {sample}: no data here fits this model")
        if self._data is None:
            self._data = load(self._kept.data)
        index = sample % len(self._data.valid_x)
        y = self._data.valid_y[index]
        known = self._data.task == "classification" and y.ndim == 0
        x = self._data.valid_x[index : index + 1]
        if tuple(x.shape[1:]) != self._kept.shape:
            raise ValueError(
                f"the model takes samples of shape {list(self._kept.shape)}; {self._data.name} "
                f"has {list(x.shape[1:])}"
            )
        return Given(x, int(y) if known else None, f"validation sample {index}")


def resample(drawing: Sequence[float], shape: tuple[int, ...]) -> torch.Tensor:
    """A drawing `(28 * 28,)` as a model's input `(1, channels, rows, columns)`.

    What was drawn is cut out, scaled to fill as much of the picture as a digit of MNIST does,
    and put with its centre of mass in the middle.
    """
    if len(shape) != 3:
        raise ValueError(f"drawing: the model takes samples of shape {list(shape)}, no pictures")
    channels, rows, columns = shape
    picture = torch.tensor(list(drawing), dtype=torch.float32).reshape(SIDE, SIDE)
    if not bool((picture > 0).any()):
        return torch.zeros(1, channels, rows, columns)
    high, wide = (picture > 0).any(1).nonzero(), (picture > 0).any(0).nonzero()
    cut = picture[int(high.min()) : int(high.max()) + 1, int(wide.min()) : int(wide.max()) + 1]
    part = INK if min(rows, columns) >= SIDE else 1.0  # tiny pictures are filled to the edge
    scale = part * min(rows / cut.shape[0], columns / cut.shape[1])
    size = [max(1, min(rows, round(cut.shape[0] * scale))), 0]
    size[1] = max(1, min(columns, round(cut.shape[1] * scale)))
    small = functional.interpolate(
        cut[None, None], size=size, mode="bilinear", antialias=True, align_corners=False
    ).clamp(0, 1)[0, 0]
    placed = torch.zeros(rows, columns)
    top = _offset(small.sum(1), rows)
    left = _offset(small.sum(0), columns)
    placed[top : top + size[0], left : left + size[1]] = small
    return placed.expand(1, channels, rows, columns).clone()


def _offset(mass: torch.Tensor, room: int) -> int:
    """Where to begin so that the centre of mass comes to the middle, inside the room."""
    centre = float((mass * torch.arange(len(mass))).sum() / mass.sum().clamp_min(1e-9))
    return max(0, min(room - len(mass), round((room - 1) / 2 - centre)))
