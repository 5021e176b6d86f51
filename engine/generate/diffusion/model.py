"""A model that learns to take noise out, and makes samples by taking it out of pure noise."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from engine.generate.diffusion import predictions
from engine.generate.diffusion.likelihood import log_density
from engine.generate.diffusion.path import Level, Path
from engine.generate.diffusion.predictions import Predicted
from engine.generate.diffusion.steer import guided
from engine.generate.model import Generative, Labels, Outline
from engine.generate.samplers import Denoise, Walk, samplers
from engine.generate.samplers.ancestral import ddim
from engine.generate.targets import Target

Weighting = Literal["plain", "min-SNR"]
GAMMA = 5.0  # of min-SNR
WARMING = 10  # steps after which the average forgets its beginning


@dataclass(frozen=True)
class Plan:
    """How a model learns and is asked.

    Attributes:
        path: From data to noise.
        predicted: What the network says.
        weighting: How much each noise level counts in the loss.
        classes: How many classes the network is told; 0 for none.
        untold: Share of samples whose class is kept from it, so that it learns both.
        average: Of the moving average of the weights, what stays in each step; 0 for none.
        sampler: Of ordinary samples, a function of the table of samplers.
        steps: Of ordinary samples.
    """

    path: Path
    predicted: Predicted
    weighting: Weighting = "plain"
    classes: int = 0
    untold: float = 0.1
    average: float = 0.0
    sampler: Callable[..., Walk] = ddim
    steps: int = 30


class Diffusion(Generative):
    """x_t = α x₀ + σ ε; the network hears x_t and the level and says what is in it.

    Points are first moved and scaled so that they have mean 0 and, over both axes, the standard
    deviation that the plan wants; images stay as they are, in [-1, 1].

    Attributes:
        plan: How it learns.
        network: What learns, `(x, level, labels) -> like x`.
        averaged: The moving average of its weights, which makes the samples.
        shape: Of what is noised: a sample, or its code.
        clip: Whether x̂₀ is kept in [-1, 1].
    """

    fine = 40
    centre: torch.Tensor
    scale: torch.Tensor
    odds: torch.Tensor
    taken: torch.Tensor

    def __init__(
        self, outline: Outline, network: nn.Module, plan: Plan, shape: tuple[int, ...] = ()
    ) -> None:
        super().__init__(outline)
        self.plan, self.network, self.shape = plan, network, shape or outline.shape
        self.averaged = (
            copy.deepcopy(network).requires_grad_(requires_grad=False)
            if plan.average
            else nn.Identity()
        )
        self.clip = not outline.plane
        self.conditional = plan.classes > 0
        self.register_buffer("centre", torch.zeros(self.shape))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("odds", torch.full((max(1, plan.classes),), 1 / max(1, plan.classes)))
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    # --- learning -------------------------------------------------------------------------

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """The network; its average only follows."""
        return {"denoiser": self.network.parameters()}

    def spare(self) -> tuple[str, ...]:
        """What learns is not what makes samples."""
        return ("network.",) if self.plan.average else ()

    def meet(self, x: torch.Tensor, labels: Labels) -> None:
        """Measure points for their scale, and how frequent the classes are."""
        if self.outline.plane:
            spread = predictions.SPREAD if self.plan.predicted == "EDM" else 1.0
            self.centre.copy_(x.mean(0))
            self.scale.copy_(x.std(0).square().mean().sqrt() / spread)
        if labels is not None and self.plan.classes:
            counts = torch.bincount(labels, minlength=self.plan.classes).float()
            self.odds.copy_(counts / counts.sum())

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """Say what is in samples that are noised to levels drawn at random."""
        x0 = self.inside(x)
        t = self.plan.path.draw(len(x), draw)
        loss = self.losses(x0, t, draw, self.hidden(labels, draw), self.network).mean()
        found = self.descend("denoiser", loss)
        self._follow()
        return {"loss": found}

    def losses(
        self,
        x0: torch.Tensor,
        t: torch.Tensor,
        draw: torch.Generator,
        labels: Labels,
        network: nn.Module | None = None,
    ) -> torch.Tensor:
        """The weighted squared error of each sample at its level, `(n,)`.

        Args:
            x0: Samples in the model's own units.
            t: Levels, `(n,)`.
            draw: Of the noise.
            labels: Classes, or None.
            network: Which weights; the average where nothing is said.
        """
        noise = torch.randn(x0.shape, generator=draw)
        alpha, sigma = (self._wide(one) for one in self.plan.path.at(t))
        x = alpha * x0 + sigma * noise
        out = self._ask(network or self.making, x, t, sigma.flatten(), labels)
        wanted = predictions.wanted(self.plan.predicted, x0, noise, alpha, sigma)
        squares = (out - wanted).square().flatten(1).mean(1)
        return squares * self.weight(alpha.flatten(), sigma.flatten())

    def weight(self, alpha: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """How much a level counts, as a factor on the squared error of the answer.

        min-SNR counts the error of x₀ with min(SNR, γ), SNR = α²/σ², so that the many easy levels
        do not drown the others.

        Source: Hang et al. (2023), Efficient Diffusion Training via Min-SNR Weighting Strategy.
        """
        if self.plan.weighting == "plain":
            return torch.ones_like(alpha)
        ratio = (alpha / sigma).square()
        steep = predictions.steepness(self.plan.predicted, alpha, sigma)
        return ratio.clamp(max=GAMMA) / steep.square()

    # --- making ---------------------------------------------------------------------------

    @property
    def making(self) -> nn.Module:
        """The network that makes samples."""
        return self.averaged if self.plan.average else self.network

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """Samples in the model's own units."""
        return (x - self.centre) / self.scale

    def outside(self, x: torch.Tensor) -> torch.Tensor:
        """And back; works for noisy ones too, which then lie around the data's middle."""
        return x * self.scale + self.centre

    def denoise(self, labels: Labels = None, weight: float = 1.0) -> Denoise:
        """`(x_t, level) -> x̂₀`, in the model's own units.

        Args:
            labels: The class of each sample; None tells it nothing.
            weight: Of classifier-free guidance: 0 tells it nothing, 1 the class, more exaggerates.
        """
        free = self._denoise(None)
        if labels is None or not self.plan.classes:
            return free
        return guided(free, self._denoise(labels), weight)

    def noise(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Where samples begin, `(count, *shape)`: noise as wide as the path has it at t = 1."""
        top = self.plan.path.level(1.0)
        return top.sigma * torch.randn(count, *self.shape, generator=draw)

    def walk(
        self,
        x: torch.Tensor,
        draw: torch.Generator,
        labels: Labels = None,
        *,
        sampler: str = "",
        steps: int = 0,
        weight: float = 1.0,
        **settings: Any,
    ) -> Walk:
        """Every moment on the way from noise to samples, in the model's own units."""
        way = samplers.find(sampler) if sampler else self.plan.sampler
        levels = self.plan.path.levels(steps or self.plan.steps)
        walk: Walk = way(self.denoise(labels, weight), x, levels, draw, **settings)
        return walk

    @torch.no_grad()
    def film(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """The walk from noise to samples, in the units of the data."""
        for moment in self.walk(self.noise(count, draw), draw, labels):
            level = moment.level
            yield f"α {level.alpha:.2f}, σ {level.sigma:.2f}", self.outside(moment.x)

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Samples; of classes as frequent as in the data where none are asked for."""
        if labels is None and self.plan.classes:
            labels = torch.multinomial(self.odds, count, replacement=True, generator=draw)
        x = self.noise(count, draw)
        for moment in self.walk(x, draw, labels):
            x = moment.x
        return self.outside(x)

    # --- telling --------------------------------------------------------------------------

    def score(self, x: torch.Tensor, level: float = 0.0, labels: Labels = None) -> torch.Tensor:
        """∇ log p_t = (α x̂₀ - x_t) / σ² at t = `level`, per unit of the data."""
        place = self.plan.path.level(max(level, self.plan.path.first()))
        y = self.inside(x)
        found = self.denoise(labels)(y, place)
        return (place.alpha * found - y) / (place.sigma**2 * self.scale)

    @torch.no_grad()
    def log_density(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor | None:
        """Along the ODE, for points of the plane; over all classes where none are given."""
        if not self.outline.plane:
            return None
        told = log_density(self.denoise(labels), self.plan.path, self.inside(x))
        return told - self.outline.size * self.scale.log()

    def floors(self, x: torch.Tensor, labels: Labels, target: Target | None) -> dict[str, float]:
        """The irreducible loss: see `engine.generate.diffusion.floor`."""
        from engine.generate.diffusion.floor import floors  # it knows this module

        return {name: found.mean for name, found in floors(self, x, labels, target).items()}

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The denoiser: samples, levels and, if it is told any, classes."""
        inputs: tuple[torch.Tensor, ...] = (torch.zeros(2, *self.shape), torch.ones(2))
        if self.plan.classes:
            inputs = (*inputs, torch.zeros(2, dtype=torch.int64))
        return {"denoiser": (self.making, inputs)}

    # --- inside ---------------------------------------------------------------------------

    def _denoise(self, labels: Labels) -> Denoise:
        def denoise(x: torch.Tensor, level: Level) -> torch.Tensor:
            t, alpha, sigma = (torch.tensor([v]) for v in (level.t, level.alpha, level.sigma))
            out = self._ask(self.making, x, t, sigma, labels)
            wide = self._wide(alpha), self._wide(sigma)
            found = predictions.clean(self.plan.predicted, out, x, *wide)
            return found.clamp(-1, 1) if self.clip else found

        return denoise

    def _ask(
        self,
        network: Callable[..., torch.Tensor],
        x: torch.Tensor,
        t: torch.Tensor,
        sigma: torch.Tensor,
        labels: Labels,
    ) -> torch.Tensor:
        if self.plan.predicted == "EDM":
            x = x * self._wide(predictions.preconditioning(sigma)[2])
        return network(x, self.plan.path.told(t, sigma), labels)

    def _wide(self, one: torch.Tensor) -> torch.Tensor:
        return one.reshape(-1, *[1] * len(self.shape))

    def hidden(self, labels: Labels, draw: torch.Generator) -> Labels:
        """The classes, some of them hidden behind the number that stands for "not told"."""
        if labels is None or not self.plan.classes:
            return None
        untold = torch.rand(len(labels), generator=draw) < self.plan.untold
        return labels.masked_fill(untold, self.plan.classes)

    @torch.no_grad()
    def _follow(self) -> None:
        """One step of the moving average, which hurries at first."""
        self.taken.add_(1)
        if not self.plan.average:
            return
        step = int(self.taken)
        keep = min(self.plan.average, (1 + step) / (WARMING + step))
        own: list[torch.Tensor] = list(self.network.parameters())
        averaged = list[torch.Tensor](self.averaged.parameters())
        torch._foreach_lerp_(averaged, own, 1 - keep)  # pyright: ignore[reportPrivateImportUsage]
