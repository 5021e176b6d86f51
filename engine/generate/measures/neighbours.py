"""Nearest neighbours: are samples where true ones are, everywhere they are, and no copies?"""

from __future__ import annotations

import torch

from engine.generate.judge import seen
from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source

MOST = 1000  # samples of each side
NEIGHBOURS = 3


def inside(x: torch.Tensor, cloud: torch.Tensor, neighbours: int = NEIGHBOURS) -> float:
    """Share of x that lies in the region of a cloud: balls up to each one's k-th neighbour."""
    radius = torch.cdist(cloud, cloud).kthvalue(neighbours + 1, dim=1).values  # itself is first
    return float((torch.cdist(x, cloud) <= radius).any(dim=1).float().mean())


def nearest(x: torch.Tensor, training: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance to the nearest training sample, and its number, each `(n,)`."""
    closest = torch.cdist(x.flatten(1), training.flatten(1)).min(dim=1)
    return closest.values, closest.indices


def _both(made: torch.Tensor, source: Source) -> tuple[torch.Tensor, torch.Tensor] | None:
    count = min(len(made), len(source.held), MOST)
    if count <= NEIGHBOURS:
        return None
    return seen(made[:count], source), seen(source.held[:count], source)


@measures.add("precision", unit="", better="higher", plane=True, images=True, good=0.8)
def precision(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Share of the made samples that lie among true ones; images in our classifier's features.

    Source: Kynkäänniemi et al. (2019), Improved Precision and Recall Metric for Assessing
    Generative Models.
    """
    del model, draw
    both = _both(made, source)
    return None if both is None else inside(both[0], both[1])


@measures.add("recall", unit="", better="higher", plane=True, images=True, good=0.6)
def recall(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Share of the true samples that lie among made ones; images in our classifier's features.

    Source: Kynkäänniemi et al. (2019), Improved Precision and Recall Metric for Assessing
    Generative Models.
    """
    del model, draw
    both = _both(made, source)
    return None if both is None else inside(both[1], both[0])


@measures.add("novelty", unit="", better="higher", plane=False, images=True, good=0.7)
def novelty(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """How far samples are from training images, held-out true ones being at 1; copies are at 0.

    The ratio of the two median distances to the nearest training image, pixel by pixel.
    """
    del model, draw
    ours, _ = nearest(made[:MOST], source.x)
    true, _ = nearest(source.held[:MOST], source.x)
    usual = float(true.median())
    return float(ours.median()) / usual if usual > 0 else None
