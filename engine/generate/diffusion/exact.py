"""What an optimal network would say, in closed form, for mixtures of round Gaussians.

If the data are Σ_k π_k N(μ_k, s² I), then x_t is Σ_k π_k N(α μ_k, (α² s² + σ²) I), and everything
about it is known: its density, its score, which part a sample comes from, and the expected x₀. A
training set is such a mixture with s = 0: its optimal network has learnt it by heart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from engine.generate.targets import Target

CELLS = 4_000_000  # samples times centres that are held against each other at once


@dataclass(frozen=True)
class Mixture:
    """Σ_k π_k N(μ_k, s² I).

    Attributes:
        centres: μ, `(k, size)`.
        spread: s.
        log_weights: log π, `(k,)`.
        classes: The class of each part, `(k,)`; None without classes.
    """

    centres: torch.Tensor
    spread: float
    log_weights: torch.Tensor
    classes: torch.Tensor | None = None

    @classmethod
    def of(cls, samples: torch.Tensor, labels: torch.Tensor | None = None) -> Mixture:
        """A set of samples, `(n, *shape)`, each as likely as any other and nothing else."""
        flat = samples.flatten(1)
        return cls(flat, 0.0, torch.full((len(flat),), -math.log(len(flat))), labels)

    @classmethod
    def of_target(cls, target: Target) -> Mixture | None:
        """The Gaussians that a distribution of the plane is made of; None where it is not."""
        if target.line is not None:
            whole = cls.of(target.line)
            halves = len(target.classes) == 2  # two moons: the first half of the points is A
            classes = torch.arange(len(target.line)) * 2 // len(target.line) if halves else None
            return cls(whole.centres, target.smear, whole.log_weights, classes)
        if target.modes is None or not target.spread:
            return None
        whole = cls.of(target.modes, torch.arange(len(target.modes)))
        odds = whole.log_weights if target.shares is None else target.shares.log()
        return cls(whole.centres, target.spread, odds, whole.classes)

    def moved(self, centre: torch.Tensor | float, scale: float) -> Mixture:
        """The same in the units (x - centre) / scale."""
        centres = (self.centres - centre) / scale
        return Mixture(centres, self.spread / scale, self.log_weights, self.classes)

    def parts(
        self, x: torch.Tensor, alpha: float, sigma: float, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Of each part log π_k N(x; α μ_k, (α² s² + σ²) I), `(n, k)`; if told, of a class only."""
        variance = (alpha * self.spread) ** 2 + sigma**2
        flat = x.flatten(1)
        far = flat.square().sum(1, keepdim=True) - 2 * alpha * flat @ self.centres.T
        far = (far + alpha**2 * self.centres.square().sum(1)).clamp(min=0)
        size = flat.shape[1]
        level = self.log_weights - size / 2 * math.log(2 * math.pi * variance)
        told = level - far / (2 * variance)
        if labels is None or self.classes is None:
            return told
        return told.masked_fill(self.classes[None] != labels[:, None], -math.inf)

    def log_density(self, x: torch.Tensor, alpha: float = 1.0, sigma: float = 0.0) -> torch.Tensor:
        """The log density of x_t [nat], `(n,)`."""
        return self.parts(x, alpha, sigma).logsumexp(1)

    def log_class(
        self, x: torch.Tensor, labels: torch.Tensor, alpha: float, sigma: float
    ) -> torch.Tensor:
        """How likely each x_t is of its class, log p(y | x_t), `(n,)`: a classifier that guides.

        Raises:
            ValueError: The parts have no classes.
        """
        if self.classes is None:
            raise ValueError("mixture: its parts must have classes to tell them apart")
        own = self.parts(x, alpha, sigma, labels).logsumexp(1)
        return own - self.parts(x, alpha, sigma).logsumexp(1)

    def expected(
        self, x: torch.Tensor, alpha: float, sigma: float, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """E[x₀ | x_t], or E[x₀ | x_t, y] where classes are told: what no network can better.

        Of one part it is μ + α s² / (α² s² + σ²) (x_t - α μ); the mean over the parts is weighted
        by how likely x_t comes from each.
        """
        gain = alpha * self.spread**2 / ((alpha * self.spread) ** 2 + sigma**2)
        centre = self._centre(x, alpha, sigma, labels)
        return centre + gain * (x - alpha * centre)

    def score(self, x: torch.Tensor, alpha: float = 1.0, sigma: float = 0.0) -> torch.Tensor:
        """∇ log p(x_t), like x; with noise it is (α E[x₀ | x_t] - x_t) / σ² (Tweedie's formula)."""
        variance = (alpha * self.spread) ** 2 + sigma**2
        return (alpha * self._centre(x, alpha, sigma) - x) / variance

    def _centre(
        self, x: torch.Tensor, alpha: float, sigma: float, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The mean of the centres, weighted by how likely x comes from each."""
        most = max(1, CELLS // len(self.centres))
        rows = []
        for begin in range(0, len(x), most):
            some = slice(begin, begin + most)
            told = None if labels is None else labels[some]
            rows.append(self.parts(x[some], alpha, sigma, told).softmax(1) @ self.centres)
        return torch.cat(rows).reshape(x.shape)
