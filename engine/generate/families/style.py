"""A game whose generator is told its style at every layer."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from engine.forms import Choice, Slider
from engine.generate.families import Networks, families
from engine.generate.families.adversarial import Calm
from engine.generate.families.dcgan import Channels
from engine.generate.families.progressive import GROWING, whole
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts import convolutional
from engine.generate.parts.adversary import Adversarial
from engine.generate.parts.players import Codes
from engine.generate.parts.style import StyleGenerator

MEMORY = 0.99  # of the mean style, each step


class Style(Adversarial):
    """Mapping network, styles with noise, mixing while it learns, truncation when it makes.

    Attributes:
        mixing: Share of the training samples whose coarse and fine layers get two styles.
        truncation: ψ when samples are made; 1 is what was learnt.
    """

    generator: StyleGenerator
    betas = (0.0, 0.99)

    def __init__(
        self, outline: Outline, latent: int, width: int, way: str, mixing: float, calm: float
    ) -> None:
        super().__init__(
            outline,
            StyleGenerator(latent, outline, width, way),
            convolutional.discriminator(outline.shape[0], outline, width=width, batch_norm=False),
            latent,
            calm=calm,
        )
        self.mixing, self.truncation = mixing, 1.0

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step of both; the mean style follows."""
        measured = super().learn(x, labels, draw)
        with torch.no_grad():
            now = self.generator.mapping(self.codes(len(x), draw)).mean(0)
            self.generator.average.lerp_(now, 1 - MEMORY)
        return measured

    def sample_with_slope(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> torch.Tensor:
        """New pictures with noise; while it learns, some of two styles."""
        del labels
        styles = self.styles(self.codes(count, draw))
        if self.training and self.mixing:
            other = self.styles(self.codes(count, draw))
            layers = styles.shape[1]
            cut = torch.randint(1, layers, (count,), generator=draw)
            stay = torch.rand(count, generator=draw) >= self.mixing
            coarse = (torch.arange(layers) < cut[:, None]) | stay[:, None]
            styles = torch.where(coarse[..., None], styles, other)
        return self.generator.paint(styles, self.generator.draw_noise(count, draw))

    def styles(self, z: torch.Tensor, psi: float | None = None) -> torch.Tensor:
        """Codes -> one style, the same for every layer, `(n, layers, latent)`; ψ as set."""
        w: torch.Tensor = self.generator.mapping(z)
        psi = self.truncation if psi is None else psi
        if psi != 1:
            w = self.generator.truncated(w, psi)
        return w[:, None].expand(-1, len(self.generator.layers), -1)

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """Pictures of codes, without noise."""
        del labels
        return self.generator.paint(self.styles(z))

    def mixed(self, coarse: torch.Tensor, fine: torch.Tensor, cut: int) -> torch.Tensor:
        """The first `cut` layers in the style of one code, the rest in that of another."""
        one, other = self.styles(coarse), self.styles(fine)
        return self.generator.paint(torch.cat([one[:, :cut], other[:, cut:]], dim=1))


@families.add("stylegan", title="StyleGAN, small", **GROWING)
def stylegan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 32,
    width: Channels = 32,
    way: Annotated[
        Literal["AdaIN", "demodulation"],
        Choice(("AdaIN", "demodulation"), help="How a layer is told its style: 2019, or 2020"),
    ] = "demodulation",
    mixing: Annotated[
        float, Slider(0.0, 1.0, help="More samples of two styles while it learns")
    ] = 0.5,
    calm: Calm = 1.0,
) -> Generative:
    """A code becomes a style, and every layer from coarse to fine is told one.

    Source: Karras, Laine & Aila (2019), A Style-Based Generator Architecture for Generative
    Adversarial Networks.
    """
    del networks
    whole(outline, "stylegan")
    return Style(outline, latent, width, way, mixing, calm)
