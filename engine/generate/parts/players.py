"""The usual pair of a generator and a discriminator for what is to be learnt."""

from __future__ import annotations

from typing import Annotated

from torch import nn

from engine.forms import Slider
from engine.generate.families import Networks
from engine.generate.model import Outline
from engine.generate.parts import convolutional
from engine.generate.parts.convolutional import leaky
from engine.generate.parts.mlp import mlp
from engine.generate.parts.own import part

Codes = Annotated[int, Slider(1, 64, log=True, help="More numbers that a sample is made from")]
Width = Annotated[int, Slider(8, 256, log=True, help="Wider networks")]
Rounds = Annotated[int, Slider(1, 10, help="More steps of the critic for one of the generator")]


def pair(
    networks: Networks,
    outline: Outline,
    latent: int,
    width: int,
    *,
    flat: bool = False,
    batch_norm: bool = False,
) -> tuple[nn.Module, nn.Module]:
    """A generator and a discriminator: plain layers for points, convolutions for images.

    Args:
        networks: Those of the visitor, which stand instead.
        outline: What a sample is.
        latent: Numbers in a code.
        width: Units of a layer; for images a quarter as many channels.
        flat: Plain layers for images too.
        batch_norm: Whether convolutions are normalised over the batch.
    """
    if outline.plane or flat:
        makes, tells = _plain(outline, latent, width)
    else:
        channels, width = outline.shape[0], max(4, width // 4)
        makes = convolutional.generator(latent, outline, width=width, batch_norm=batch_norm)
        tells = convolutional.discriminator(channels, outline, width=width, batch_norm=batch_norm)
    return (
        part(networks, "generator", (latent,), outline.shape, lambda: makes),
        part(networks, "discriminator", outline.shape, (1,), lambda: tells),
    )


def _plain(outline: Outline, latent: int, width: int) -> tuple[nn.Module, nn.Module]:
    size = outline.size
    if outline.plane:
        return (
            mlp(latent, size, width=width, activation=leaky),
            mlp(size, 1, width=width, activation=leaky),
        )
    makes = mlp(latent, size, width=2 * width, activation=leaky)
    tells = mlp(size, 1, width=2 * width, activation=leaky)
    return (
        nn.Sequential(*makes, nn.Tanh(), nn.Unflatten(1, outline.shape)),
        nn.Sequential(nn.Flatten(), *tells),
    )
