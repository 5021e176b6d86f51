"""A game that begins with tiny pictures and grows."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import nn

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.families.adversarial import FACTS, Calm
from engine.generate.families.dcgan import Channels
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts.adversary import Adversarial
from engine.generate.parts.convolutional import doublings
from engine.generate.parts.growing import Discriminator, Generator, larger, smaller
from engine.generate.parts.players import Codes

SUITS = {"learning_rate": 1e-3, "batch_size": 64, "steps": 3000}
GROWING = {**FACTS, "plane": False, "parts": [], "suits": SUITS}


def whole(outline: Outline, who: str) -> None:
    """See that a picture can be halved without a rest.

    Raises:
        ValueError: It cannot; says what would do.
    """
    times, _ = doublings(outline)
    if any(side % 2**times for side in outline.shape[1:]):
        rows, columns = outline.shape[1:]
        raise ValueError(
            f"{who}: rows and columns must be multiples of {2**times}; these images have "
            f"{rows} x {columns}: bring them in {rows // 2**times * 2**times} x "
            f"{columns // 2**times * 2**times}"
        )


class Progressive(Adversarial):
    """Both networks have the stage that the number of steps says; `sample` is always full size."""

    generator: Generator
    discriminator: Discriminator
    betas = (0.0, 0.99)

    def __init__(self, outline: Outline, latent: int, width: int, each: int, calm: float) -> None:
        makes, tells = Generator(latent, outline, width), Discriminator(outline, width)
        super().__init__(outline, makes, tells, latent, calm=calm)
        self.each, (self.times, _) = each, doublings(outline)

    def grown(self) -> tuple[int, float]:
        """Stage and α now: `each` steps for the first size, then as many to fade in and to settle.

        Both networks are set to it.
        """
        phase, rest = divmod(int(self.turns), self.each)
        stage = min(self.times, (phase + 1) // 2)
        fading = phase % 2 == 1 and (phase + 1) // 2 <= self.times
        alpha = rest / self.each if fading else 1.0
        for network in (self.generator, self.discriminator):
            network.stage, network.alpha = stage, alpha
        return stage, alpha

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of both at the size of now."""
        stage, alpha = self.grown()
        measured = super().learn(x, labels, draw)
        return {**measured, "size [px]": x.shape[-1] / 2 ** (self.times - stage), "α": alpha}

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """What the generator makes of codes, each pixel as often as full size needs."""
        del labels
        stage, _ = self.grown()
        made: torch.Tensor = self.generator(z)
        for _ in range(self.times - stage):
            made = larger(made)
        return made

    def critic(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The logit of pictures of full size, made as small as those that are made now.

        While a layer is faded in, true pictures are as blurred as made ones (figure 2).
        """
        del labels
        stage, alpha = self.grown()
        seen = smaller(x, self.times - stage)
        if stage and alpha < 1:
            seen = (1 - alpha) * larger(smaller(seen)) + alpha * seen
        told: torch.Tensor = self.discriminator(seen)
        return told.squeeze(1)

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The two networks as they are grown now."""
        stage, _ = self.grown()
        sides = [side // 2 ** (self.times - stage) for side in self.outline.shape[1:]]
        seen = torch.zeros(2, self.outline.shape[0], *sides)
        known = super().networks_out()
        return {**known, "discriminator": (self.discriminator, (seen,))}


@families.add("progressive-gan", title="Progressive growing", **GROWING)
def progressive(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 16,
    width: Channels = 32,
    each: Annotated[
        int, Slider(20, 5000, log=True, help="More steps at each size, and for each fading in")
    ] = 300,
    calm: Calm = 1.0,
) -> Generative:
    """First tiny pictures, then larger ones: each new layer is faded in over the old.

    Source: Karras et al. (2018), Progressive Growing of GANs for Improved Quality, Stability, and
    Variation.
    """
    del networks
    whole(outline, "progressive-gan")
    return Progressive(outline, latent, width, each, calm)
