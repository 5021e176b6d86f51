"""What a data set is, and how one is asked for by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl

import numpy as np
import torch

from engine.tables import Table

datasets = Table("data set", "engine.data.sets")
"""Every data set; an entry's facts are `shape`, `classes` and `kind` (image, plane or table)."""

Task = Literal["classification", "regression"]
Kind = Literal["image", "plane", "table"]


@dataclass(frozen=True)
class DataSet:
    """Samples to learn from and samples to judge by.

    Attributes:
        name: What it was asked for by.
        task: Whether the answers are classes or numbers.
        train_x: Training samples, `(n, *shape)` float32.
        train_y: Their answers: `(n,)` whole numbers, or `(n, outputs)` float32 for regression.
        valid_x: Validation samples, `(m, *shape)`.
        valid_y: Their answers.
        classes: What the classes are called, by number; empty for regression.
        shape: The shape of one sample: `(channels, rows, columns)` or `(features,)`.
        extent: For points of the plane what part of it to show, as (left, right, bottom, top).
        features: What the columns of a table are called.
        note: Where it comes from and how it was scaled.
    """

    name: str
    task: Task
    train_x: torch.Tensor
    train_y: torch.Tensor
    valid_x: torch.Tensor
    valid_y: torch.Tensor
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    extent: tuple[float, float, float, float] | None = None
    features: tuple[str, ...] = ()
    note: str = ""

    @property
    def kind(self) -> Kind:
        """What a sample is: a picture, a point of the plane, or a row of a table."""
        if len(self.shape) == 3:
            return "image"
        return "plane" if self.extent is not None else "table"

    @property
    def outputs(self) -> int:
        """How many numbers a network must give for one sample."""
        return len(self.classes) if self.task == "classification" else self.train_y.shape[1]


def load(text: str) -> DataSet:
    """The data set of a name, with settings after a question mark: `spirals?arms=3&noise=0.1`.

    Raises:
        LookupError: No data set has that name, or its files cannot be had.
        ValueError: A setting is unknown or out of range, or a file is corrupt.
    """
    name, _, query = text.partition("?")
    settings = {key: _value(word) for key, word in parse_qsl(query)}
    if name.startswith("own:"):
        from engine.data import own  # here: it builds on this file

        return own.kept(name, settings)
    made: DataSet = datasets.find(name)(**settings)
    return made


def split(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    classes: tuple[str, ...],
    *,
    seed: int,
    valid: int,
    extent: tuple[float, float, float, float] | None = None,
    features: tuple[str, ...] = (),
    note: str = "",
) -> DataSet:
    """Shuffle samples and set the last `valid` aside for validation.

    Without classes `y` is numbers, `(n, outputs)`.
    """
    order = np.random.default_rng(seed).permutation(len(x))
    samples = torch.from_numpy(np.ascontiguousarray(x[order], dtype=np.float32))
    kind = np.int64 if classes else np.float32
    answers = torch.from_numpy(np.ascontiguousarray(y[order], dtype=kind))
    cut = len(x) - valid
    return DataSet(
        name=name,
        task="classification" if classes else "regression",
        train_x=samples[:cut],
        train_y=answers[:cut],
        valid_x=samples[cut:],
        valid_y=answers[cut:],
        classes=classes,
        shape=tuple(x.shape[1:]),
        extent=extent,
        features=features,
        note=note,
    )


def _value(word: str) -> object:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        return word
