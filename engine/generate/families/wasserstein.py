"""Critics that measure how far mass must be moved, instead of telling true from made."""

from __future__ import annotations

from typing import Annotated

from torch import nn

from engine.forms import Slider
from engine.generate.families import Networks, families
from engine.generate.families.adversarial import FACTS
from engine.generate.model import Generative, Outline
from engine.generate.parts.adversary import Adversarial
from engine.generate.parts.players import Codes, Rounds, Width, pair
from engine.generate.parts.spectral import Times, spectral

QUICK = {**FACTS, "suits": {"learning_rate": 1e-3, "batch_size": 128, "steps": 6000}}


@families.add("wgan", title="Wasserstein GAN, clipped", **QUICK)
def wgan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    clip: Annotated[
        float, Slider(0.005, 0.5, log=True, help="Larger weights, so a steeper critic")
    ] = 0.1,
    rounds: Rounds = 5,
) -> Generative:
    """A critic whose weights are cut to a box, so that it cannot be arbitrarily steep.

    W(p, q) = max over critics of slope <= 1 of E d(x) - E d(G(z)); it keeps a slope where p and q
    do not overlap. The box makes the slope bounded, by what nobody knows.

    Source: Arjovsky, Chintala & Bottou (2017), Wasserstein GAN.
    """
    two = pair(networks, outline, latent, width)
    return Adversarial(outline, *two, latent, game="Wasserstein", clip=clip, rounds=rounds)


@families.add("wgan-gp", title="Wasserstein GAN, gradient penalty", **QUICK)
def wgan_gp(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    penalty: Annotated[
        float, Slider(0.1, 100.0, log=True, help="The critic's slope is held closer to 1")
    ] = 0.1,
    rounds: Rounds = 2,
) -> Generative:
    """A critic that pays for every slope other than 1 on the way from true to made.

    λ E (‖∇ d(x̂)‖ - 1)², x̂ at a random place of the line between a true and a made sample. The
    paper takes λ = 10 for images and 0.1 for points of the plane.

    Source: Gulrajani et al. (2017), Improved Training of Wasserstein GANs.
    """
    two = pair(networks, outline, latent, width)
    return Adversarial(outline, *two, latent, game="Wasserstein", penalty=penalty, rounds=rounds)


@families.add("spectral-gan", title="Spectrally normalised GAN", **QUICK)
def spectral_gan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    rounds: Rounds = 1,
    steep: Annotated[
        float, Slider(1.0, 20.0, log=True, help="On the plane: the slope that D may have")
    ] = 8.0,
) -> Generative:
    """A discriminator whose every layer stretches by at most 1, so that it is never steep.

    W ← W / σ(W) with the largest singular value σ(W), found by power iteration; a hinge game.

    Source: Miyato et al. (2018), Spectral Normalization for Generative Adversarial Networks.
    """
    makes, tells = pair(networks, outline, latent, width)
    calmed = spectral(tells)
    if outline.plane:  # clouds there are narrow; a slope of 1 is all but blind to them
        calmed = nn.Sequential(calmed, Times(steep))
    return Adversarial(outline, makes, calmed, latent, game="hinge", rounds=rounds)
