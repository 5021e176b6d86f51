"""Beam search: several beginnings are kept side by side, the likeliest ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Beam:
    """A beginning that is still followed.

    Attributes:
        tokens: What it wrote, the prompt not counted.
        score: The logarithm of its chance [nat].
    """

    tokens: tuple[int, ...]
    score: float

    def ended(self, end: int | None) -> bool:
        """Whether it has written the token that ends a text."""
        return end is not None and bool(self.tokens) and self.tokens[-1] == end


Scores = Callable[[Sequence[Sequence[int]]], torch.Tensor]
"""Texts of one length, prompt included, to scores of their next token, `(texts, tokens)`."""


def search(
    scores: Scores, prompt: Sequence[int], *, width: int, count: int, end: int | None = None
) -> Iterator[list[Beam]]:
    """Follow the `width` likeliest texts for `count` tokens; the beams after each of them.

    A text that has ended stays in the race with the chance it has.

    Source: Lowerre (1976), The Harpy speech recognition system.
    """
    beams = [Beam((), 0.0)]
    for _ in range(count):
        going = [beam for beam in beams if not beam.ended(end)]
        if not going:
            return
        logs = scores([[*prompt, *beam.tokens] for beam in going]).log_softmax(-1)
        best = logs.topk(min(width, logs.shape[1]), dim=-1)
        further = [
            Beam((*beam.tokens, int(token)), beam.score + float(log))
            for beam, tokens, values in zip(going, best.indices, best.values, strict=True)
            for token, log in zip(tokens, values, strict=True)
        ]
        ended = [beam for beam in beams if beam.ended(end)]
        beams = sorted([*ended, *further], key=lambda beam: -beam.score)[:width]
        yield beams
