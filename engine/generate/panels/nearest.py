"""Are the samples copies? Beside each the training image that is nearest to it."""

from __future__ import annotations

import torch

from engine.generate.learner import Learner
from engine.generate.measures.neighbours import nearest
from engine.generate.panels import panels
from engine.generate.panels.samples import tiles
from engine.generate.source import Source
from engine.views import Tiles, View

IMAGES = 12


def beside(made: torch.Tensor, source: Source) -> Tiles:
    """Samples, each followed by the nearest training image, and how far it is."""
    apart, which = nearest(made, source.x)
    true, _ = nearest(source.held[:200], source.x)
    pairs = torch.stack([made, source.x[which]], dim=1).flatten(0, 1)
    words = [word for value in apart for word in ("made", f"nearest, {value:.1f} away")]
    usual = float(true.median())
    return Tiles(
        tiles(pairs),
        tuple(words),
        across=8,
        title=f"the nearest training images; of a new true image it is {usual:.1f} away",
    )


@panels.add("nearest", place=11, shown=False)
def nearest_training(learner: Learner, memory: dict[str, object]) -> View | None:
    """The nearest training image beside each sample: has it learnt, or learnt by heart?"""
    del memory
    if learner.source.outline.plane or learner.source.outline.given:
        return None
    return beside(learner.fixed(IMAGES), learner.source)
