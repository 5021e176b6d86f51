"""How well what is given becomes what is wanted, where one knows what that is."""

from __future__ import annotations

import torch

from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source


def overlap(made: torch.Tensor, true: torch.Tensor) -> float:
    """Mean over pictures of |both| / |either|, of the pixels brighter than the middle grey."""
    one, two = (made > 0).flatten(1), (true > 0).flatten(1)
    either = (one | two).sum(1)
    shared = (one & two).sum(1) / either.clamp(min=1)
    return float(torch.where(either == 0, 1.0, shared).mean())


@measures.add("IoU with the wanted", unit="", better="higher", plane=False, images=True, good=0.72)
def iou(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The area that made and wanted shape share, of what either has, on held-out pairs."""
    del model, draw
    if not source.outline.given or not source.matched:
        return None
    count = min(len(made), len(source.held))
    return overlap(made[:count], source.held[:count])


@measures.add("round trip", unit="", better="lower", plane=True, images=True, good=0.05)
def round_trip(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """How far from home there and back leads, on average over all numbers of a sample."""
    del draw
    back = getattr(model, "back", None)
    if back is None or source.held_labels is None:
        return None
    with torch.no_grad():
        home = back(made)
    if home is None:
        return None
    count = min(len(made), len(source.held_labels))
    return float((home[:count] - source.held_labels[:count]).abs().mean())
