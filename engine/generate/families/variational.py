"""Variational autoencoders: codes are spread out, so that any code drawn makes a sample."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.families.autoencoder import Codes, Width, coders
from engine.generate.model import Generative, Labels, Outline, take
from engine.generate.parts.coders import Style
from engine.generate.parts.likelihood import Deviation, Kind, Likelihood, likelihood_of
from engine.generate.parts.own import part
from engine.generate.parts.posterior import Posterior, log_normal

Beta = Annotated[float, Slider(0.05, 32.0, log=True, help="Codes carry less, and keep apart more")]


class Variational(Generative):
    """An encoder q(z|x), a decoder p(x|z) and the prior N(0, I).

    Makes -E log p(x|z) + β KL(q(z|x) ‖ p(z)) small. With β = 1 that is minus the ELBO, a lower
    bound of log p(x).

    Attributes:
        beta: β.
        likelihood: p(x|z) from what the decoder gives.
        told: Number of classes that encoder and decoder are told; 0 for none.
    """

    def __init__(
        self,
        outline: Outline,
        coder: nn.Module,
        decoder: nn.Module,
        latent: int,
        likelihood: Likelihood,
        *,
        beta: float = 1.0,
        told: int = 0,
    ) -> None:
        super().__init__(outline)
        self.encoder, self.decoder, self.latent = coder, decoder, latent
        self.likelihood, self.beta, self.told = likelihood, beta, told
        self.conditional = told > 0

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """All together."""
        return {"model": [one for one in self.parameters() if one.requires_grad]}

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step against the two terms."""
        rebuilt, rate = self.bound(x, draw, labels)
        loss = (self.beta * rate - rebuilt).mean()
        terms = {"loss reconstruction": -rebuilt.mean().item(), "loss KL": rate.mean().item()}
        return {"loss": self.descend("model", loss), **terms}

    def posterior(self, x: torch.Tensor, labels: Labels = None) -> Posterior:
        """q(z|x)."""
        return Posterior.of(self.encoder(self._with(x.flatten(1), labels) if self.told else x))

    def decoded(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What the decoder gives, before the likelihood reads it, `(n, *shape)`."""
        given: torch.Tensor = self.decoder(self._with(z, labels) if self.told else z)
        return given.reshape(len(z), *self.outline.shape)

    def bound(
        self, x: torch.Tensor, draw: torch.Generator, labels: Labels = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """E log p(x|z) with one z a sample, and the KL in closed form."""
        labels = self._labels(len(x), draw, labels)
        q = self.posterior(x, labels)
        decoded = self.decoded(q.draw(draw), labels)
        return self.likelihood(decoded, x), q.divergence().sum(1)

    def tightened(
        self, x: torch.Tensor, draw: torch.Generator, labels: Labels = None, *, count: int = 64
    ) -> torch.Tensor:
        """The log of the mean of p(x, z) / q(z|x) over `count` codes [nat], `(n,)`: above the ELBO.

        Source: Burda, Grosse & Salakhutdinov (2016), Importance Weighted Autoencoders.
        """
        labels = self._labels(len(x), draw, labels)
        q = self.posterior(x, labels)
        logs = []
        for _ in range(count):
            z = q.draw(draw)
            given = self.likelihood(self.decoded(z, labels), x)
            logs.append(given + log_normal(z) - q.log_density(z))
        return torch.stack(logs).logsumexp(0) - math.log(count)

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Decoded codes from the prior; points get the noise of p(x|z) besides, images do not."""
        z = self.codes(count, draw)
        decoded = self.decoded(z, self._labels(count, draw, labels))
        if self.outline.plane:
            return self.likelihood.draw(decoded, draw)
        return self.likelihood.mean(decoded)

    def codes(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Codes drawn from the prior, `(count, latent)`."""
        return torch.randn(count, self.latent, generator=draw)

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The middle of p(x|z)."""
        return self.likelihood.mean(self.decoded(z, labels))

    def encode(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The middle of q(z|x)."""
        return self.posterior(x, labels).mean

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """Encoder and decoder, each with an example of what it takes."""
        shape = (self.outline.size + self.told,) if self.told else self.outline.shape
        return {
            "encoder": (self.encoder, (torch.zeros(1, *shape),)),
            "decoder": (self.decoder, (torch.zeros(1, self.latent + self.told),)),
        }

    def _labels(self, count: int, draw: torch.Generator, labels: Labels) -> Labels:
        return take(labels, count, self.told, draw) if self.told else None

    def _with(self, numbers: torch.Tensor, labels: Labels) -> torch.Tensor:
        """Rows of numbers with the class behind them, as one 1 among zeros; none: all alike."""
        if labels is None:
            told = torch.full((len(numbers), self.told), 1 / self.told)
        else:
            told = functional.one_hot(labels, self.told).to(numbers.dtype)
        return torch.cat([numbers, told], 1)


@families.add(
    "vae",
    title="VAE",
    kind="latent",
    plane=True,
    images=True,
    labelled=False,
    parts=["encoder", "decoder"],
)
def vae(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    style: Style = "dense",
    likelihood: Kind = "suits the data",
    sigma: Deviation = 0.3,
) -> Generative:
    """Codes spread over a Gaussian, so that any code drawn from it makes a sample.

    With the style linear and a Gaussian likelihood it is probabilistic PCA.

    Source: Kingma & Welling (2014), Auto-Encoding Variational Bayes.
    """
    return _made(outline, networks, latent, width, style, likelihood, sigma, beta=1.0)


@families.add(
    "beta-vae",
    title="β-VAE",
    kind="latent",
    plane=True,
    images=True,
    labelled=False,
    parts=["encoder", "decoder"],
)
def beta_vae(
    outline: Outline,
    networks: Networks,
    *,
    beta: Beta = 4.0,
    latent: Codes = 6,
    width: Width = 128,
    style: Style = "dense",
    likelihood: Kind = "suits the data",
    sigma: Deviation = 0.3,
) -> Generative:
    """A VAE that pays β times for what its codes say: units fall silent, the others keep apart.

    Source: Higgins et al. (2017), beta-VAE.
    """
    return _made(outline, networks, latent, width, style, likelihood, sigma, beta=beta)


@families.add(
    "conditional-vae",
    title="Conditional VAE",
    kind="latent",
    plane=True,
    images=True,
    labelled=True,
    parts=["encoder", "decoder"],
)
def conditional_vae(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    likelihood: Kind = "suits the data",
    sigma: Deviation = 0.3,
) -> Generative:
    """A VAE that is told the class, so that codes are left with the style.

    Source: Sohn, Lee & Yan (2015), Learning Structured Output Representation using Deep
    Conditional Generative Models.
    """
    classes = len(outline.classes)
    takes, codes = (outline.size + classes,), latent + classes
    flat = Outline(takes)
    made = (
        part(networks, "encoder", takes, (2 * latent,), lambda: _dense(flat, 2 * latent, width)),
        coders(outline, {"decoder": networks.get("decoder", {})}, 1, codes, width, "dense")[1],
    )
    reads = likelihood_of(likelihood, sigma, outline)
    return Variational(outline, *made, latent, reads, told=classes)


def _dense(flat: Outline, gives: int, width: int) -> nn.Module:
    return coders(flat, {}, gives, gives, width, "dense")[0]


def _made(
    outline: Outline,
    networks: Networks,
    latent: int,
    width: int,
    style: str,
    likelihood: str,
    sigma: float,
    *,
    beta: float,
) -> Variational:
    made = coders(outline, networks, 2 * latent, latent, width, style)
    reads = likelihood_of(likelihood, sigma, outline)
    return Variational(outline, *made, latent, reads, beta=beta)
