"""Normalising flows: noise is bent step by step into data, and every step can be undone."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import torch
from torch import nn

from engine.forms import Choice, Slider
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Labels, Outline
from engine.generate.parts import spline as splines
from engine.generate.parts.continuous import Continuous, Velocity
from engine.generate.parts.invertible import (
    ActNorm,
    Coupling,
    Flat,
    Layer,
    Logit,
    Mix,
    Scale,
    chequered,
)
from engine.generate.parts.mlp import mlp
from engine.generate.parts.posterior import log_normal
from engine.generate.parts.told import silent

Width = Annotated[int, Slider(8, 256, log=True, help="Wider networks in the layers")]
MET = 2048  # training samples that the layers look at before the first step
MOST = 20_000_000  # weights of dense couplings
SHADES = 256  # of an image where its own cannot be told


class Flow(Generative):
    """log p(x) = log N(z; 0, I) + Σ log |det| of the layers, with z = f(x).

    Images have whole shades; a number drawn within each shade's interval makes them continuous,
    and the density of that is a lower bound for the chance of the shades (dequantisation).

    Attributes:
        layers: From data to noise.
        shades: Levels of grey in the training images.

    Source: Theis, van den Oord & Bethge (2016), A note on the evaluation of generative models.
    """

    def __init__(self, outline: Outline, layers: Sequence[Layer]) -> None:
        super().__init__(outline)
        self.layers = nn.ModuleList(layers)
        self.latent = outline.size
        self.shades: torch.Tensor
        self.register_buffer("shades", torch.tensor(SHADES))

    def meet(self, x: torch.Tensor, labels: Labels) -> None:
        """Count the shades; every layer normalises by what it gets."""
        del labels
        if not self.outline.plane:
            self.shades.fill_(shades_of(x))
            x = self.loosened(x[:MET], torch.Generator().manual_seed(0))
        x = x[:MET]
        with torch.no_grad():
            for layer in self.layers:
                if isinstance(layer, Logit):
                    layer.reach.fill_(1 + 1 / (int(self.shades) - 1))
                layer.meet(x)  # type: ignore[operator] # a Layer
                x = layer(x)[0]

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step towards more likely samples; for images a number a pixel."""
        del labels
        if not self.outline.plane:
            x = self.loosened(x, draw)
        told = self.log_density(x).mean()
        return {"loss": self.descend("model", -told / (1 if self.outline.plane else self.latent))}

    def loosened(self, x: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """Images with a number drawn within the interval of each shade."""
        wide = 2 / (int(self.shades) - 1)
        return x + wide * (torch.rand(x.shape, generator=draw) - 0.5)

    def steps(self, x: torch.Tensor) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
        """Name of every step, what it gives and its log |det| [nat], from data to noise."""
        found = []
        for layer in self.layers:
            stages = layer.stages(x)  # type: ignore[operator] # a Layer
            found += [(str(layer.name), place, stretch) for place, stretch in stages]
            x = stages[-1][0]
        return found

    def path(self, z: torch.Tensor) -> list[tuple[str, torch.Tensor]]:
        """Name of a step and where it brings samples, from noise `(n, latent)` to data."""
        places = []
        for layer in reversed(self.layers):
            between = layer.between(z)  # type: ignore[operator] # a Layer
            places += [(str(layer.name), place) for place in between]
            z = between[-1]
        return places

    @torch.no_grad()
    def film(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Noise, and where every layer brings it."""
        del labels
        z = torch.randn(count, self.latent, generator=draw)
        yield "noise", z.view(count, *self.outline.shape)
        for name, place in self.path(z):
            yield name, place.view(count, *self.outline.shape)

    def log_density(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The exact log p(x); of an image as a point of a continuous space."""
        del labels
        steps = self.steps(x)
        return log_normal(steps[-1][1]) + torch.stack([s for *_, s in steps]).sum(0)

    def log_chance(
        self, x: torch.Tensor, draw: torch.Generator, labels: Labels = None
    ) -> torch.Tensor | None:
        """A lower bound for the log-chance of an image's shades [nat]."""
        if self.outline.plane:
            return None
        wide = 2 / (int(self.shades) - 1)
        return self.log_density(self.loosened(x, draw), labels) + self.latent * math.log(wide)

    def encode(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The noise that a sample comes from."""
        del labels
        return self.steps(x)[-1][1].flatten(1)

    def decode(self, z: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The sample that comes of noise."""
        del labels
        for layer in reversed(self.layers):
            z = layer.inverse(z)  # type: ignore[operator] # a Layer
        return z

    @torch.no_grad()
    def sample(
        self,
        count: int,
        draw: torch.Generator,
        labels: Labels = None,
        *,
        temperature: float = 1.0,
    ) -> torch.Tensor:
        """What comes of Gaussian noise; a temperature below 1 keeps to its middle."""
        del labels
        return self.decode(temperature * torch.randn(count, self.latent, generator=draw))

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """From noise to a sample."""
        return {"generator": (_Back(self), (torch.zeros(1, self.latent),))}


class _Back(nn.Module):
    """A flow from noise to data as a module of its own."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.layers = copy.deepcopy(flow.layers)
        for part in self.modules():
            if isinstance(part, Mix):
                part.settle()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        for layer in reversed(self.layers):
            z = layer.inverse(z)  # type: ignore[operator] # a Layer
        return z


def shades_of(x: torch.Tensor) -> int:
    """How many evenly spaced shades images in [-1, 1] have; 256 where they are not even."""
    values = x.flatten()[:1_000_000].unique()
    if not 2 <= len(values) <= SHADES:
        return SHADES
    levels = round(2 / float(values.diff().min())) + 1
    places = (values + 1) / 2 * (levels - 1)
    even = bool((places - places.round()).abs().max() < 0.01)
    return levels if even and levels <= SHADES else SHADES


def _coupled(outline: Outline, count: int, width: int, pieces: int) -> Flow:
    size = outline.size
    numbers = splines.numbers(pieces) if pieces else 2
    weights = count * width * (size * (numbers + 1) + width)
    if weights > MOST:
        raise ValueError(
            f"layers: {count} of them have {weights / 1e6:.0f} million weights where a sample has "
            f"{size:,} numbers, and {MOST / 1e6:.0f} million fit here: choose fewer layers, "
            "narrower ones, or glow"
        )
    layers: list[Layer] = [] if outline.plane else [Logit(), Flat(outline.shape)]
    for number in range(count):
        conditioner = mlp(size, size * numbers, width=width)
        silent(conditioner[-1])  # type: ignore[arg-type] # the last is a Linear
        mask = chequered(outline.shape, number)
        layers += [ActNorm(size), Coupling(mask, conditioner, spline=pieces > 0)]
    return Flow(outline, layers)


@families.add(
    "realnvp",
    title="RealNVP",
    kind="flow",
    plane=True,
    images=True,
    labelled=False,
    parts=[],
)
def realnvp(
    outline: Outline,
    networks: Networks,
    *,
    layers: Annotated[int, Slider(2, 24, help="More layers, finer bends")] = 12,
    width: Width = 64,
) -> Generative:
    """Half of the numbers decide how the other half is stretched and shifted, in turn.

    Source: Dinh, Sohl-Dickstein & Bengio (2017), Density estimation using Real NVP.
    """
    del networks
    return _coupled(outline, layers, width, 0)


@families.add(
    "spline-flow",
    title="Neural spline flow",
    kind="flow",
    plane=True,
    images=True,
    labelled=False,
    parts=[],
)
def spline_flow(
    outline: Outline,
    networks: Networks,
    *,
    layers: Annotated[int, Slider(2, 16, help="More layers, finer bends")] = 6,
    pieces: Annotated[int, Slider(2, 24, help="More pieces in each bend")] = 8,
    width: Width = 64,
) -> Generative:
    """Half of the numbers decide how a spline bends the other half, in turn.

    Source: Durkan et al. (2019), Neural Spline Flows.
    """
    del networks
    return _coupled(outline, layers, width, pieces)


@families.add(
    "glow",
    title="Glow",
    kind="flow",
    plane=False,
    images=True,
    labelled=False,
    parts=[],
)
def glow(
    outline: Outline,
    networks: Networks,
    *,
    steps: Annotated[int, Slider(1, 16, help="More steps at each size")] = 4,
    scales: Annotated[int, Slider(1, 4, help="More sizes, each half the one before")] = 2,
    width: Width = 64,
) -> Generative:
    """Normalise, mix channels, couple; and half of the channels done at every size.

    Raises:
        ValueError: The images cannot be halved that often.

    Source: Kingma & Dhariwal (2018), Glow: Generative Flow with Invertible 1x1 Convolutions.
    """
    del networks
    _, rows, columns = outline.shape
    most = 0
    while rows % 2 ** (most + 1) == 0 and columns % 2 ** (most + 1) == 0:
        most += 1
    if most == 0:
        raise ValueError(f"glow: needs even rows and columns; these have {rows} x {columns}")
    shape = (outline.shape[0], rows, columns)
    return Flow(
        outline, [Logit(), Scale(shape, steps=steps, width=width, scales=min(scales, most))]
    )


@families.add(
    "continuous-flow",
    title="Continuous flow",
    kind="flow",
    plane=True,
    images=False,
    labelled=False,
    parts=[],
)
def continuous(
    outline: Outline,
    networks: Networks,
    *,
    trace: Annotated[
        Literal["exact", "estimated"],
        Choice(("exact", "estimated"), help="How the spreading of the field is measured"),
    ] = "exact",
    steps: Annotated[int, Slider(2, 32, log=True, help="Smaller steps, smaller errors")] = 6,
    width: Width = 64,
    depth: Annotated[int, Slider(1, 4, help="A deeper field")] = 2,
) -> Generative:
    """Samples drift along a learnt velocity field from noise to data.

    Source: Grathwohl et al. (2019), FFJORD; Chen et al. (2018), Neural Ordinary Differential
    Equations.
    """
    del networks
    size = outline.size
    velocity = Velocity(size, width=width, depth=depth)
    drift = Continuous(velocity, size, steps=steps, estimated=trace == "estimated")
    return Flow(outline, [ActNorm(size), drift])
