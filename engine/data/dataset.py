"""What a data set is, and how one is asked for by name."""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from types import ModuleType
from typing import Literal
from urllib.parse import parse_qsl

import numpy as np
import torch

from engine.tables import Table

datasets = Table("data set", "engine.data.sets")
"""Every data set; an entry's facts are `shape`, `classes` and `kind`, and `download` where it comes
from the internet."""

Task = Literal["classification", "regression"]
Kind = Literal["image", "plane", "table", "text", "series", "points", "graph"]

BROUGHT = {
    "own": "engine.data.own",
    "text": "engine.data.own_text",
    "points": "engine.data.own_points",
    "images": "engine.data.own_images",
}
"""Prefix of a name -> the module whose `kept(name, settings)` reads what was brought under it.

Its `SETTINGS` are the settings that it knows.
"""

IGNORED = -100  # the answer at a place of a sequence that is not judged; torch's own number


@dataclass(frozen=True)
class DataSet:
    """Samples to learn from and samples to judge by.

    Attributes:
        name: What it was asked for by.
        task: Whether the answers are classes or numbers.
        train_x: Training samples, `(n, *shape)` float32; tokens are whole numbers, int64.
        train_y: Their answers: `(n,)` whole numbers, or `(n, outputs)` float32 for regression, or
            `(n, places)` whole numbers with an answer for each place, `IGNORED` where none counts,
            or `(n, rows, columns)` with one for each pixel. A network that shall give its input
            back has float32 answers of the samples' own shape.
        valid_x: Validation samples, `(m, *shape)`.
        valid_y: Their answers.
        classes: What the classes are called, by number; empty for regression.
        shape: The shape of one sample: `(channels, rows, columns)`, `(features,)`,
            `(length,)` of tokens or `(length, features)` of a series.
        extent: For points of the plane what part of it to show, as (left, right, bottom, top).
        features: What the columns of a table are called.
        vocabulary: What the tokens of a text are called, by number; empty if there are none.
        parts: Lengths of the pieces that a sample is cut into along its first axis where the
            network takes several inputs: (source, target so far) for translation.
        note: Where it comes from and how it was scaled.
        links: Who is linked to whom in a graph, `(nodes, nodes)`; a sample then holds a row of
            features for each node, and the network takes the links as its second input.
        points: Whether a sample is a cloud of points, `(points, coordinates)`, in no order.
        boxes: Of pictures: what stands where, for training and for validation, each
            `(n, most, 5)` of class, left, top, right, bottom [pixel]; class -1 for no thing.
        itself: Whether the answer is the sample itself, as an autoencoder is asked for it.
        rate: Where a sample is a sound, how many numbers of it make a second [Hz]; else 0.
        test_x: Samples that neither training nor any choice may look at; empty for none.
        test_y: Their answers.
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
    vocabulary: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()
    note: str = ""
    links: torch.Tensor | None = None
    points: bool = False
    boxes: tuple[torch.Tensor, torch.Tensor] | None = None
    itself: bool = False
    rate: int = 0
    test_x: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    test_y: torch.Tensor = field(default_factory=lambda: torch.zeros(0))

    @property
    def kind(self) -> Kind:
        """What a sample is: a picture, a point of the plane, a row of a table, text and so on."""
        if self.vocabulary:
            return "text"
        if self.links is not None:
            return "graph"
        if self.points:
            return "points"
        if len(self.shape) > 1:
            return "image" if len(self.shape) == 3 else "series"
        return "plane" if self.extent is not None else "table"

    @property
    def outputs(self) -> int:
        """How many numbers a network must give for one sample."""
        return len(self.classes) if self.task == "classification" else self.train_y[0].numel()

    @property
    def per_place(self) -> bool:
        """Whether every place of a sequence, or node of a graph, has an answer of its own."""
        return self.task == "classification" and self.train_y.ndim == 2

    @property
    def per_pixel(self) -> bool:
        """Whether every pixel of a picture has a class of its own."""
        return self.task == "classification" and self.train_y.ndim == 3

    @property
    def answer(self) -> tuple[int, ...]:
        """The shape of what a network must give for one sample; of pixels the classes first."""
        own = tuple(self.train_y.shape[1:])
        if self.task == "regression":
            return own
        return (self.outputs, *own) if self.per_pixel else (*own, self.outputs)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each input the network must have."""
        if self.links is not None:
            return (self.shape, tuple(self.links.shape))
        if not self.parts:
            return (self.shape,)
        return tuple((part, *self.shape[1:]) for part in self.parts)

    def inputs(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Samples, `(n, *shape)`, as the network takes them: one tensor for each input."""
        if self.links is not None:
            return (x, self.links.expand(len(x), -1, -1))
        return x.split(list(self.parts), 1) if self.parts else (x,)


def load(text: str) -> DataSet:
    """The data set of a name, with settings after a question mark: `spirals?arms=3&noise=0.1`.

    Raises:
        LookupError: No data set has that name, or its files cannot be had.
        ValueError: A setting is unknown or out of range, or a file is corrupt.
    """
    from engine.data import recast  # here: it builds on this file

    name, _, query = text.partition("?")
    settings = {key: _value(word) for key, word in parse_qsl(query)}
    own = _settings(name)  # of two settings of one name the data set's own holds
    changes = {k: settings.pop(k) for k in recast.CHANGES if k in settings and k not in own}
    return recast.changed(_made(name, settings), changes)


def _settings(name: str) -> Collection[str]:
    """What a data set lets itself be asked for."""
    prefix, colon, _ = name.partition(":")
    if not colon:
        return datasets.find(name).form.controls
    return _brought(prefix).SETTINGS  # type: ignore[no-any-return] # each of `BROUGHT` has them


def _made(name: str, settings: dict[str, object]) -> DataSet:
    """A data set of the table, or one that somebody brought, by the prefix of its name."""
    prefix, colon, _ = name.partition(":")
    if not colon:
        made: DataSet = datasets.find(name)(**settings)
        return made
    brought: DataSet = _brought(prefix).kept(name, settings)
    return brought


def _brought(prefix: str) -> ModuleType:
    if prefix not in BROUGHT:
        known = ", ".join(f"{one}:" for one in BROUGHT)
        raise LookupError(f"no data set {prefix!r:.40}: one's own begin with {known}")
    return importlib.import_module(BROUGHT[prefix])


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
    vocabulary: tuple[str, ...] = (),
    parts: tuple[int, ...] = (),
    latest: bool = False,
    points: bool = False,
    boxes: np.ndarray | None = None,
    rate: int = 0,
    note: str = "",
) -> DataSet:
    """Shuffle samples and set the last `valid` aside for validation.

    Without classes `y` is numbers, `(n, outputs)`; with a vocabulary `x` is tokens. `latest` keeps
    the last samples as they stand, so that a series is judged by its future.
    """
    order = np.random.default_rng(seed).permutation(len(x) - valid * latest)
    order = np.concatenate([order, np.arange(len(order), len(x))])
    whole = np.int64 if vocabulary else np.float32
    samples = torch.from_numpy(np.ascontiguousarray(x[order], dtype=whole))
    kind = np.int64 if classes else np.float32
    answers = torch.from_numpy(np.ascontiguousarray(y[order], dtype=kind))
    cut = len(x) - valid
    things = None if boxes is None else torch.from_numpy(boxes[order].astype(np.float32))
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
        vocabulary=vocabulary,
        parts=parts,
        note=note,
        points=points,
        rate=rate,
        boxes=None if things is None else (things[:cut], things[cut:]),
    )


def _value(word: str) -> object:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        return word
