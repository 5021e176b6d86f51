"""Distances between what was made and what is true, for samples of any kind."""

from __future__ import annotations

import torch

from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source

DIRECTIONS = 64
MOST = 2000  # samples of each side


@measures.add("sliced Wasserstein", unit="", better="lower", plane=True, images=True)
def sliced(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The mean distance that mass must be moved, seen along random directions.

    Along one direction the Wasserstein distance is the mean gap of the sorted samples.

    Source: Rabin et al. (2012), Wasserstein Barycenter and its Application to Texture Mixing.
    """
    del model
    count = min(len(made), len(source.held), MOST)
    here, there = made[:count].flatten(1), source.held[:count].flatten(1)
    directions = torch.randn(here.shape[1], DIRECTIONS, generator=draw)
    directions /= directions.norm(dim=0)
    gaps = (here @ directions).sort(0).values - (there @ directions).sort(0).values
    return float(gaps.abs().mean())
