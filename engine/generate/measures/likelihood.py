"""What a model says of true samples that it has not learnt from: likelihoods and their bounds."""

from __future__ import annotations

import math

import torch

from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source

POINTS = 2000  # held-out points that are judged
IMAGES = 256


@measures.add("log-likelihood", unit="nat", better="higher", plane=True, images=False)
def log_likelihood(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The mean of log p(x) over held-out points, of log p(x|class) where classes are told."""
    del made, draw
    told = _told(model, source)
    return None if told is None else float(told.mean())


@measures.add("KL from the truth", unit="nat", better="lower", plane=True, images=False, good=0.1)
def missed(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """KL(p ‖ q) of the true density p and the model's q, over held-out points.

    The mean of log p - log q; 0 for a perfect model, and a little to either side by chance.
    """
    del made, draw
    target = source.target
    if target is None or target.log_density is None:
        return None
    x = source.held[:POINTS]
    with torch.no_grad():
        told = model.log_density(x)  # over all classes, as the truth is
    return None if told is None else float((target.log_density(x) - told).mean())


@measures.add("bits per dimension", unit="bit", better="lower", plane=False, images=True)
def bits(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """How many bits a pixel of held-out images takes: -log2 P(x) / pixels.

    Exact where a model draws pixel by pixel; an upper bound for flows, whose images are made
    continuous first. All shades alike would take log2(shades): 4.09 for 17, 8 for 256.

    Source: Theis, van den Oord & Bethge (2016), A note on the evaluation of generative models.
    """
    del made
    x, labels = _held(source)
    with torch.no_grad():
        told = model.log_chance(x, draw, labels if model.conditional else None)
    return None if told is None else -float(told.mean()) / source.outline.size / math.log(2)


@measures.add("ELBO", unit="nat", better="higher", plane=True, images=True)
def elbo(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The lower bound of log p(x), mean over held-out samples: the two terms below together."""
    del made
    terms = _terms(source, model, draw)
    return None if terms is None else float((terms[0] - terms[1]).mean())


@measures.add("reconstruction", unit="nat", better="higher", plane=True, images=True)
def reconstruction(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The bound's first term, E log p(x|z): how well codes bring back their samples."""
    del made
    terms = _terms(source, model, draw)
    return None if terms is None else float(terms[0].mean())


@measures.add("rate", unit="nat", better="lower", plane=True, images=True)
def rate(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The bound's second term, KL(q(z|x) ‖ p(z)): what a code says of its sample."""
    del made
    terms = _terms(source, model, draw)
    return None if terms is None else float(terms[1].mean())


def _held(source: Source) -> tuple[torch.Tensor, torch.Tensor | None]:
    count = POINTS if source.outline.plane else IMAGES
    labels = source.held_labels
    return source.held[:count], None if labels is None else labels[:count]


def _told(model: Generative, source: Source) -> torch.Tensor | None:
    x, labels = _held(source)
    with torch.no_grad():
        return model.log_density(x, labels if model.conditional else None)


def _terms(
    source: Source, model: Generative, draw: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor] | None:
    x, labels = _held(source)
    with torch.no_grad():
        return model.bound(x, draw, labels)
