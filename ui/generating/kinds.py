"""The kinds of generative models: what each is called, and what one sees and does with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """How models of a kind are shown.

    Attributes:
        title: What the kind is called.
        words: What one sees, and what to try first.
        main: The slot of the large picture.
    """

    title: str
    words: str
    main: str = "samples"


KINDS = {
    "adversarial": Kind(
        "GANs",
        "A **generator** turns noise into samples; it learnt by fooling a **discriminator**. Click "
        "the map to decode a place, and walk from one sample to another.",
    ),
    "diffusion": Kind(
        "Diffusion and flow matching",
        "Noise becomes a sample **step by step**. Scrub through the steps, take fewer of them, or "
        "turn up the guidance: everything is sampled again at once.",
    ),
    "latent": Kind(
        "Autoencoders",
        "Every sample has a **code** of a few numbers. Click the map to decode a place, and walk "
        "between two codes.",
    ),
    "flow": Kind(
        "Normalising flows",
        "An invertible network bends a Gaussian into the data, so the density is known "
        "**exactly**. Follow the points layer by layer.",
    ),
    "pixels": Kind(
        "Pixel by pixel",
        "Each pixel is drawn given the ones before it. Scrub through the drawing, or paint the "
        "first rows and let the model finish.",
    ),
    "energy": Kind(
        "Energy-based",
        "A network gives every place an **energy**; samples roll down it while noise shakes them.",
    ),
    "translation": Kind(
        "From picture to picture",
        "One kind of picture is turned into another, with pairs to learn from or without.",
        "translation",
    ),
}
