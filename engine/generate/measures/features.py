"""Images as our own classifier of their data set sees them.

Scores in its features may be held against each other on one data set, never against published ones.
"""

from __future__ import annotations

import torch

from engine.generate.judge import judge
from engine.generate.measures import measures
from engine.generate.measures.kernel import MOST, cubic, unbiased_mmd
from engine.generate.measures.modes import FOUND
from engine.generate.model import Generative
from engine.generate.source import Source


def frechet(x: torch.Tensor, y: torch.Tensor) -> float:
    """Fréchet distance of the Gaussians with the means and covariances of two clouds, `(n, d)`.

    d² = ‖μ₁ - μ₂‖² + tr(Σ₁ + Σ₂ - 2 (Σ₁Σ₂)^½). Estimated from few samples it comes out too large.

    Source: Dowson & Landau (1982), The Fréchet distance between multivariate normal distributions.
    """
    x, y = x.double(), y.double()
    return frechet_of(x.mean(0), x.T.cov(), y.mean(0), y.T.cov())


def frechet_of(
    mean: torch.Tensor, spread: torch.Tensor, mean2: torch.Tensor, spread2: torch.Tensor
) -> float:
    """The same of two Gaussians: means `(d,)`, covariances `(d, d)`.

    tr (Σ₁Σ₂)^½ is the sum of the roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric.
    """
    values, vectors = torch.linalg.eigh(spread)
    root = vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T
    crossed = torch.linalg.eigvalsh(root @ spread2 @ root).clamp(min=0).sqrt().sum()
    apart = (mean - mean2).square().sum()
    return float(apart + spread.trace() + spread2.trace() - 2 * crossed)


def _features(made: torch.Tensor, source: Source) -> tuple[torch.Tensor, torch.Tensor] | None:
    eyes = judge(source)
    if eyes is None or len(source.held) < 2:
        return None
    with torch.no_grad():
        return eyes.features(made[:MOST]), eyes.features(source.held[:MOST])


@measures.add("FID in our features", first=True, unit="", better="lower", plane=False, images=True)
def fid(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Fréchet distance of made from held-out images in the features of our own classifier.

    Source: Heusel et al. (2017), GANs Trained by a Two Time-Scale Update Rule.
    """
    del model, draw
    both = _features(made, source)
    return None if both is None else frechet(*both)


@measures.add("KID in our features", unit="", better="lower", plane=False, images=True)
def kid(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """MMD² with a cubic kernel, likewise: without the bias that few samples give FID.

    Source: Bińkowski et al. (2018), Demystifying MMD GANs.
    """
    del model, draw
    both = _features(made, source)
    return None if both is None else unbiased_mmd(both[0].double(), both[1].double(), cubic)


def class_score(chances: torch.Tensor) -> float:
    """From 1 to the number of classes: exp E KL(p(y|x) ‖ p(y)) of class chances `(n, classes)`.

    High where each sample is surely of one class and all classes come up.
    """
    mean = chances.mean(0)
    ratio = (chances.clamp(min=1e-12) / mean.clamp(min=1e-12)).log()
    return float((chances * ratio).sum(1).mean().exp())


def _chances(made: torch.Tensor, source: Source) -> torch.Tensor | None:
    eyes = judge(source)
    if eyes is None:
        return None
    with torch.no_grad():
        told: torch.Tensor = eyes(made)
    return told.softmax(1)


@measures.add("class score", unit="classes", better="higher", plane=False, images=True)
def inception_like(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """The inception score's formula with our own classifier: how sure, and how varied.

    Source: Salimans et al. (2016), Improved Techniques for Training GANs.
    """
    del model, draw
    chances = _chances(made, source)
    return None if chances is None else class_score(chances)


def class_shares(made: torch.Tensor, source: Source) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Share of each class among training images, and among made ones as our classifier sees it."""
    chances, count = _chances(made, source), len(source.outline.classes)
    if chances is None or source.labels is None:
        return None
    due = torch.bincount(source.labels, minlength=count) / len(source.labels)
    return due, torch.bincount(chances.argmax(1), minlength=count) / len(made)


@measures.add(
    "class coverage", first=True, unit="", better="higher", plane=False, images=True, good=1.0
)
def class_coverage(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Share of the classes that come up, as our classifier sees them: a tenth of what is due."""
    del model, draw
    both = class_shares(made, source)
    return None if both is None else float((both[1] >= FOUND * both[0]).float().mean())


@measures.add("class-TV", unit="", better="lower", plane=False, images=True, good=0.15)
def class_total_variation(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Half the sum of how far the classes' shares are from those of the training images."""
    del model, draw
    both = class_shares(made, source)
    return None if both is None else float((both[0] - both[1]).abs().sum() / 2)


@measures.add(
    "asked and got", first=True, unit="", better="higher", plane=True, images=True, good=0.9
)
def agreement(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Share of samples that are of the class that was asked for.

    Images are told by our classifier; a point is of the class of the nearest held-out true point.
    """
    classes = len(source.outline.classes)
    if not model.conditional or not classes or source.held_labels is None:
        return None
    asked = torch.arange(min(len(made), MOST)) % classes
    with torch.no_grad():
        got = model.sample(len(asked), draw, asked)
    chances = _chances(got, source)
    if chances is not None:
        return float((chances.argmax(1) == asked).float().mean())
    closest = torch.cdist(got.flatten(1), source.held.flatten(1)).argmin(1)
    return float((source.held_labels[closest] == asked).float().mean())
