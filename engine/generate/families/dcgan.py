"""Convolutional adversaries for images: plain, and with self-attention."""

from __future__ import annotations

from typing import Annotated, Literal

from torch import nn

from engine.forms import Choice, Slider, Toggle
from engine.generate.families import Networks, families
from engine.generate.families.adversarial import FACTS
from engine.generate.model import Generative, Outline
from engine.generate.parts import convolutional
from engine.generate.parts.adversary import Adversarial
from engine.generate.parts.attention import PixelAttention
from engine.generate.parts.convolutional import leaky
from engine.generate.parts.own import part
from engine.generate.parts.players import Codes
from engine.generate.parts.spectral import spectral

SUITS = {"learning_rate": 5e-4, "batch_size": 64, "steps": 2500}
PICTURES = {**FACTS, "plane": False, "suits": SUITS}
Channels = Annotated[int, Slider(4, 64, log=True, help="Wider networks")]
Game = Annotated[
    Literal["non-saturating", "least squares", "hinge"],
    Choice(("non-saturating", "least squares", "hinge"), help="How the two are paid"),
]


@families.add("dcgan", title="DCGAN", **PICTURES)
def dcgan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 16,
    width: Channels = 32,
    game: Game = "non-saturating",
    batch_norm: Annotated[bool, Toggle(help="Each layer is normalised over the batch")] = True,
    leaks: Annotated[bool, Toggle(help="The discriminator lets a fifth through below zero")] = True,
) -> Generative:
    """Strided convolutions down, transposed ones up, normalised over the batch.

    Source: Radford, Metz & Chintala (2015), Unsupervised Representation Learning with Deep
    Convolutional Generative Adversarial Networks.
    """
    makes = part(
        networks,
        "generator",
        (latent,),
        outline.shape,
        lambda: convolutional.generator(latent, outline, width=width, batch_norm=batch_norm),
    )
    tells = part(
        networks,
        "discriminator",
        outline.shape,
        (1,),
        lambda: convolutional.discriminator(
            outline.shape[0],
            outline,
            width=width,
            batch_norm=batch_norm,
            activation=leaky if leaks else nn.ReLU,
        ),
    )
    return Adversarial(outline, makes, tells, latent, game=game)


@families.add("sagan", title="Self-attention GAN", **PICTURES)
def sagan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 16,
    width: Channels = 32,
    attention: Annotated[bool, Toggle(help="Pixels gather from pixels far away")] = True,
) -> Generative:
    """Both networks look at far pixels too; spectral norms and a hinge hold them together.

    Source: Zhang et al. (2019), Self-Attention Generative Adversarial Networks.
    """
    middle = PixelAttention if attention else None
    makes = part(
        networks,
        "generator",
        (latent,),
        outline.shape,
        lambda: convolutional.generator(latent, outline, width=width, middle=middle),
    )
    tells = part(
        networks,
        "discriminator",
        outline.shape,
        (1,),
        lambda: convolutional.discriminator(
            outline.shape[0], outline, width=width, batch_norm=False, middle=middle
        ),
    )
    rates = {"discriminator": 4.0}  # two time scales, as in the paper
    return Adversarial(outline, makes, spectral(tells), latent, game="hinge", rates=rates)
