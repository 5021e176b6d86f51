"""What an importer gives: a network, its weights where the file has them, and remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.importing.fold import fold
from engine.importing.tape import Tape
from engine.importing.tidy import tidied
from engine.network.spec import NetworkSpec


@dataclass
class Found:
    """A network that was read.

    Attributes:
        weights: `ID.weight -> array`, or None where the file has none.
        notes: Sentences on what was left behind or taken on trust.
    """

    spec: NetworkSpec
    weights: Mapping[str, np.ndarray] | None = None
    notes: list[str] = field(default_factory=list)


def folded(tape: Tape) -> Found:
    """The network on a tape."""
    tape = tidied(tape)
    spec, places = fold(tape)
    weights = {
        f"{places[leaf.path]}.{name}": array
        for leaf in tape.leaves
        for name, array in leaf.weights.items()
    }
    return Found(spec, weights or None)
