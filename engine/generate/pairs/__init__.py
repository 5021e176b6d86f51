"""Two kinds of samples, to turn one into the other: `maker(**settings) -> Pairs`; a table.

An entry's facts: `title`; `plane`, whether they are points and not images; `matched`, whether a
sample of the one belongs to one of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.generate.model import Outline
from engine.tables import Table

pairs = Table("pair of domains", "engine.generate.pairs")


@dataclass(frozen=True)
class Pairs:
    """Where samples of both kinds come from.

    Attributes:
        draw: How many, and a generator -> what is given `(n, *given)` and what is wanted
            `(n, *shape)`; images in [-1, 1].
        outline: What a wanted sample is; its `given` says what one is made from.
        matched: Whether the i-th of one belongs to the i-th of the other.
    """

    draw: Callable[[int, torch.Generator], tuple[torch.Tensor, torch.Tensor]]
    outline: Outline
    matched: bool = True
