"""The first games of two networks: plain, with least squares, and with a hinge."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from engine.forms import Choice, Slider
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Outline
from engine.generate.parts.adversary import Adversarial
from engine.generate.parts.players import Codes, Width, pair

PARTS = ["generator", "discriminator"]
SUITS = {"learning_rate": 5e-4, "batch_size": 128, "steps": 8000}
FACTS: dict[str, Any] = {
    "kind": "adversarial",
    "plane": True,
    "images": True,
    "labelled": False,
    "parts": PARTS,
    "suits": SUITS,
}
Calm = Annotated[
    float, Slider(0.0, 10.0, help="The discriminator is kept flatter at true samples (R1)")
]
Speed = Annotated[
    float,
    Slider(0.1, 10.0, log=True, help="The discriminator learns faster than the generator"),
]


@families.add("gan", title="GAN", **FACTS)
def gan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    paid: Annotated[
        Literal["non-saturating", "saturating"],
        Choice(
            ("non-saturating", "saturating"),
            help="What the generator is paid for: that it fools, or that it is not found out",
        ),
    ] = "non-saturating",
    calm: Calm = 0.0,
    faster: Speed = 1.0,
) -> Generative:
    """A generator that learns to fool a discriminator that learns not to be fooled.

    min_G max_D  E log D(x) + E log(1 - D(G(z))),  z ~ N(0, I). The generator as a rule climbs
    log D(G(z)) instead, whose slope does not vanish while it is bad (section 3 of the paper).

    Source: Goodfellow et al. (2014), Generative Adversarial Nets.
    """
    two = pair(networks, outline, latent, width, flat=True)
    rates = {"discriminator": faster}
    return Adversarial(outline, *two, latent, game=paid, calm=calm, rates=rates)


@families.add("lsgan", title="Least-squares GAN", **FACTS)
def lsgan(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    calm: Calm = 0.0,
) -> Generative:
    """The discriminator answers 1 and 0 by regression: what it is sure of still has a slope.

    Source: Mao et al. (2017), Least Squares Generative Adversarial Networks.
    """
    two = pair(networks, outline, latent, width, flat=True)
    return Adversarial(outline, *two, latent, game="least squares", calm=calm)


@families.add("hinge-gan", title="Hinge GAN", **FACTS)
def hinge(
    outline: Outline,
    networks: Networks,
    *,
    latent: Codes = 2,
    width: Width = 128,
    calm: Calm = 0.0,
) -> Generative:
    """The discriminator is paid up to a margin only, as a support vector machine is.

    Source: Lim & Ye (2017), Geometric GAN.
    """
    two = pair(networks, outline, latent, width, flat=True)
    return Adversarial(outline, *two, latent, game="hinge", calm=calm)
