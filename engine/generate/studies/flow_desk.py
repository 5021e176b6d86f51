"""What is shown of a trained flow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.generate.families.flow import Flow
from engine.generate.kept import Recipe
from engine.generate.panels.bent import grid, joined
from engine.generate.panels.samples import FINE, plane, tiles
from engine.generate.parts.posterior import log_normal
from engine.generate.source import Source, open_source
from engine.generate.studies.codes import walk
from engine.views import Bars, Field, Frame, Histogram, Note, Points, Table, Tiles, View

IMAGES = 36
POINTS = 1000
TRAILS = 10  # particles whose whole way is drawn
REACH = 4.0
STEPS = 12
HEATS = (0.0, 0.4, 0.6, 0.8, 1.0, 1.2)


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of `study`."""

    moment: float
    place: tuple[float, float]
    temperature: float
    show: str
    picks: tuple[int, int]
    seed: int


class Desk:
    """A trained flow, and what it learnt from."""

    def __init__(self, model: Any, recipe: Recipe) -> None:
        if not isinstance(model, Flow):
            raise ValueError(  # noqa: TRY004 - a visitor chose it
                f"{recipe.title or recipe.family}: is no flow; open one of those"
            )
        self.model = model
        self.source: Source = open_source(recipe.data, recipe.ink)
        self._density: Any = None

    @torch.no_grad()
    def frame(self, wish: Wish) -> Frame:
        """The pictures of a wish."""
        if self.model.outline.plane:
            return self._on_plane(wish)
        return self._on_images(wish)

    def _noise(self, wish: Wish, count: int) -> torch.Tensor:
        draw = torch.Generator().manual_seed(wish.seed)
        return wish.temperature * torch.randn(count, self.model.latent, generator=draw)

    # --- points -------------------------------------------------------------------------------

    def _on_plane(self, wish: Wish) -> Frame:
        path = [("noise", z := self._noise(wish, POINTS)), *self.model.path(z)]
        at = round(wish.moment * (len(path) - 1))
        told = self._told(wish.place)
        views: dict[str, View] = {
            "samples": self._particles(path, at),
            "grid": self._grid(at),
            "density": self._field(wish.place),
            "formula": told[0],
            "steps": told[1],
            "stretch": told[2],
            "noise": self._origins(wish.place),
        }
        facts = {
            "log p(x) of the place [nat]": told[3],
            "mean over true points [nat]": self._mean(),
        }
        return Frame(at, len(path) - 1, views, facts, waits=True)

    def _particles(self, path: list[tuple[str, torch.Tensor]], at: int) -> Points:
        name, now = path[at]
        ways = torch.stack([place[:TRAILS] for _, place in path[: at + 1]], 1)
        true = self.source.held[:POINTS]
        which = np.repeat(np.arange(2, dtype=np.int32), [len(true), len(now)])
        step = "noise" if at == 0 else f"after step {at} of {len(path) - 1} ({name})"
        return Points(
            torch.cat([true, now]).numpy(),
            which,
            ("true", "made"),
            lines={"ways of ten": joined(ways)},
            extent=self._extent(),
            equal=True,
            title=f"from noise to data: {step}",
        )

    def _extent(self) -> tuple[float, float, float, float]:
        left, right, bottom, top = self.model.outline.extent
        return (min(left, -3.0), max(right, 3.0), min(bottom, -3.0), max(top, 3.0))

    def _grid(self, at: int) -> Points:
        lines = grid()
        flat = lines.flatten(0, 1)
        place = [flat, *(place for _, place in self.model.path(flat))][at]
        return Points(
            np.zeros((0, 2)),
            lines={"grid of the noise": joined(place.view(lines.shape))},
            extent=self._extent(),
            equal=True,
            title="a square grid of the noise at the same moment",
        )

    def _field(self, place: tuple[float, float]) -> Field:
        extent = self.model.outline.extent
        if self._density is None:
            told = self.model.log_density(plane(extent))
            self._density = told.exp().reshape(FINE, FINE).numpy()
        return Field(
            self._density,
            extent,
            points=Points(np.array([place])),
            title="the density p(x), exactly; click a point to follow it back",
        )

    def _told(self, place: tuple[float, float]) -> tuple[Note, Table, Bars, float]:
        """The change of variables of one point, with its numbers."""
        x = torch.tensor([place])
        steps = self.model.steps(x)
        z = steps[-1][1]
        base = float(log_normal(z))
        stretches = [float(stretch) for *_, stretch in steps]
        total = base + sum(stretches)
        rows: list[tuple[str | float | bool, ...]] = [("data", place[0], place[1], 0.0, 0.0)]
        running = 0.0
        for (name, where, _), stretch in zip(steps, stretches, strict=True):
            running += stretch
            rows.append((name, float(where[0, 0]), float(where[0, 1]), stretch, running))
        text = (
            "log p(x) = log N(z; 0, I) + Σ log |det ∂f/∂x|\n\n"
            f"x = ({place[0]:.2f}, {place[1]:.2f}) goes back to "
            f"z = ({float(z[0, 0]):.2f}, {float(z[0, 1]):.2f})\n\n"
            f"log N(z) = -log 2π - ½({float(z[0, 0]):.2f}² + {float(z[0, 1]):.2f}²) "
            f"= -{math.log(2 * math.pi):.2f} - {float(z.square().sum()) / 2:.2f} = {base:.2f}\n\n"
            f"log p(x) = {base:.2f} {'+' if sum(stretches) >= 0 else '-'} "
            f"{abs(sum(stretches)):.2f} = **{total:.2f} nat**, p(x) = {math.exp(total):.4f}"
        )
        names = tuple(f"{number + 1} {name}" for number, (name, *_) in enumerate(steps))
        return (
            Note(text, title="The density of the point that was clicked"),
            Table(
                ("step", "first", "second", "log |det|", "added up"),
                tuple(rows),
                title="its way from data to noise",
            ),
            Bars(
                names,
                {"log |det|": np.array(stretches)},
                ylabel="log |det| [nat]",
                title="by how much each step stretches space around it",
            ),
            total,
        )

    def _origins(self, place: tuple[float, float]) -> Points:
        """True points taken back to the noise; the one that was clicked among them."""
        true = self.source.held[:POINTS]
        z = self.model.encode(torch.cat([true, torch.tensor([place])]))
        labels = self.source.held_labels
        classes = self.model.outline.classes
        which = torch.zeros(len(true)) if labels is None else labels[: len(true)]
        names = (*classes, "clicked") if classes else ("true", "clicked")
        whole = torch.cat([which, torch.tensor([len(names) - 1])]).numpy().astype(np.int32)
        return Points(
            z.numpy(),
            whole,
            names,
            extent=(-REACH, REACH, -REACH, REACH),
            equal=True,
            title="true points taken back: they should fill a round cloud",
        )

    def _mean(self) -> float:
        return float(self.model.log_density(self.source.held[:POINTS]).mean())

    # --- images -------------------------------------------------------------------------------

    def _on_images(self, wish: Wish) -> Frame:
        z = self._noise(wish, IMAGES)
        marks = {wish.picks[0]: "A"}
        marks[wish.picks[1]] = "A, B" if wish.picks[0] == wish.picks[1] else "B"
        title = f"samples: noise of temperature {wish.temperature:g}, through all layers"
        views: dict[str, View] = {
            "samples": Tiles(tiles(self.model.decode(z)), across=6, marks=marks, title=title)
        }
        views |= {
            "walk": self._walk,
            "temperatures": self._heats,
            "classes": self._classes,
            "surprise": self._surprise,
        }[wish.show](wish, z)
        told = self._bits(self.source.held[:128])
        shades = int(self.model.shades)
        facts = {
            "bits per pixel of true images [bit]": float(told.mean()),
            f"{shades} shades without knowledge [bit]": math.log2(shades),
        }
        return Frame(1, 1, views, facts, waits=True)

    def _bits(self, x: torch.Tensor) -> torch.Tensor:
        told = self.model.log_chance(x, torch.Generator().manual_seed(0))
        assert told is not None  # noqa: S101 - images have whole shades
        return -told / self.model.latent / math.log(2)

    def _walk(self, wish: Wish, z: torch.Tensor) -> dict[str, View]:
        made = self.model.decode(walk(z[wish.picks[0]], z[wish.picks[1]], STEPS))
        title = "from A to B, along a great circle of the noise"
        return {"walk": Tiles(tiles(made), across=6, title=title)}

    def _heats(self, wish: Wish, z: torch.Tensor) -> dict[str, View]:
        del z
        noise = torch.randn(
            8, self.model.latent, generator=torch.Generator().manual_seed(wish.seed)
        )
        made = self.model.decode(torch.cat([heat * noise for heat in HEATS]))
        names = tuple(f"T = {heat:g}" if one == 0 else "" for heat in HEATS for one in range(8))
        title = "the same noise, a row a temperature"
        return {"temperatures": Tiles(tiles(made), names, across=8, title=title)}

    def _classes(self, wish: Wish, z: torch.Tensor) -> dict[str, View]:
        """True images moved along the difference of two classes' mean noise."""
        del z
        labels, classes = self.source.labels, self.model.outline.classes
        if labels is None or len(classes) < 2:
            return {"note": Note("These images have no classes.", title="Not with this model")}
        first = wish.seed % len(classes)
        other = (first + 1) % len(classes)
        means = [self.model.encode(self.source.x[labels == one]).mean(0) for one in (first, other)]
        assert self.source.held_labels is not None  # noqa: S101 - as for training
        begin = self.model.encode(self.source.held[self.source.held_labels == first][:5])
        share = torch.linspace(0, 1, 7)
        moved = begin[:, None] + share[:, None] * (means[1] - means[0])  # (5, 7, latent)
        made = self.model.decode(moved.flatten(0, 1))
        title = (
            f"true {classes[first]}s, with mean({classes[other]}) - mean({classes[first]}) added"
        )
        return {"classes": Tiles(tiles(made), across=7, title=f"{title} to their noise")}

    def _surprise(self, wish: Wish, z: torch.Tensor) -> dict[str, View]:
        """Bits of true, made and meaningless images."""
        draw = torch.Generator().manual_seed(wish.seed)
        shape = (64, *self.model.outline.shape)
        levels = int(self.model.shades) - 1
        noise = 2 * torch.randint(levels + 1, shape, generator=draw).float() / levels - 1
        groups = {
            "true": self.source.held[:200],
            "made": self.model.decode(z).clamp(-1, 1),
            "every pixel at random": noise,
        }
        bits = {
            name: self._bits(x).nan_to_num(posinf=99).clamp(-2, 30) for name, x in groups.items()
        }
        whole = torch.cat(list(bits.values()))
        span = (float(whole.min()), float(whole.max()) + 1e-6)
        edges = np.linspace(*span, 40)
        counts = {
            name: np.histogram(one.numpy(), edges)[0].astype(np.float64) / len(one)
            for name, one in bits.items()
        }
        title = "how surprised the model is"
        return {
            "surprise": Histogram(
                edges, counts, xlabel="bits per pixel [bit]", ylabel="share", title=title
            )
        }
