"""Where the nodes of a graph stand in the plane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

STEPS = 200

Floats = npt.NDArray[np.float64]


def spread(links: Floats, seed: int = 0) -> Floats:
    """Places in [0, 1]², `(nodes, 2)`: links pull, all nodes push each other away.

    Args:
        links: Who is linked to whom, `(nodes, nodes)`, symmetric.
        seed: Fixes where they begin.

    Source: Fruchterman & Reingold (1991), Graph drawing by force-directed placement.
    """
    count = len(links)
    at = np.random.default_rng(seed).uniform(-0.5, 0.5, (count, 2))
    ideal = 1 / np.sqrt(count)
    for step in range(STEPS):
        apart = at[:, None] - at  # (nodes, nodes, 2)
        far = np.maximum(np.linalg.norm(apart, axis=2), 1e-3)
        push = ideal**2 / far**2  # per unit of `apart`, as is the pull
        pull = links * far / ideal
        move = ((push - pull)[:, :, None] * apart).sum(1) - 0.3 * at  # and a little to the middle
        length = np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
        at += move / length * np.minimum(length, 0.1 * (1 - step / STEPS))
    at -= at.min(0)
    found: Floats = at / np.maximum(at.max(0), 1e-9)
    return found
