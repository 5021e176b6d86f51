"""Two networks that play against each other: one makes samples, one tells them from true ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.mlp import mlp
from engine.generate.parts.own import part

Codes = Annotated[int, Slider(1, 64, log=True, help="More numbers that a sample is made from")]
Width = Annotated[int, Slider(8, 256, log=True, help="Wider networks")]


class Adversarial(Generative):
    """A generator G and a discriminator D.

    min_G max_D  E log D(x) + E log(1 - D(G(z))),  z ~ N(0, I); the generator climbs log D(G(z))
    instead, whose slope does not vanish while it is bad (section 3 of the paper).
    """

    betas = (0.5, 0.999)

    def __init__(
        self, outline: Outline, generator: nn.Module, discriminator: nn.Module, latent: int
    ) -> None:
        super().__init__(outline)
        self.generator, self.discriminator, self.latent = generator, discriminator, latent

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """The two that play."""
        return {
            "generator": self.generator.parameters(),
            "discriminator": self.discriminator.parameters(),
        }

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of the discriminator, then one of the generator."""
        del labels
        made = self.sample_with_slope(len(x), draw)
        told_true, told_made = self.critic(x), self.critic(made.detach())
        against = functional.softplus(-told_true).mean() + functional.softplus(told_made).mean()
        lost = self.descend("discriminator", against)
        fooled = functional.softplus(-self.critic(made)).mean()
        return {
            "loss discriminator": lost,
            "loss generator": self.descend("generator", fooled),
        }

    def sample_with_slope(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Samples through which gradients flow into the generator."""
        z = torch.randn(count, self.latent, generator=draw)
        made: torch.Tensor = self.generator(z)
        return made.reshape(count, *self.outline.shape)

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """What the generator makes of Gaussian noise."""
        del labels
        return self.sample_with_slope(count, draw)

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What the generator makes of given codes."""
        del labels
        made: torch.Tensor = self.generator(z)
        return made.reshape(len(z), *self.outline.shape)

    def critic(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The discriminator's logit: above 0 it takes the sample for a true one."""
        del labels
        told: torch.Tensor = self.discriminator(x.flatten(1)).squeeze(1)
        return told


@families.add(
    "gan",
    title="GAN",
    kind="adversarial",
    plane=True,
    images=True,
    labelled=False,
    parts=["generator", "discriminator"],
)
def gan(
    outline: Outline, networks: Networks, *, latent: Codes = 2, width: Width = 64
) -> Generative:
    """A generator that learns to fool a discriminator that learns not to be fooled.

    Source: Goodfellow et al. (2014), Generative Adversarial Nets.
    """
    size = outline.size
    return Adversarial(
        outline,
        part(networks, "generator", (latent,), (size,), lambda: mlp(latent, size, width=width)),
        part(networks, "discriminator", (size,), (1,), lambda: mlp(size, 1, width=width)),
        latent,
    )
