"""The path from data to noise: x_t = α(t) x₀ + σ(t) ε with ε ~ N(0, I), t from 0 to 1.

Three paths are in use. They hold the same distributions, only scaled differently: what counts is
σ/α, the noise-to-signal ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

Spacing = Literal["even", "quadratic", "Karras"]
SHARPNESS = 7.0  # ρ of Karras et al.: larger puts more levels near the data


@dataclass(frozen=True)
class Level:
    """A place on a path.

    Attributes:
        t: Where, from 0 (data) to 1 (noise).
        alpha: What is left of the data.
        sigma: How much noise there is; 0 at the very end, where nothing is left to do.
        straight: Whether α + σ = 1, so that time runs in σ; else it runs in σ / α.
    """

    t: float
    alpha: float
    sigma: float
    straight: bool = False

    @property
    def ratio(self) -> float:
        """Noise to signal, σ/α."""
        return self.sigma / self.alpha if self.alpha else float("inf")


class Path:
    """What the paths have in common; a path says `at` and, where it can, `place`."""

    straight = False
    careful: Spacing = "quadratic"  # levels at which an integral over the path is taken

    def at(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """α and σ at each t, like t."""
        raise NotImplementedError

    def place(self, ratio: torch.Tensor) -> torch.Tensor:
        """The t at which σ/α is `ratio`: `at` turned around."""
        raise NotImplementedError

    def told(self, t: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """The number by which the network is told the level, like t."""
        del sigma
        return t

    def draw(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Levels t to learn at, `(count,)`."""
        return torch.rand(count, generator=draw)

    def level(self, t: float) -> Level:
        """The place at t."""
        alpha, sigma = self.at(torch.tensor([t], dtype=torch.float64))
        return Level(t, float(alpha), float(sigma), self.straight)

    def first(self) -> float:
        """The smallest t that has been learnt."""
        return 0.001

    def levels(self, steps: int, spacing: Spacing = "even") -> list[Level]:
        """The places that a sampler of so many steps visits, from noise to data: one more.

        Args:
            steps: How often the network is asked, or twice as often for samplers of order two.
            spacing: Even in t; denser near the data (t²); or even in (σ/α)^(1/ρ).
        """
        along = torch.linspace(1, 1 / steps, steps, dtype=torch.float64)
        if spacing == "quadratic":
            along = along.square().clamp(min=self.first())
        elif spacing == "Karras":
            ends = torch.tensor([self.first(), 1.0], dtype=torch.float64)
            alpha, sigma = self.at(ends)
            along = self.place(_karras(steps, float(sigma[0] / alpha[0]), _top(alpha, sigma)))
            along[0] = 1.0
        return [*(self.level(float(t)) for t in along), Level(0.0, 1.0, 0.0, self.straight)]


class Preserving(Path):
    """α² + σ² = 1: data of variance one keep it all the way. The path of DDPM.

    Args:
        kept: ᾱ after each of T steps, `(T,)`; step k of 1..T lies at t = k/T.
    """

    def __init__(self, kept: torch.Tensor) -> None:
        self.kept = kept
        start = torch.zeros(1, dtype=torch.float64)
        self._log = torch.cat([start, kept.double().log()])  # at t = 0, 1/T, ..., 1

    @property
    def steps(self) -> int:
        """T, the steps of the noising process."""
        return len(self.kept)

    def at(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Between two steps log ᾱ is interpolated: there β is constant."""
        place = (t.double() * self.steps).clamp(0, self.steps)
        lower = place.floor().clamp(max=self.steps - 1).long()
        log = torch.lerp(self._log[lower], self._log[lower + 1], place - lower)
        return (log / 2).exp().to(t.dtype), (-torch.expm1(log)).sqrt().to(t.dtype)

    def place(self, ratio: torch.Tensor) -> torch.Tensor:
        """ᾱ = 1 / (1 + ratio²), looked up."""
        wanted = -torch.log1p(ratio.double().square())
        upper = torch.searchsorted(-self._log, -wanted).clamp(1, self.steps)
        before, after = self._log[upper - 1], self._log[upper]
        share = ((wanted - before) / (after - before)).clamp(0, 1)
        return (upper - 1 + share) / self.steps

    def draw(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """One of the T steps."""
        return (torch.randint(self.steps, (count,), generator=draw) + 1) / self.steps

    def first(self) -> float:
        """The first step."""
        return 1 / self.steps


class Exploding(Path):
    """α = 1, only σ grows: the path of EDM.

    σ(t) = (σ_min^(1/ρ) + t (σ_max^(1/ρ) - σ_min^(1/ρ)))^ρ; learnt at ln σ ~ N(middle, width²).

    Source: Karras et al. (2022), Elucidating the Design Space of Diffusion-Based Generative Models.
    """

    careful: Spacing = "even"

    def __init__(
        self,
        low: float = 0.002,
        high: float = 80.0,
        *,
        middle: float = -1.2,
        width: float = 1.2,
    ) -> None:
        self.low, self.high = low, high
        self.middle, self.width = middle, width

    def at(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Nothing of the data is lost."""
        low, high = self.low ** (1 / SHARPNESS), self.high ** (1 / SHARPNESS)
        sigma: torch.Tensor = (low + t * (high - low)) ** SHARPNESS
        return torch.ones_like(t), sigma

    def place(self, ratio: torch.Tensor) -> torch.Tensor:
        """The curve turned around."""
        low, high = self.low ** (1 / SHARPNESS), self.high ** (1 / SHARPNESS)
        t: torch.Tensor = (ratio ** (1 / SHARPNESS) - low) / (high - low)
        return t

    def told(self, t: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """c_noise = ln(σ) / 4."""
        del t
        return sigma.log() / 4

    def draw(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Where ln σ is normal, cut off at the ends of the path."""
        log = self.middle + self.width * torch.randn(count, generator=draw)
        return self.place(log.exp().clamp(self.low, self.high))

    def first(self) -> float:
        """σ_min."""
        return 0.0

    def levels(self, steps: int, spacing: Spacing = "even") -> list[Level]:
        """Even in t, which is Karras's spacing, down to σ_min and then to the data."""
        along = torch.linspace(1, 0, max(steps, 2), dtype=torch.float64)[:steps]
        if spacing == "quadratic":
            along = along.square()
        return [*(self.level(float(t)) for t in along), Level(0.0, 1.0, 0.0)]


class Straight(Path):
    """α = 1 - t, σ = t: from data to noise on a straight line at constant speed.

    Source: Lipman et al. (2023), Flow Matching for Generative Modeling; Liu et al. (2023), Flow
    Straight and Fast.
    """

    straight = True

    def at(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both are linear."""
        return 1 - t, t

    def place(self, ratio: torch.Tensor) -> torch.Tensor:
        """Where t / (1 - t) is the ratio."""
        return ratio / (1 + ratio)


def _top(alpha: torch.Tensor, sigma: torch.Tensor) -> float:
    """The largest ratio that Karras's spacing begins from."""
    return min(float(sigma[1] / alpha[1].clamp(min=1e-9)), 80.0)


def _karras(steps: int, low: float, high: float) -> torch.Tensor:
    along = torch.linspace(0, 1, steps, dtype=torch.float64)
    small, large = low ** (1 / SHARPNESS), high ** (1 / SHARPNESS)
    ratios: torch.Tensor = (large + along * (small - large)) ** SHARPNESS
    return ratios
