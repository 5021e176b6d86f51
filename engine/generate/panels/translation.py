"""What is given, what is made of it, and what is wanted, side by side."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate.learner import Learner
from engine.generate.model import Generative
from engine.generate.panels import panels
from engine.generate.panels.samples import tiles
from engine.generate.source import Source
from engine.views import Arrows, Points, Tiles, View

IMAGES = 8
POINTS = 200


def side_by_side(
    given: torch.Tensor, made: torch.Tensor, wanted: torch.Tensor | None, home: torch.Tensor | None
) -> Tiles:
    """One row a sample: what is given, made, wanted, and what comes back."""
    columns = {"given": given, "made": made}
    if wanted is not None:
        columns["wanted"] = wanted
    if home is not None:
        columns["and back"] = home
    rows = torch.stack(list(columns.values()), dim=1).flatten(0, 1)
    names = tuple(columns) * len(given)
    return Tiles(tiles(rows), names, across=2 * len(columns), title=", ".join(columns))


def moved(given: torch.Tensor, made: torch.Tensor, source: Source) -> Arrows:
    """From each given point to what is made of it, over wanted ones."""
    true = source.held[: 2 * POINTS]
    return Arrows(
        given.numpy(),
        (made - given).numpy(),
        source.outline.extent,
        points=Points(true.numpy(), np.ones(len(true), dtype=np.int32), ("given", "wanted")),
        title="from given points to what is made of them, over wanted ones",
    )


def translated(model: Generative, source: Source, begin: int = 0) -> View | None:
    """Held-out samples and what a model makes of them."""
    if source.held_labels is None:
        return None
    count = POINTS if source.outline.plane else IMAGES
    given = source.held_labels[begin : begin + count]
    with torch.no_grad():
        made = model.sample(len(given), torch.Generator().manual_seed(0), given)
        back = getattr(model, "back", None)
        home = None if back is None else back(made)
    if source.outline.plane:
        return moved(given[:60], made[:60], source)
    wanted = source.held[begin : begin + count] if source.matched else None
    return side_by_side(given, made, wanted, home)


@panels.add("translation", place=1.5, shown=True)
def translation(learner: Learner, memory: dict[str, object]) -> View | None:
    """What is given and what is made of it."""
    del memory
    if not learner.source.outline.given:
        return None
    learner.model.eval()
    view = translated(learner.model, learner.source)
    learner.model.train()
    return view
