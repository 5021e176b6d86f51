"""A round-axed Gaussian over codes: what a variational encoder says of a sample."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

LIMIT = 8.0  # of the log-variance: e^8 is wider than any code needs


@dataclass(frozen=True)
class Posterior:
    """q(z|x) = N(z; mean, diag(exp(log_variance))), both `(n, latent)`."""

    mean: torch.Tensor
    log_variance: torch.Tensor

    @classmethod
    def of(cls, told: torch.Tensor) -> Posterior:
        """From what an encoder gives, `(n, 2 * latent)`."""
        mean, log_variance = told.chunk(2, 1)
        return cls(mean, log_variance.clamp(-LIMIT * 2, LIMIT))

    def draw(self, draw: torch.Generator) -> torch.Tensor:
        """A code z = mean + σ ε with ε ~ N(0, I): gradients flow into mean and σ."""
        noise = torch.randn(self.mean.shape, generator=draw)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def divergence(self) -> torch.Tensor:
        """KL(q(z|x) ‖ N(0, I)) of each unit [nat], `(n, latent)`: ½(μ² + σ² - 1 - log σ²).

        Source: Kingma & Welling (2014), Auto-Encoding Variational Bayes, appendix B.
        """
        variance = self.log_variance.exp()
        return 0.5 * (self.mean.square() + variance - 1 - self.log_variance)

    def log_density(self, z: torch.Tensor) -> torch.Tensor:
        """The log q(z|x) [nat], `(n,)`."""
        apart = (z - self.mean).square() / self.log_variance.exp()
        return -0.5 * (apart + self.log_variance + math.log(2 * math.pi)).sum(1)


def log_normal(z: torch.Tensor) -> torch.Tensor:
    """The log N(z; 0, I) [nat] of each row, `(n,)`."""
    flat = z.flatten(1)
    return -0.5 * (flat.square() + math.log(2 * math.pi)).sum(1)
