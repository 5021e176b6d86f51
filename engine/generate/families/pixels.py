"""An image as a text of pixels: each is drawn from odds that depend on all before it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from torch import nn
from torch.nn import functional

from engine.forms import Choice, Slider, Toggle
from engine.generate.families import Networks, families
from engine.generate.model import Generative, Labels, Outline, take
from engine.generate.parts.masked import GatedStack, Stack
from engine.generate.parts.rows import Recurrent

Levels = Annotated[int, Slider(2, 32, help="More shades of grey that pixels are rounded to")]
Width = Annotated[int, Slider(8, 128, log=True, help="Wider networks")]
Depth = Annotated[int, Slider(1, 16, help="More layers; each sees a pixel further")]
First = Annotated[
    Literal["3 x 3", "5 x 5", "7 x 7"],
    Choice(("3 x 3", "5 x 5", "7 x 7"), help="Kernel of the first layer"),
]
Told = Annotated[bool, Toggle(help="It is told the class of each image, where there are classes")]

DRAWN = 8192  # pixels that measures may draw: each takes a pass through the network


class Pixels(Generative):
    """p(x) = Π_i p(x_i | x_1, ..., x_{i-1}), row by row from the top left, exactly.

    Pixels are whole shades 0 ... levels - 1; an image is rounded to the nearest.

    Attributes:
        levels: Shades of grey.
        told: Number of classes that the network is told; 0 for none.
    """

    def __init__(self, outline: Outline, network: nn.Module, levels: int, told: int = 0) -> None:
        super().__init__(outline)
        self.network, self.levels, self.told = network, levels, told
        self.conditional = told > 0
        self.judged = max(16, min(128, DRAWN // (outline.shape[1] * outline.shape[2])))

    def shades(self, x: torch.Tensor) -> torch.Tensor:
        """The nearest shade of every pixel, `(n, colours, rows, columns)` whole numbers."""
        return ((x.clamp(-1, 1) + 1) / 2 * (self.levels - 1)).round().long()

    def image(self, shades: torch.Tensor) -> torch.Tensor:
        """Shades as an image in [-1, 1]."""
        return 2 * shades.float() / (self.levels - 1) - 1

    def scores(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """Scores of every shade before softmax, `(n, colours, levels, rows, columns)`."""
        told = functional.one_hot(labels, self.told).float() if labels is not None else None
        given: torch.Tensor = self.network(x, told if self.told else None)
        return given.view(len(x), x.shape[1], self.levels, *x.shape[2:])

    def log_density(self, x: torch.Tensor, labels: Labels = None) -> torch.Tensor:
        """The log P(x) of images rounded to the shades [nat], `(n,)`.

        A network that is told classes gives the mean over them, where none is said.
        """
        if self.told and labels is None:
            each = [self.log_density(x, labels=_all(len(x), c)) for c in range(self.told)]
            return torch.stack(each).logsumexp(0) - math.log(self.told)
        shades = self.shades(x)
        odds = self.scores(self.image(shades), labels).log_softmax(2)
        return odds.gather(2, shades[:, :, None])[:, :, 0].flatten(1).sum(1)

    def log_chance(
        self, x: torch.Tensor, draw: torch.Generator, labels: Labels = None
    ) -> torch.Tensor:
        """The same: images are whole shades here."""
        del draw
        return self.log_density(x, labels)

    def learn(self, x: torch.Tensor, labels: Labels, draw: torch.Generator) -> dict[str, float]:
        """One step towards more likely images; a number a pixel."""
        del draw
        told = labels if self.told else None
        loss = -self.log_density(x, told).mean() / self.outline.size
        return {"loss": self.descend("model", loss)}

    @torch.no_grad()
    def sample(self, count: int, draw: torch.Generator, labels: Labels = None) -> torch.Tensor:
        """Images drawn pixel by pixel."""
        x = torch.zeros(count, *self.outline.shape)
        told = take(labels, count, self.told, draw) if self.told else None
        for _ in self.grow(x, draw, told):
            pass
        return x

    @torch.no_grad()
    def film(
        self, count: int, draw: torch.Generator, labels: Labels = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """The images after every row."""
        x = torch.full((count, *self.outline.shape), -1.0)
        columns = self.outline.shape[2]
        told = take(labels, count, self.told, draw) if self.told else None
        yield "nothing yet", x.clone()
        for pixel, _ in self.grow(x, draw, told):
            if (pixel + 1) % columns == 0:
                yield f"row {pixel // columns + 1}", x.clone()

    @torch.no_grad()
    def grow(
        self,
        x: torch.Tensor,
        draw: torch.Generator,
        labels: Labels = None,
        *,
        start: int = 0,
        temperature: float = 1.0,
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Draw the pixels of images from number `start` on, in place.

        Args:
            x: Images, `(n, colours, rows, columns)`; pixels from `start` on are replaced.
            draw: The chance.
            labels: Classes, for a network that is told them.
            start: Number of the first pixel that is drawn, row by row.
            temperature: Divides the scores; at 0 the likeliest shade is taken.

        Yields:
            The number of a pixel and the odds of its shades, `(n, colours, levels)`.
        """
        columns = self.outline.shape[2]
        for pixel in range(start, self.outline.shape[1] * columns):
            row, column = divmod(pixel, columns)
            x[:, :, row, column] = 0  # it must not matter, and so it shows where it does
            odds = []
            for colour in range(x.shape[1]):
                scores = self._at(x, row, column, labels)[:, colour]  # (n, levels)
                chances = _tempered(scores, temperature)
                drawn = torch.multinomial(chances, 1, generator=draw)
                x[:, colour, row, column] = self.image(drawn[:, 0])
                odds.append(chances)
            yield pixel, torch.stack(odds, 1)

    def _at(self, x: torch.Tensor, row: int, column: int, labels: Labels) -> torch.Tensor:
        """Scores of one pixel, `(n, colours, levels)`, from no more of the image than it sees.

        What lies outside of the receptive field changes nothing, so cutting it off is exact.
        """
        reach = getattr(self.network, "reach", None)
        if not isinstance(reach, int):
            return self.scores(x[:, :, : row + 1], labels)[..., row, column]
        top, left = max(0, row - reach), max(0, column - reach)
        cut = x[:, :, top : row + 1, left : column + reach + 1]
        return self.scores(cut, labels)[..., row - top, column - left]

    def networks_out(self) -> dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]]:
        """The network that gives scores, with an example of what it takes."""
        takes = [torch.zeros(1, *self.outline.shape)]
        if self.told:
            takes.append(torch.zeros(1, self.told))
        return {"scores": (self.network, tuple(takes))}


def _tempered(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    if temperature <= 0:
        return functional.one_hot(scores.argmax(-1), scores.shape[-1]).float()
    return (scores / temperature).softmax(-1)


def _all(count: int, label: int) -> torch.Tensor:
    return torch.full((count,), label)


@families.add(
    "pixelcnn",
    title="PixelCNN",
    kind="pixels",
    plane=False,
    images=True,
    labelled=False,
    parts=[],
)
def pixelcnn(
    outline: Outline,
    networks: Networks,
    *,
    levels: Levels = 17,
    width: Width = 24,
    depth: Depth = 4,
    first: First = "5 x 5",
    gated: Annotated[
        bool, Toggle(help="Two stacks with gates: no blind spot, and finer odds")
    ] = True,
    told: Told = False,
) -> Generative:
    """Draws an image pixel by pixel with convolutions that cannot see ahead.

    Source: van den Oord et al. (2016), Conditional Image Generation with PixelCNN Decoders.
    """
    del networks
    colours, kernel = outline.shape[0], int(first[0])
    even = -(-width // colours) * colours  # channels are shared out among the colours
    classes = len(outline.classes) if told else 0
    kind = GatedStack if gated else Stack
    made = kind(colours, colours * levels, width=even, depth=depth, first=kernel, extra=classes)
    return Pixels(outline, made, levels, classes)


@families.add(
    "pixelrnn",
    title="PixelRNN",
    kind="pixels",
    plane=False,
    images=True,
    labelled=False,
    parts=[],
)
def pixelrnn(
    outline: Outline,
    networks: Networks,
    *,
    reads: Annotated[
        Literal["rows", "diagonals"],
        Choice(("rows", "diagonals"), help="A memory that runs down the rows, or over diagonals"),
    ] = "rows",
    levels: Levels = 17,
    width: Width = 24,
    depth: Annotated[int, Slider(1, 8, help="More layers")] = 1,
    first: First = "7 x 7",
) -> Generative:
    """Draws an image pixel by pixel with a memory that runs over all pixels before.

    Raises:
        ValueError: The images are coloured.

    Source: van den Oord, Kalchbrenner & Kavukcuoglu (2016), Pixel Recurrent Neural Networks.
    """
    del networks
    if outline.shape[0] != 1:
        raise ValueError("pixelrnn: reads grey images here; choose those, or pixelcnn for colours")
    made = Recurrent(
        levels, width=width, depth=depth, first=int(first[0]), diagonal=reads == "diagonals"
    )
    return Pixels(outline, made, levels)
