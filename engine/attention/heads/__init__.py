"""The table of head detectors: `detect(weights, tokens) -> a score in [0, 1] for every head`.

Weights are `(heads, n, n)`, tokens `(n,)`; the score is the part of its attention that a head
spends as the pattern says, averaged over the places where the pattern can occur. An entry's fact
`repeats` says that there must be tokens that come again.
"""

from __future__ import annotations

import numpy as np

from engine.tables import Table
from engine.views import Array

detectors = Table("head detector", "engine.attention.heads")


def scores(weights: Array, tokens: Array) -> dict[str, Array]:
    """What every detector says of one layer: name -> `(heads,)`; NaN where nothing can be said."""
    return {
        name: np.asarray(entry.function(weights, tokens)) for name, entry in detectors.all().items()
    }
