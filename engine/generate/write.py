"""Text written token by token, with everything one may want to know of each."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from engine.generate.filters import Rule, Stage, draw, stages
from engine.generate.writer import Writer


@dataclass(frozen=True)
class Written:
    """One token that was drawn.

    Attributes:
        token: Which.
        stages: The odds it was drawn from: what the network says, then after each filter.
        seconds: How long the network took to say it [s].
    """

    token: int
    stages: tuple[Stage, ...]
    seconds: float

    @property
    def chance(self) -> float:
        """What the network itself held of it, before any filter."""
        return float(self.stages[0].chances[self.token])

    @property
    def surprise(self) -> float:
        """The same in bits: 0 for what was certain."""
        return -math.log2(max(self.chance, 1e-30))


def write(
    someone: Writer,
    prompt: Sequence[int],
    rule: Rule,
    *,
    count: int,
    seed: int = 0,
    end: int | None = None,
) -> Iterator[Written]:
    """Draw up to `count` tokens after a prompt, one at a time.

    Args:
        someone: Who writes.
        prompt: How the text begins, at least one token.
        rule: What is done to the odds.
        count: How many tokens.
        seed: Fixes what is drawn.
        end: The token that ends the text.
    """
    generator = torch.Generator().manual_seed(seed)
    text = list(prompt)
    for _ in range(count):
        begun = time.perf_counter()
        scores = someone.scores(text)
        seconds = time.perf_counter() - begun
        found = tuple(stages(scores, text, rule))
        token = draw(found[-1].scores, generator)
        text.append(token)
        yield Written(token, found, seconds)
        if token == end:
            return
