"""Diffusion in the codes of an autoencoder that the same model learns first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Slider
from engine.generate.diffusion.model import Diffusion, Plan
from engine.generate.diffusion.path import Preserving
from engine.generate.diffusion.schedules import cosine
from engine.generate.families import Networks, families
from engine.generate.families.diffusion import Average, Told, Untold, classes_told
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.coders import decoder, encoder
from engine.generate.parts.noisy import Own, Points
from engine.generate.parts.own import part
from engine.generate.samplers.ancestral import ddim

MEASURED = 2048  # training samples by whose codes the spread of codes is known


class LatentDiffusion(Diffusion):
    """An autoencoder learns codes of a few numbers; then diffusion learns those codes.

    The autoencoder is a VAE with a small weight on KL, which only keeps codes together. When its
    steps are over it stays as it is, codes are brought to mean 0 and variance 1 over all, and every
    step from then on is one of the diffusion.

    Source: Rombach et al. (2022), High-Resolution Image Synthesis with Latent Diffusion Models.

    Attributes:
        first: Steps of the autoencoder.
        hold: Weight of KL.
    """

    def __init__(
        self,
        outline: Outline,
        network: nn.Module,
        plan: Plan,
        coders: tuple[nn.Module, nn.Module],
        *,
        latent: int,
        first: int,
        hold: float,
    ) -> None:
        super().__init__(outline, network, plan, (latent,))
        self.encoder, self.decoder = coders
        self.latent, self.first, self.hold, self.clip = latent, first, hold, False
        self._some = torch.empty(0)

    def players(self) -> dict[str, Iterable[nn.Parameter]]:
        """Three: the coders, and then the denoiser alone."""
        coders = [*self.encoder.parameters(), *self.decoder.parameters()]
        return {"autoencoder": coders, "denoiser": self.network.parameters()}

    def meet(self, x: torch.Tensor, labels: Labels) -> None:
        """Remember some samples, whose codes are measured when there are any."""
        super().meet(x, labels)
        self._some = x[:MEASURED]

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """A step of the autoencoder, or one of the diffusion."""
        if int(self.taken) >= self.first:
            return super().learn(x, labels, draw)
        middle, log_variance = self.encoder(x).chunk(2, 1)
        noise = torch.randn(middle.shape, generator=draw)
        rebuilt = self.decoder(middle + (log_variance / 2).exp() * noise)
        missed = functional.mse_loss(rebuilt, x)
        kl = (middle.square() + log_variance.exp() - log_variance - 1).mean() / 2
        self.descend("autoencoder", missed + self.hold * kl)
        self.taken.add_(1)
        if int(self.taken) == self.first:
            self._measure()
        return {"loss of the autoencoder": float(missed.detach())}

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """The codes of samples, as the diffusion has them."""
        with torch.no_grad():
            middle: torch.Tensor = self.encoder(x).chunk(2, 1)[0]
        return (middle - self.centre) / self.scale

    def outside(self, x: torch.Tensor) -> torch.Tensor:
        """What codes are decoded to."""
        made: torch.Tensor = self.decoder(x * self.scale + self.centre)
        return made.clamp(-1, 1)

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What codes are decoded to, so that one can walk among them."""
        del labels
        return self.outside(z)

    def encode(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The codes of samples."""
        del labels
        return self.inside(x)

    def floors(self, *_: object) -> dict[str, float]:
        """Nobody knows how codes that are only being learnt are spread."""
        return {}

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The denoiser of codes, and both coders."""
        image, code = torch.zeros(2, *self.outline.shape), torch.zeros(2, self.latent)
        coders = {"encoder": (self.encoder, (image,)), "decoder": (self.decoder, (code,))}
        return {**super().networks_out(), **coders}

    @torch.no_grad()
    def _measure(self) -> None:
        codes: torch.Tensor = self.encoder(self._some).chunk(2, 1)[0]
        self.centre.copy_(codes.mean(0))
        self.scale.copy_(codes.std(0).square().mean().sqrt())


@families.add(
    "latent diffusion",
    title="Latent diffusion",
    kind="diffusion",
    plane=False,
    images=True,
    labelled=False,
    parts=["denoiser"],
    suits={"learning_rate": 0.002, "batch_size": 128, "steps": 5000},
)
def latent_diffusion(
    outline: Outline,
    networks: Networks,
    *,
    latent: Annotated[int, Slider(2, 64, log=True, help="More numbers in a code")] = 16,
    first: Annotated[
        int, Slider(1, 20_000, log=True, help="The autoencoder learns for longer")
    ] = 1500,
    hold: Annotated[
        float, Slider(0.0, 0.1, help="Codes are kept closer together, and lose more")
    ] = 0.001,
    conditional: Told = True,
    untold: Untold = 0.1,
    average: Average = 0.995,
    width: Annotated[int, Slider(16, 512, log=True, help="A wider denoiser")] = 256,
    channels: Annotated[int, Slider(8, 128, log=True, help="Wider coders")] = 64,
) -> Generative:
    """First an autoencoder learns short codes of images; then diffusion learns the codes.

    Source: Rombach et al. (2022), High-Resolution Image Synthesis with Latent Diffusion Models.
    """
    plan = Plan(
        Preserving(cosine(1000)),
        "v",
        classes=classes_told(outline, networks, conditional),
        untold=untold,
        average=average,
        sampler=ddim,
    )
    network: nn.Module = Points(latent, plan.classes, width=width, depth=3)
    if networks.get("denoiser"):
        network = Own(part(networks, "denoiser", (latent + 1,), (latent,), nn.Identity))
    coders = (
        encoder(outline, 2 * latent, width=channels, style="convolutional"),
        decoder(latent, outline, width=channels, style="convolutional"),
    )
    return LatentDiffusion(outline, network, plan, coders, latent=latent, first=first, hold=hold)
