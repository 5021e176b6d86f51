"""Autoencoders: through a narrow waist and back, or back from noise."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.coders import Style, decoder, encoder
from engine.generate.parts.own import part

Codes = Annotated[int, Slider(1, 64, log=True, help="More numbers that a sample is squeezed into")]
Width = Annotated[int, Slider(8, 512, log=True, help="Wider networks")]
MEMORY = 0.99  # of the running mean of codes from step to step
SMALLEST = 1e-6  # added to the codes' spread, which may be zero along an axis
WALK = 120  # steps of a walk from noise to a sample


class Autoencoder(Generative):
    """x -> code -> x', with the mean of |x' - x|² made small.

    Nothing says which codes are used, so samples need a guess: here a Gaussian with the mean and
    the covariance that codes had lately, measured while it learns.
    """

    def __init__(self, outline: Outline, coder: nn.Module, decoder: nn.Module, latent: int) -> None:
        super().__init__(outline)
        self.encoder, self.decoder, self.latent = coder, decoder, latent
        self.middle: torch.Tensor
        self.second: torch.Tensor
        self.register_buffer("middle", torch.zeros(latent))  # E c
        self.register_buffer("second", torch.eye(latent))  # E c cᵀ

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step against the squared error."""
        del labels
        given = self.disturb(x, draw)
        code = self.encoder(given)
        with torch.no_grad():
            self.middle.lerp_(code.mean(0), 1 - MEMORY)
            self.second.lerp_(code.T @ code / len(code), 1 - MEMORY)
        loss = (self.rebuild(code, given) - x).square().mean()
        return {"loss": self.descend("model", loss)}

    def disturb(self, x: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """What the encoder is shown."""
        del draw
        return x

    def rebuild(self, code: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """What is made of the code of `given`."""
        decoded: torch.Tensor = self.decoder(code)
        return decoded.reshape(given.shape)

    def fitted(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean `(latent,)` and Cholesky factor `(latent, latent)` of the codes' Gaussian."""
        spread = self.second - torch.outer(self.middle, self.middle)
        size = len(spread)
        floor = SMALLEST + 1e-4 * spread.diagonal().mean().clamp_min(0)
        factor, failed = torch.linalg.cholesky_ex(spread + floor * torch.eye(size))
        if int(failed):  # moments of different steps need not fit each other
            factor = spread.diagonal().clamp_min(SMALLEST).sqrt().diag()
        return self.middle, factor

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Decoded codes from the Gaussian that fits the codes of the training samples."""
        del labels
        return self.decode(self.codes(count, draw))

    def codes(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Codes drawn from that Gaussian, `(count, latent)`."""
        middle, factor = self.fitted()
        return middle + torch.randn(count, self.latent, generator=draw) @ factor.T

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What the decoder makes of codes."""
        del labels
        decoded: torch.Tensor = self.decoder(z)
        return decoded.reshape(len(z), *self.outline.shape)

    def encode(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """Codes of samples."""
        del labels
        code: torch.Tensor = self.encoder(x)
        return code

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """Encoder and decoder, each with an example of what it takes."""
        return {
            "encoder": (self.encoder, (torch.zeros(1, *self.outline.shape),)),
            "decoder": (self.decoder, (torch.zeros(1, self.latent),)),
        }


class Denoising(Autoencoder):
    """x + σ ε -> x: what it learns is which way the data lie.

    The best answer is r(x) = E[clean | noisy], and (r(x) - x) / σ² is then the slope of the log of
    the density smoothed by the noise. Samples walk up that slope, shaken at every step (Langevin),
    and are cleaned once at the end.

    Source: Vincent et al. (2008), Extracting and Composing Robust Features with Denoising
    Autoencoders; Alain & Bengio (2014), What Regularized Auto-Encoders Learn from the Data.
    """

    def __init__(
        self, outline: Outline, coder: nn.Module, decoder: nn.Module, latent: int, noise: float
    ) -> None:
        super().__init__(outline, coder, decoder, latent)
        self.noise = noise
        self.begins: torch.Tensor
        self.register_buffer("begins", torch.stack([torch.zeros(outline.shape)] * 2))

    def meet(self, x: torch.Tensor, labels: Labels) -> None:
        """Where walks begin: with the mean and the spread of the data, number by number."""
        del labels
        self.begins.copy_(torch.stack([x.mean(0), x.std(0)]))

    def disturb(self, x: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """Samples with Gaussian noise added."""
        return x + self.noise * torch.randn(x.shape, generator=draw)

    def rebuild(self, code: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """What was disturbed, plus what the network says must be added to clean it."""
        return given + super().rebuild(code, given)

    def clean(self, x: torch.Tensor) -> torch.Tensor:
        """r(x): the mean of the clean samples that could have become x."""
        return self.rebuild(self.encoder(x), x)

    def score(self, x: torch.Tensor, level: float = 0.0, labels: Labels = None) -> torch.Tensor:
        """(r(x) - x) / σ², the slope of log p smoothed by σ; it knows this one level only."""
        del level, labels
        return (self.clean(x) - x) / self.noise**2

    @torch.no_grad()
    def walk(self, count: int, draw: torch.Generator) -> list[torch.Tensor]:
        """Every place of the walks from noise to samples, each `(count, *shape)`.

        Steps x += (σ²/2) score + σ ε leave the smoothed density as it is, up to their length.
        """
        middle, spread = self.begins
        x = middle + spread * torch.randn(count, *self.outline.shape, generator=draw)
        places = [x]
        for _ in range(WALK):
            shaken = self.noise * torch.randn(x.shape, generator=draw)
            x = x + 0.5 * (self.clean(x) - x) + shaken
            places.append(x)
        return [*places, self.clean(x)]

    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Where walks up the learnt slope end."""
        del labels
        return self.walk(count, draw)[-1]

    def decode(self, z: torch.Tensor, labels: Labels = None) -> None:  # type: ignore[override]
        """No code alone makes a sample: the decoder says what to add to a disturbed one."""
        del z, labels


@families.add(
    "autoencoder",
    title="Autoencoder",
    kind="latent",
    plane=True,
    images=True,
    labelled=False,
    parts=["encoder", "decoder"],
)
def autoencoder(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    style: Style = "dense",
) -> Generative:
    """Squeezes samples through a narrow waist; linear, it finds what PCA finds.

    Source: Hinton & Salakhutdinov (2006), Reducing the Dimensionality of Data with Neural Networks.
    """
    coder, back = coders(outline, networks, latent, latent, width, style)
    return Autoencoder(outline, coder, back, latent)


@families.add(
    "denoising-autoencoder",
    title="Denoising autoencoder",
    kind="latent",
    plane=True,
    images=True,
    labelled=False,
    parts=["encoder", "decoder"],
)
def denoising(
    outline: Outline,
    networks: Networks,
    *,
    noise: Annotated[
        float, Slider(0.05, 2.0, log=True, help="Samples are disturbed more, and learnt smoother")
    ] = 0.3,
    latent: Codes = 64,
    width: Width = 128,
    style: Style = "dense",
) -> Generative:
    """Learns to undo noise, and so which way the data lie: a score field.

    Source: Vincent (2011), A Connection Between Score Matching and Denoising Autoencoders.
    """
    coder, back = coders(outline, networks, latent, latent, width, style)
    return Denoising(outline, coder, back, latent, noise)


def coders(
    outline: Outline, networks: Networks, codes: int, latent: int, width: int, style: str
) -> tuple[nn.Module, nn.Module]:
    """An encoder that gives `codes` numbers and a decoder that takes `latent`: own or usual."""
    return (
        part(
            networks,
            "encoder",
            outline.shape,
            (codes,),
            lambda: encoder(outline, codes, width=width, style=style),
        ),
        part(
            networks,
            "decoder",
            (latent,),
            outline.shape,
            lambda: decoder(latent, outline, width=width, style=style),
        ),
    )
