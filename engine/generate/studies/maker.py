"""A trained adversarial model on the desk: codes, samples of classes, and the judge's opinion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.generate.kept import Recipe
from engine.generate.panels.samples import tiles
from engine.generate.parts.adversary import Adversarial
from engine.generate.source import Source, open_source
from engine.views import Points, Tiles, View

IMAGES = 36
POINTS = 1000


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of `study`."""

    show: str
    seed: int
    label: str
    truncation: float
    place: tuple[float, float]
    picks: tuple[int, int, int]
    cut: int
    moment: int
    rate: float


class Maker:
    """A trained model, what it learnt, and what is shown of it."""

    def __init__(self, model: Any, recipe: Recipe) -> None:
        if not isinstance(model, Adversarial):
            raise ValueError(  # noqa: TRY004 - a visitor chose it
                f"{recipe.title or recipe.family}: has no discriminator to ask"
            )
        self.model, self.recipe = model, recipe
        self._source: Source | None = None

    @property
    def source(self) -> Source:
        """What it learnt, opened when first asked for."""
        if self._source is None:
            self._source = open_source(self.recipe.data, self.recipe.ink)
        return self._source

    def labels(self, wish: Wish, count: int) -> torch.Tensor | None:
        """The classes to make, `(count,)`; None for a model that is told none."""
        classes = self.model.outline.classes
        if not self.model.conditional or not classes:
            return None
        if wish.label not in classes:
            return torch.arange(count) % len(classes)
        return torch.full((count,), classes.index(wish.label))

    def z(self, wish: Wish, count: int = IMAGES) -> torch.Tensor:
        """The codes of the samples shown."""
        return self.model.codes(count, torch.Generator().manual_seed(wish.seed))

    @torch.no_grad()
    def decode(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Codes -> samples."""
        return self.model.decode(z, labels)

    @torch.no_grad()
    def opinion(self, x: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """What the discriminator says: a chance where it gives one, else its number."""
        told = self.model.critic(x, labels)
        return told.sigmoid() if self.model.game.endswith("saturating") else told

    def chosen(self, wish: Wish) -> View:
        """The samples, each with the discriminator's opinion; A, B and C are marked."""
        plane = self.model.outline.plane
        count = POINTS if plane else IMAGES
        labels = self.labels(wish, count)
        made = self.decode(self.z(wish, count), labels)
        if plane:
            return self.points(made, labels)
        names: list[str] = []
        classes = self.model.outline.classes
        for index, value in enumerate(self.opinion(made, labels)):
            asked = "" if labels is None else f"{classes[int(labels[index])]}: "
            names.append(f"{asked}D {float(value):.2f}")
        marks: dict[int, str] = {}
        for letter, index in zip("ABC", wish.picks, strict=True):
            marks[index] = f"{marks[index]}, {letter}" if index in marks else letter
            names[index] = f"{letter} · {names[index]}"
        return Tiles(
            tiles(made), tuple(names), across=6, marks=marks, title="samples, and what D says"
        )

    def points(self, made: torch.Tensor, labels: torch.Tensor | None) -> Points:
        """Made points: over true ones, or by the class that was asked for."""
        outline = self.model.outline
        if labels is not None:
            return Points(
                made.numpy(),
                labels.numpy().astype(np.int32),
                outline.classes,
                extent=outline.extent,
                equal=True,
                title="made points, by the class asked for",
            )
        true = self.source.held[: len(made)]
        which = np.repeat(np.arange(2, dtype=np.int32), [len(true), len(made)])
        return Points(
            torch.cat([true, made]).numpy(),
            which,
            ("true", "made"),
            extent=outline.extent,
            equal=True,
            title="true and made points",
        )
