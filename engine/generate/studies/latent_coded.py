"""A trained autoencoder on the desk: what it learnt from, its samples, its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.generate.families.autoencoder import Autoencoder, Denoising
from engine.generate.families.quantised import Quantised
from engine.generate.families.variational import Variational
from engine.generate.kept import Recipe
from engine.generate.panels.samples import tiles
from engine.generate.source import Source, open_source
from engine.views import Points, Tiles, View

IMAGES = 36
POINTS = 1000
BOUNDED = 256  # true samples on which the bound is told
ALONE = "A denoising autoencoder's codes alone make no sample; look at its score."


class UnfitError(Exception):
    """What was asked for makes no sense with this model; says why."""


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of `study`."""

    show: str
    place: tuple[float, float]
    across: int
    up: int
    picks: tuple[int, int, int]
    label: str
    sample: int
    seed: int


class Coded:
    """A trained model with codes, and what it learnt from."""

    def __init__(self, model: Any, recipe: Recipe) -> None:
        if not isinstance(model, Autoencoder | Variational | Quantised):
            raise ValueError(  # noqa: TRY004 - a visitor chose it
                f"{recipe.title or recipe.family}: is no autoencoder; open one of those"
            )
        self.model = model
        self.recipe = recipe
        self.source: Source = open_source(recipe.data, recipe.ink)
        self.classes = model.outline.classes
        x = self.source.held[:POINTS]
        told = self.held_labels(len(x))
        with torch.no_grad():
            found = model.encode(x, told if model.conditional else None)
        self.middle, self.spread = torch.zeros(model.latent), torch.ones(model.latent)
        if not isinstance(model, Variational):
            self.middle, self.spread = found.mean(0), found.std(0).clamp_min(1e-6)
        self.facts = self._bounds()

    def labels(self, wish: Wish, count: int) -> torch.Tensor | None:
        """The classes to make, `(count,)`; None for a model that is told none."""
        if not self.model.conditional:
            return None
        if wish.label in self.classes:
            return torch.full((count,), self.classes.index(wish.label))
        return torch.arange(count) % len(self.classes)

    def held_labels(self, count: int) -> torch.Tensor | None:
        """The classes of the first true samples, where there are any."""
        labels = self.source.held_labels
        return None if labels is None else labels[:count]

    def codes(self, wish: Wish, count: int = IMAGES) -> torch.Tensor:
        """The codes that samples are made of, `(count, latent)`."""
        if isinstance(self.model, Denoising):
            raise UnfitError(ALONE)
        with torch.no_grad():
            return self.model.codes(count, torch.Generator().manual_seed(wish.seed))

    @torch.no_grad()
    def decode(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Codes -> samples."""
        made = self.model.decode(z, labels)
        if made is None:
            raise UnfitError(ALONE)
        return made

    def samples(self, wish: Wish) -> View:
        """New samples; A, B and C are marked among images."""
        model, outline = self.model, self.model.outline
        draw = torch.Generator().manual_seed(wish.seed)
        labels = self.labels(wish, POINTS if outline.plane else IMAGES)
        if not outline.plane:
            marks: dict[int, str] = {}
            if isinstance(model, Denoising):
                made = model.sample(IMAGES, draw)
            else:
                made = self.decode(self.codes(wish), labels)
                for letter, index in zip("ABC", wish.picks, strict=True):
                    marks[index] = f"{marks[index]}, {letter}" if index in marks else letter
            return Tiles(tiles(made), across=6, marks=marks, title=self._origin())
        made = model.sample(POINTS, draw, labels)
        true = self.source.held[:POINTS]
        which = np.repeat(np.arange(2, dtype=np.int32), [len(true), len(made)])
        return Points(
            torch.cat([true, made]).numpy(),
            which,
            ("true", "made"),
            extent=outline.extent,
            equal=True,
            title=self._origin(),
        )

    def _origin(self) -> str:
        if isinstance(self.model, Variational):
            return "samples: codes drawn from the prior N(0, I), decoded"
        if isinstance(self.model, Quantised):
            return "samples: words written by the prior, decoded"
        if isinstance(self.model, Denoising):
            return "samples: walks up the learnt slope, from noise"
        return "samples: codes drawn from a Gaussian fitted to true ones, decoded"

    def _bounds(self) -> dict[str, float]:
        """Both terms of the ELBO on true samples, and the tighter bound."""
        model = self.model
        if not isinstance(model, Variational):
            return {}
        x, draw = self.source.held[:BOUNDED], torch.Generator().manual_seed(0)
        told = self.held_labels(len(x)) if model.conditional else None
        with torch.no_grad():
            rebuilt, rate = model.bound(x, draw, told)
            tighter = model.tightened(x, draw, told)
        return {
            "ELBO [nat]": float((rebuilt - rate).mean()),
            "E log p(x|z) [nat]": float(rebuilt.mean()),
            "KL to the prior [nat]": float(rate.mean()),
            "log p(x) with 64 codes, at least [nat]": float(tighter.mean()),
        }
