"""Diffusion models: noise is put in by a fixed rule, and a network learns to take it out."""

from __future__ import annotations

from typing import Annotated, Literal

from engine.forms import Choice, Slider, Toggle
from engine.generate.diffusion.model import Diffusion, Plan, Weighting
from engine.generate.diffusion.path import Exploding, Preserving, Straight
from engine.generate.diffusion.schedules import SCHEDULES
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Outline
from engine.generate.parts.noisy import denoiser
from engine.generate.samplers.ancestral import ddim
from engine.generate.samplers.ode import heun

Width = Annotated[int, Slider(16, 256, log=True, help="More units in a layer (points)")]
Channels = Annotated[int, Slider(8, 64, help="More channels in the U-Net (images)")]
Depth = Annotated[int, Slider(1, 6, help="More layers: for images, blocks on the coarse maps")]
Look = Annotated[bool, Toggle(help="Places of the coarse maps look at each other (images)")]
Told = Annotated[bool, Toggle(help="It is told the class, where there are classes")]
Untold = Annotated[
    float, Slider(0.0, 0.5, when="conditional=true", help="How often the class is kept from it")
]
Average = Annotated[
    float, Slider(0.0, 0.9999, help="Samples come from a longer average of the weights; 0: none")
]
FACTS = {
    "kind": "diffusion",
    "plane": True,
    "images": True,
    "labelled": False,
    "parts": ["denoiser"],
    "suits": {"learning_rate": 0.002, "batch_size": 256, "steps": 5000},
}


@families.add("diffusion", title="Diffusion", **FACTS)
def diffusion(
    outline: Outline,
    networks: Networks,
    *,
    predicts: Annotated[
        Literal["epsilon", "x0", "v"],
        Choice(("epsilon", "x0", "v"), help="What the network says: the noise, the data, or both"),
    ] = "v",
    schedule: Annotated[
        Literal["linear", "cosine", "sigmoid"],
        Choice(tuple(SCHEDULES), help="How fast noise comes in"),
    ] = "cosine",
    noising_steps: Annotated[
        int, Slider(10, 2000, log=True, help="A finer way from data to noise")
    ] = 1000,
    weighting: Annotated[
        Weighting, Choice(("plain", "min-SNR"), help="How much each noise level counts")
    ] = "plain",
    conditional: Told = True,
    untold: Untold = 0.3,
    average: Average = 0.995,
    width: Width = 128,
    channels: Channels = 32,
    depth: Depth = 3,
    attention: Look = False,
) -> Generative:
    """Noise comes in step by step; a network learns to take it out again.

    Source: Ho et al. (2020), Denoising Diffusion Probabilistic Models.
    """
    plan = Plan(
        Preserving(SCHEDULES[schedule](noising_steps)),
        predicts,
        weighting,
        classes_told(outline, networks, conditional),
        untold,
        average,
        sampler=ddim,
    )
    return _made(outline, networks, plan, width, channels, depth, attention)


@families.add("edm", title="EDM", **FACTS)
def edm(
    outline: Outline,
    networks: Networks,
    *,
    largest: Annotated[
        float, Slider(5.0, 200.0, log=True, help="Noise where samples begin")
    ] = 80.0,
    middle: Annotated[
        float, Slider(-3.0, 1.0, help="Learns at more noise: the mean of ln σ")
    ] = -1.2,
    conditional: Told = True,
    untold: Untold = 0.3,
    average: Average = 0.995,
    width: Width = 128,
    channels: Channels = 32,
    depth: Depth = 3,
    attention: Look = False,
) -> Generative:
    """Noise is only added, and the network's input, output and share are kept of equal size.

    Source: Karras et al. (2022), Elucidating the Design Space of Diffusion-Based Generative Models.
    """
    plan = Plan(
        Exploding(high=largest, middle=middle),
        "EDM",
        classes=classes_told(outline, networks, conditional),
        untold=untold,
        average=average,
        sampler=heun,
        steps=15,
    )
    return _made(outline, networks, plan, width, channels, depth, attention)


@families.add("flow matching", title="Flow matching", **FACTS)
def flow_matching(
    outline: Outline,
    networks: Networks,
    *,
    conditional: Told = True,
    untold: Untold = 0.3,
    average: Average = 0.995,
    width: Width = 128,
    channels: Channels = 32,
    depth: Depth = 3,
    attention: Look = False,
) -> Generative:
    """Data and noise on a straight line; a network learns the mean velocity at every place.

    Source: Lipman et al. (2023), Flow Matching for Generative Modeling.
    """
    plan = Plan(
        Straight(),
        "velocity",
        classes=classes_told(outline, networks, conditional),
        untold=untold,
        average=average,
        sampler=heun,
        steps=15,
    )
    return _made(outline, networks, plan, width, channels, depth, attention)


def classes_told(outline: Outline, networks: Networks, conditional: bool) -> int:
    """How many classes the network is told; a network of one's own has no place for them."""
    return len(outline.classes) if conditional and not networks.get("denoiser") else 0


def _made(
    outline: Outline,
    networks: Networks,
    plan: Plan,
    width: int,
    channels: int,
    depth: int,
    attention: bool,
) -> Diffusion:
    units = width if outline.plane else 8 * max(1, round(channels / 8))
    network = denoiser(
        outline, networks, plan.classes, width=units, depth=depth, attention=attention
    )
    return Diffusion(outline, network, plan)
