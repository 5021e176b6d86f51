"""What a decoder's numbers say about a sample: p(x|z)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Choice, Slider
from engine.generate.model import Outline

KINDS = ("suits the data", "Bernoulli", "Gaussian, learnt width", "Gaussian, fixed width")
Kind = Annotated[
    Literal["suits the data", "Bernoulli", "Gaussian, learnt width", "Gaussian, fixed width"],
    Choice(KINDS, help="How far a sample may lie from what is decoded"),
]
Deviation = Annotated[
    float,
    Slider(
        0.01, 2.0, log=True, when="likelihood=Gaussian, fixed width", help="Reconstructions blur"
    ),
]


class Gaussian(nn.Module):
    """N(x; what is decoded, σ²I), the width σ one number: learnt with all else, or fixed.

    Source: Rybkin, Daniilidis & Levine (2021), Simple and Effective VAE Training with Calibrated
    Decoders.
    """

    name = "Gaussian"

    def __init__(self, width: float = 1.0, *, learnt: bool = True) -> None:
        super().__init__()
        self.log_width = nn.Parameter(torch.tensor(math.log(width)), requires_grad=learnt)

    def forward(self, decoded: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The log p(x|z) of each sample [nat], `(n,)`."""
        apart = ((x - decoded) / self.log_width.exp()).square().flatten(1)
        constant = self.log_width + 0.5 * math.log(2 * math.pi)
        return -(0.5 * apart + constant).sum(1)

    def mean(self, decoded: torch.Tensor) -> torch.Tensor:
        """The middle of p(x|z), like `decoded`."""
        return decoded

    def draw(self, decoded: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """A sample of p(x|z)."""
        return decoded + self.log_width.exp() * torch.randn(decoded.shape, generator=draw)


class Bernoulli(nn.Module):
    """Every pixel is white with the chance sigmoid(a), independently.

    A grey pixel u in (0, 1) counts as white and black in that proportion. That is the usual
    cross-entropy: exact for black and white, for greys it is no density over them.

    Source: Loaiza-Ganem & Cunningham (2019), The continuous Bernoulli.
    """

    name = "Bernoulli"

    def forward(self, decoded: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The log p(x|z) of each image in [-1, 1] [nat], `(n,)`."""
        share = (x + 1) / 2
        lost = functional.binary_cross_entropy_with_logits(decoded, share, reduction="none")
        return -lost.flatten(1).sum(1)

    def mean(self, decoded: torch.Tensor) -> torch.Tensor:
        """The chance of white, as an image in [-1, 1]."""
        return 2 * decoded.sigmoid() - 1

    def draw(self, decoded: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """A black and white image."""
        return 2 * torch.bernoulli(decoded.sigmoid(), generator=draw) - 1


Likelihood = Gaussian | Bernoulli


def likelihood_of(kind: str, width: float, outline: Outline) -> Likelihood:
    """The likelihood of a name.

    Raises:
        ValueError: Points of the plane are neither black nor white.
    """
    if kind == KINDS[0]:
        kind = KINDS[2] if outline.plane else KINDS[1]
    if kind == "Bernoulli":
        if outline.plane:
            raise ValueError("likelihood: Bernoulli is for images; choose Gaussian for the plane")
        return Bernoulli()
    learnt = kind == KINDS[2]
    return Gaussian(1.0 if learnt else width, learnt=learnt)
