"""A model with something in front of it: what each token is called, and what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.attention.grid import PatchGrid, find_grid
from engine.attention.watch import Edit, Seen, Sight, look
from engine.data.dataset import IGNORED
from engine.views import Array

Tensor = torch.Tensor

MOST_EXTRA = 8  # class tokens and registers that a network may put before its input


@dataclass(frozen=True)
class Stream:
    """One input, as a row of tokens.

    Attributes:
        words: What each token is called, as it is shown.
        ids: The tokens as numbers, `(n,)`; empty for pictures and series.
        role: `tokens`, or for a network with two inputs `source` and `target`.
    """

    words: tuple[str, ...]
    ids: Array
    role: str = "tokens"


@dataclass(frozen=True)
class Subject:
    """A model and what was put into it.

    Attributes:
        module: The network.
        inputs: What it takes, with a batch of one.
        streams: The inputs as tokens; for a picture its patches, once they have been found.
        names: What its outputs are called; empty for numbers.
        truth: The right answer: `(1,)`, or `(1, places)` with `IGNORED`; None if nobody knows.
        picture: The input as a picture, `(rows, columns)` or `(rows, columns, 3)` in [0, 1].
        grid: How its tokens lie on it.
        about: What it is, for captions.
    """

    module: nn.Module
    inputs: tuple[Tensor, ...]
    streams: tuple[Stream, ...]
    names: tuple[str, ...] = ()
    truth: Tensor | None = None
    picture: Array | None = None
    grid: PatchGrid | None = None
    about: str = ""

    def look(self, edits: Sequence[Edit] = (), outputs: Sequence[str] = ()) -> Sight:
        """Run it and see its attentions."""
        with torch.no_grad():
            return look(self.module, self.inputs, edits=edits, outputs=outputs)

    def name(self, output: int) -> str:
        """What an output is called."""
        return self.names[output] if output < len(self.names) else str(output)

    def loss(self, answer: Tensor) -> float:
        """Cross-entropy of an answer [nat]; NaN if nobody knows what is right."""
        if self.truth is None or self.truth.shape != answer.shape[:-1]:
            return float("nan")
        flat = functional.cross_entropy(
            answer.flatten(0, -2), self.truth.flatten(), ignore_index=IGNORED
        )
        return float(flat)

    def rows(self, layer: Seen) -> tuple[str, ...]:
        """What the places are called that look."""
        return self._words(layer.weights.shape[2], self.of(layer)[0])

    def columns(self, layer: Seen) -> tuple[str, ...]:
        """What the places are called that are looked at."""
        return self._words(layer.weights.shape[3], self.of(layer)[1])

    def of(self, layer: Seen) -> tuple[int, int]:
        """The inputs, by number, whose places look and are looked at.

        Lengths tell; where all inputs are as long, cross-attention goes from the last to the first
        and what may not look ahead is the last.
        """
        last = len(self.streams) - 1
        looking = 0 if layer.kind == "self" else last
        looked_at = 0 if layer.kind == "cross" else looking
        return (
            self._by_length(layer.weights.shape[2], looking),
            self._by_length(layer.weights.shape[3], looked_at),
        )

    def _by_length(self, length: int, otherwise: int) -> int:
        fitting = [i for i, one in enumerate(self.streams) if len(one.words) == length]
        return fitting[0] if len(fitting) == 1 else otherwise

    def _words(self, length: int, stream: int) -> tuple[str, ...]:
        words = self.streams[stream].words
        more = length - len(words)
        if more == 0:
            return words
        if 0 < more <= MOST_EXTRA:  # put before the others by a class token's layer
            return (*(extra_name(number, more) for number in range(more)), *words)
        return tuple(str(place) for place in range(length))


def extra_name(number: int, count: int) -> str:
    """What a token is called that stands for nothing of the input."""
    return "[class]" if count == 1 else f"[extra {number}]"


def with_grid(subject: Subject, layers: Sequence[Seen]) -> Subject:
    """The subject with the patches of its picture found, if it has one and they can be found."""
    if subject.picture is None or not layers:
        return subject
    path = layers[0].name.partition("#")[0]
    grid = find_grid(subject.module, subject.inputs[0], path)
    if grid is None:
        return subject
    words = [""] * (len(grid.places) + len(grid.extra))
    for number, place in enumerate(grid.extra):
        words[place] = extra_name(number, len(grid.extra))
    for number, place in enumerate(grid.places):
        words[place] = f"{number // grid.columns + 1}:{number % grid.columns + 1}"
    stream = Stream(tuple(words), np.zeros(0, dtype=np.int64))
    return replace(subject, grid=grid, streams=(stream,))
