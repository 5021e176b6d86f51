"""Walk over an energy: the surface, and chains that roll down it step by step, shaken by noise."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import torch

from engine.forms import Slider, Value
from engine.generate.families.energy import Energy
from engine.generate.kept import Recipe, open_kept
from engine.generate.model import Generative
from engine.generate.panels.diffusion import ACROSS, arrows
from engine.generate.panels.samples import plane, tiles
from engine.generate.samplers.langevin import Place, Step, langevin
from engine.views import Arrows, Curve, Field, Frame, Note, Points, Surface, Tiles, View

FINE = 70  # cells along an axis of the surface
CUT = 12.0  # energies this far above the lowest are shown as that high [nat]
TRACKS = 12
MOMENTS = 60  # of a walk that are kept
SHAKEN = 10  # moments of a film strip


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of the study."""

    moment: int
    steps: int
    step_size: float
    temperature: float
    chains: int
    pictures: int
    seed: int


def study(
    model: str,
    *,
    moment: Annotated[
        int, Slider(0, 100, unit="%", live=True, help="Later on the chains' way")
    ] = 100,
    steps: Annotated[int, Slider(1, 1000, log=True, live=True, help="The chains go further")] = 200,
    step_size: Annotated[
        float,
        Slider(0.0, 0.1, live=True, help="Longer steps; 0 takes the length of the training"),
    ] = 0.0,
    temperature: Annotated[
        float, Slider(0.0, 2.0, live=True, help="More noise: 0 only rolls down, 1 is fair")
    ] = 1.0,
    chains: Annotated[
        int, Slider(10, 4000, log=True, live=True, help="More chains (plane)")
    ] = 1000,
    pictures: Annotated[int, Slider(1, 64, live=True, help="More chains (images)")] = 16,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other beginnings, other noise")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Let chains walk over the energy; scrub through their way; wait.

    Args:
        model: The folder of a trained run, or the name of a ready model.
        moment: Where on the way the pictures are [%].
        steps: How many steps the chains take.
        step_size: Length of a step; 0: as in training.
        temperature: Of the noise.
        chains: How many, for the plane.
        pictures: How many, for images.
        seed: Of the beginnings and the noise.

    Yields:
        A frame for every turn of a control, which waits.
    """
    desk = _Desk(*open_kept(model))
    wish = Wish(moment, steps, step_size, temperature, chains, pictures, seed)
    while True:
        changes: Mapping[str, Any] | None = None
        for frame in desk.frames(wish):
            changes = yield frame
            if changes:
                break
        wish = replace(wish, **dict(changes or {}))


class _Desk:
    """A model, and the last walk of its chains."""

    def __init__(self, model: Generative, recipe: Recipe) -> None:
        if not isinstance(model, Energy):
            raise TypeError(f"energy: must be given an energy-based model; got {recipe.family}")
        self.model, self.recipe = model, recipe
        self._walk: list[Place] = []
        self._means: list[float] = []
        self._wish: Wish | None = None

    def frames(self, wish: Wish) -> Iterator[Frame]:
        """One frame; the chains walk anew where more than the moment has changed."""
        if self._wish is None or wish != replace(self._wish, moment=wish.moment):
            self._go(wish)
        self._wish = wish
        yield self._frame(wish)

    def _go(self, wish: Wish) -> None:
        model, draw = self.model, torch.Generator().manual_seed(wish.seed)
        count = wish.chains if model.outline.plane else wish.pictures
        every = max(1, wish.steps // MOMENTS)
        self._walk, self._means = [], []
        start = model.start(count, draw)
        for place in langevin(model.energy, start, wish.steps, self._step(wish), draw):
            self._means.append(float(place.energy.mean()))
            if place.number % every == 0 or place.number == wish.steps:
                self._walk.append(place)
        with torch.no_grad():
            self._means[-1] = float(model.energy(self._walk[-1].x).mean())

    def _step(self, wish: Wish) -> Step:
        size = wish.step_size or self.model.walk.size
        return replace(self.model.walk, size=size, temperature=wish.temperature)

    def _frame(self, wish: Wish) -> Frame:
        at = round(wish.moment / 100 * (len(self._walk) - 1))
        place = self._walk[at]
        look = self._points if self.model.outline.plane else self._images
        views = look(at)
        views["fall"] = Curve(
            np.arange(len(self._means), dtype=np.float64),
            {"mean energy of the chains": np.array(self._means)},
            ylabel="energy [nat]",
            marks={"now": float(place.number)},
            title="how the chains come down",
        )
        views["step"] = self._note(place, self._step(wish))
        facts = {"step": float(place.number), "mean energy [nat]": self._means[place.number]}
        return Frame(wish.steps, wish.steps, views, facts, waits=True)

    def _note(self, place: Place, step: Step) -> Note:
        """The step of the first chain, with its numbers."""
        formula = "x' = x - h ∇E(x) + √(2 h T) z"
        if place.number == len(self._means) - 1:
            return Note(f"```\n{formula}\n```", title="the end of the walk")
        x, slope = place.x[0].flatten()[:2].tolist(), place.slope[0].flatten()[:2].tolist()
        shake = (2 * step.size * step.temperature) ** 0.5
        rows = [
            f"x' = {a:+.3f} - {step.size:.4f} · ({b:+.3f}) + {shake:.4f} z"
            for a, b in zip(x, slope, strict=True)
        ]
        lines = "\n".join([formula, "", *rows])
        words = "" if self.model.outline.plane else "; its first two pixels"
        return Note(
            f"```\n{lines}\n```", title=f"step {place.number + 1} of the first chain{words}"
        )

    def _points(self, at: int) -> dict[str, View]:
        model, place = self.model, self._walk[at]
        extent = model.outline.extent
        with torch.no_grad():
            heights = model.energy(model.inside(plane(extent, FINE)))
        heights = (heights - heights.min()).clamp(max=CUT).reshape(FINE, FINE)
        way = torch.stack([model.outside(one.x[:TRACKS]) for one in self._walk[: at + 1]])
        tracks = {f"chain {n + 1}": way[:, n].numpy() for n in range(way.shape[1])}
        grid = plane(extent, ACROSS)
        starts, vectors = arrows(grid, model.score(grid), extent)
        cloud = Points(model.outside(place.x).numpy(), extent=extent, equal=True)
        return {
            "samples": replace(
                cloud,
                lines=tracks if at else {},
                behind=True,
                title=f"chains after {place.number} steps" if place.number else "chains begin",
            ),
            "energy": Field(
                heights.numpy(), extent, points=cloud, title="energy, above the lowest [nat]"
            ),
            "surface": Surface(heights.numpy(), extent, zlabel="E [nat]", title="the surface"),
            "score": Arrows(starts, vectors, extent, title="-∇E: where the chains are drawn"),
        }

    def _images(self, at: int) -> dict[str, View]:
        model, place = self.model, self._walk[at]
        with torch.no_grad():
            told = model.energy(place.x)
        captions = tuple(f"{value:.1f}" for value in told.tolist())
        some = np.unique(np.linspace(0, len(self._walk) - 1, SHAKEN).round().astype(int))
        film = torch.stack([model.outside(self._walk[n].x[0]) for n in some])
        words = tuple(f"step {self._walk[n].number}" for n in some)
        title = f"chains after {place.number} steps, and their energies [nat]"
        return {
            "samples": Tiles(tiles(model.outside(place.x)), captions, title=title),
            "strip": Tiles(tiles(film), words, across=len(some), title="the first chain's way"),
        }
