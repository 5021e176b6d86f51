"""What is shown of a model that draws pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from engine.generate.families.pixels import Pixels
from engine.generate.kept import Recipe
from engine.generate.panels.samples import tiles
from engine.generate.panels.seeing import field, masks
from engine.generate.source import Source, open_source
from engine.views import Bars, Frame, Matrix, Tiles, View

IMAGES = 16
JUDGED = 64  # true images whose bits are told
BLANK = 0.0  # how a pixel that is not drawn yet is shown, in [-1, 1]


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of `study`."""

    begin: str
    moment: float
    drawing: tuple[float, ...]
    rows: float
    sample: int
    label: str
    temperature: float
    pick: int
    pixel: int
    seed: int

    @property
    def drawn(self) -> Wish:
        """The same but for what is merely looked at: images are drawn anew only when it changes."""
        return replace(self, moment=0.0, pick=0, pixel=0)


class Desk:
    """A trained model, what it learnt from, and what it drew last."""

    def __init__(self, model: Any, recipe: Recipe) -> None:
        if not isinstance(model, Pixels):
            raise ValueError(  # noqa: TRY004 - a visitor chose it
                f"{recipe.title or recipe.family}: does not draw pixel by pixel; open one that does"
            )
        self.model = model
        self.source: Source = open_source(recipe.data, recipe.ink)
        _, self.rows, self.columns = model.outline.shape
        self._drawn: tuple[Wish, torch.Tensor, int] | None = None
        with torch.no_grad():
            x, labels = self.source.held[:JUDGED], self.source.held_labels
            told = labels[:JUDGED] if model.told and labels is not None else None
            lost = -model.log_density(x, told).mean()
        self._bits = float(lost) / model.outline.size / math.log(2)
        self._masks = masks(model)

    def frames(self, wish: Wish) -> Iterator[Frame]:
        """A frame a row while it draws, and one that waits."""
        if self._drawn is None or self._drawn[0] != wish.drawn:
            x, start = self._given(wish)
            draw = torch.Generator().manual_seed(wish.seed)
            labels = self._labels(wish)
            grown = self.model.grow(x, draw, labels, start=start, temperature=wish.temperature)
            self._drawn = None
            for pixel, _ in grown:
                if (pixel + 1) % self.columns == 0 and pixel + 1 < self.rows * self.columns:
                    yield Frame(pixel + 1, len(x[0, 0].flatten()), self._images(x, pixel + 1, wish))
            self._drawn = (wish.drawn, x, start)
        yield self._whole(wish, *self._drawn[1:])

    def _labels(self, wish: Wish) -> torch.Tensor | None:
        if not self.model.told:
            return None
        classes = self.model.outline.classes
        if wish.label in classes:
            return torch.full((IMAGES,), classes.index(wish.label))
        return torch.arange(IMAGES) % len(classes)

    def _given(self, wish: Wish) -> tuple[torch.Tensor, int]:
        """Images with the rows that are given, and the number of the first pixel to draw."""
        x = torch.full((IMAGES, *self.model.outline.shape), BLANK)
        rows = round(wish.rows * self.rows)
        if wish.begin == "nothing" or (wish.begin == "your drawing" and not wish.drawing):
            return x, 0
        if wish.begin == "your drawing":
            ink = torch.tensor(wish.drawing).view(1, 1, 28, 28)
            image = 2 * functional.adaptive_avg_pool2d(ink, (self.rows, self.columns))[0] - 1
        else:
            image = self.source.held[wish.sample % len(self.source.held)]
        whole = self.model.image(self.model.shades(image))
        x[:, :, :rows] = whole[:, :rows]
        return x, rows * self.columns

    def _whole(self, wish: Wish, x: torch.Tensor, start: int) -> Frame:
        count = self.rows * self.columns
        shown = start + round(wish.moment * (count - start))
        newest = min(shown, count - 1)
        looked = wish.pixel if 0 < wish.pixel < count else newest
        row, column = divmod(looked, self.columns)
        one = x[wish.pick : wish.pick + 1]
        labels = self._labels(wish)
        told = None if labels is None else labels[wish.pick : wish.pick + 1]
        views = self._images(x, shown, wish)
        views["picture"] = Matrix(
            self._revealed(one, shown)[0].mean(0).numpy(),
            scale="grey",
            highlight=((row, column),),
            title="the image that is picked: click a pixel",
        )
        views["odds"] = self._odds(one, row, column, told, wish.temperature)
        views["field"] = field(self.model, one, row, column)
        if self._masks is not None:
            views["masks"] = self._masks
        facts = {
            "bits per pixel of true images [bit]": self._bits,
            f"{self.model.levels} shades without knowledge [bit]": math.log2(self.model.levels),
        }
        return Frame(shown, count, views, facts, waits=True)

    def _revealed(self, x: torch.Tensor, shown: int) -> torch.Tensor:
        """The images as they were when so many pixels had been drawn."""
        hidden = torch.arange(self.rows * self.columns) >= shown
        return x.masked_fill(hidden.view(self.rows, self.columns), BLANK)

    def _images(self, x: torch.Tensor, shown: int, wish: Wish) -> dict[str, View]:
        count = self.rows * self.columns
        title = f"{shown} of {count} pixels drawn" if shown < count else "samples, pixel by pixel"
        made = tiles(self._revealed(x, shown))
        return {"samples": Tiles(made, across=4, marks={wish.pick: "looked at"}, title=title)}

    @torch.no_grad()
    def _odds(
        self,
        one: torch.Tensor,
        row: int,
        column: int,
        labels: torch.Tensor | None,
        temperature: float,
    ) -> Bars:
        """The odds of the shades of one pixel, before and after the temperature."""
        scores = self.model.scores(one, labels)[0, 0, :, row, column]
        shade = int(self.model.shades(one)[0, 0, row, column])
        series = {"model": scores.softmax(0).double().numpy()}
        if temperature not in (0.0, 1.0):
            series["with the temperature"] = (scores / temperature).softmax(0).double().numpy()
        bits = -math.log2(max(float(series["model"][shade]), 1e-12))
        words = f"row {row + 1}, column {column + 1}: {shade} was drawn, {bits:.2f} bit of surprise"
        return Bars(
            tuple(map(str, range(self.model.levels))),
            series,
            xlabel="shade, black to white",
            ylabel="chance",
            title=words,
        )
