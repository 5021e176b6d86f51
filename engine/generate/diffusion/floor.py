"""The irreducible loss: what is left of a diffusion model's loss when nothing is left to learn.

The network cannot know which of many data a noisy sample came from; the best it can say is the
mean, E[x₀ | x_t], and the variance around it stays in the loss for ever. A curve that has come
down to that floor has converged, however large the number is.

There are two floors. One knows the true distribution; it exists where that is a mixture of
Gaussians. The other knows the training set by heart: a network below the first one is on its way
to the second, and repeats what it was shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from engine.generate.diffusion import predictions
from engine.generate.diffusion.exact import Mixture
from engine.generate.diffusion.model import Diffusion
from engine.generate.targets import Target

LEVELS = 24
SAMPLES = 512  # noised at each level
CELLS = 1_300_000  # samples times centres at each level, at most
CENTRES = 20_000_000  # numbers in the training set held against: more than that is not estimated


@dataclass(frozen=True)
class Losses:
    """The weighted loss over the noise levels.

    Attributes:
        t: The levels, `(n,)`, quantiles of those that are learnt at, so that the mean is the loss.
        values: The loss at each, `(n,)`.
    """

    t: torch.Tensor
    values: torch.Tensor

    @property
    def mean(self) -> float:
        """The loss, as it stands on the curve."""
        return float(self.values.mean())


def learnt_at(model: Diffusion, count: int = LEVELS) -> torch.Tensor:
    """Levels that stand for those drawn in training: each for as many as any other, `(count,)`."""
    drawn = model.plan.path.draw(4096, torch.Generator().manual_seed(0))
    return torch.quantile(drawn, (torch.arange(count) + 0.5) / count)


@torch.no_grad()
def losses(model: Diffusion, x: torch.Tensor, labels: torch.Tensor | None = None) -> Losses:
    """What the model loses on samples `(n, *shape)`, level by level, some classes hidden."""
    x0, draw = model.inside(x[:SAMPLES]), torch.Generator().manual_seed(1)
    known = model.hidden(None if labels is None else labels[:SAMPLES], draw)
    levels = learnt_at(model)
    found = [model.losses(x0, t.expand(len(x0)), draw, known).mean() for t in levels]
    return Losses(levels, torch.stack(found))


@torch.no_grad()
def floor(
    model: Diffusion, mixture: Mixture, x: torch.Tensor, labels: torch.Tensor | None = None
) -> Losses:
    """What the best network that knows the mixture would lose on samples of it.

    It says E[x₀ | x_t], or E[x₀ | x_t, y] to the share of samples whose class it is told; a given
    error in x₀ is an error in the answer, `steepness` as large.

    Args:
        model: For its path, what it predicts, and the weights of its loss.
        mixture: What is known, in the units of the data.
        x: Samples drawn from it, `(n, *shape)`.
        labels: Their classes.
    """
    centre, scale = model.centre.flatten(), float(model.scale)
    count = max(32, min(SAMPLES, CELLS // len(mixture.centres)))
    inside, x0 = mixture.moved(centre, scale), model.inside(x[:count])
    levels = learnt_at(model)
    free = torch.stack(list(_floors(model, inside, x0, levels, None)))
    if labels is None or not model.plan.classes or mixture.classes is None:
        return Losses(levels, free)
    told = torch.stack(list(_floors(model, inside, x0, levels, labels[:count])))
    return Losses(levels, model.plan.untold * free + (1 - model.plan.untold) * told)


def _floors(
    model: Diffusion,
    inside: Mixture,
    x0: torch.Tensor,
    levels: torch.Tensor,
    labels: torch.Tensor | None,
) -> Iterable[torch.Tensor]:
    draw = torch.Generator().manual_seed(1)
    for t in levels:
        alpha, sigma = model.plan.path.at(t[None].double())
        x = alpha.float() * x0 + sigma.float() * torch.randn(x0.shape, generator=draw)
        expected = inside.expected(x, float(alpha), float(sigma), labels)
        missed = (expected - x0).square().mean()
        steep = predictions.steepness(model.plan.predicted, alpha, sigma)
        yield (model.weight(alpha, sigma) * steep.square() * missed)[0].float()


def by_heart(x: torch.Tensor, labels: torch.Tensor | None = None) -> Mixture | None:
    """The training set as a mixture; None where it is too large to be held against."""
    return None if x.numel() > CENTRES else Mixture.of(x, labels)


def floors(
    model: Diffusion, x: torch.Tensor, labels: torch.Tensor | None, target: Target | None
) -> dict[str, Losses]:
    """The floors that can be told, by name.

    Args:
        model: The model.
        x: The training set.
        labels: Its classes.
        target: The true distribution, where it is known.
    """
    found: dict[str, Losses] = {}
    if target is not None and (known := Mixture.of_target(target)) is not None:
        found["least, knowing the distribution"] = floor(model, known, x, labels)
    if model.shape == x.shape[1:] and (heart := by_heart(x, labels)) is not None:
        found["least, knowing the training set"] = floor(model, heart, x, labels)
    return found
