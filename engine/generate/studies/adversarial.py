"""Play with a trained generator: its samples, its codes, its styles, and the game it came from."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import fields, replace
from typing import Annotated, Any, Literal

import numpy as np
import torch

from engine.forms import Choice, Pick, Place, Slider, Text, Value
from engine.generate import pictured_game
from engine.generate.families.style import Style
from engine.generate.kept import open_kept
from engine.generate.panels.nearest import beside
from engine.generate.panels.samples import tiles
from engine.generate.studies import codes, game
from engine.generate.studies.maker import IMAGES, Maker, Wish
from engine.views import Curve, Field, Frame, Histogram, Note, Points, Tiles, View

STEPS = 12  # of a walk
FINE = 28  # places along an axis of the map of codes
ACROSS = 9  # pictures along an axis of it
REACH = 3.0
SHOWN = ("samples", "codes", "walk", "arithmetic", "styles", "one step")


def study(
    model: str,
    *,
    show: Annotated[
        Literal["samples", "codes", "walk", "arithmetic", "styles", "one step"],
        Choice(SHOWN, help="What to look at", live=True),
    ] = "samples",
    seed: Annotated[int, Slider(0, 999, live=True, help="Other noise")] = 0,
    label: Annotated[
        str, Text(80, live=True, help="For a model that is told classes: which; any: all in turn")
    ] = "any",
    truncation: Annotated[
        float,
        Slider(
            0.0, 1.5, live=True, when="show=styles", help="More varied, less sure; 0: all alike"
        ),
    ] = 1.0,
    place: Annotated[
        list[float],
        Place(
            (-REACH, REACH, -REACH, REACH), "codes", help="The code to decode", when="show=codes"
        ),
    ] = [0.0, 0.0],  # noqa: B006 - never changed
    pick: Annotated[
        int,
        Pick(
            IMAGES,
            "samples",
            help="Click samples to choose A, B, C in turn; walks go from A to B",
            when="show=walk|arithmetic",
        ),
    ] = 0,
    cut: Annotated[
        int,
        Slider(1, 12, live=True, when="show=styles", help="More layers take the coarse style"),
    ] = 2,
    moment: Annotated[
        int, Slider(0, 4, live=True, when="show=one step", help="Later in one step of the game")
    ] = 0,
    rate: Annotated[
        float,
        Slider(0.001, 1.0, log=True, live=True, when="show=one step", help="A longer step"),
    ] = 0.05,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show samples at once; wait for a control to be turned.

    Args:
        model: A file, a run's folder, or the name of a ready model.
        show: What to look at.
        seed: Fixes the noise.
        label: Name of the class to make; any other word for all in turn.
        truncation: ψ of a StyleGAN.
        place: Where in a flat cut through the codes.
        pick: The sample clicked.
        cut: How many layers are told the coarse style.
        moment: Which moment of one step of the game.
        rate: Length of that step.

    Yields:
        A frame, and another after every change.

    Raises:
        LookupError: There is no such model, or what it learnt is no longer there.
        ValueError: It is no adversarial model, or the file is corrupt.
    """
    desk = Desk(*open_kept(model))
    spot = (place[0], place[1])
    wish = Wish(show, seed, label, truncation, spot, (pick, 1, 2), cut, moment, rate)
    while True:
        changes = yield desk.frame(wish)
        wish = _changed(wish, changes or {})


def _changed(wish: Wish, changes: Mapping[str, Any]) -> Wish:
    known = {field.name for field in fields(Wish)}
    new = {name: value for name, value in changes.items() if name in known}
    if "place" in new:
        new["place"] = tuple(new["place"])
    if "pick" in changes:  # the oldest choice goes
        new["picks"] = (*wish.picks[1:], int(changes["pick"]))
    return replace(wish, **new)


class Desk(Maker):
    """What is shown of a model, by the wish."""

    def frame(self, wish: Wish) -> Frame:
        """The pictures of a wish."""
        if isinstance(self.model, Style):
            self.model.truncation = wish.truncation
        drawn = {
            "samples": self._samples,
            "codes": self._codes,
            "walk": self._walk,
            "arithmetic": self._arithmetic,
            "styles": self._styles,
            "one step": self._one_step,
        }
        views = {"samples": self.chosen(wish), **drawn[wish.show](wish)}
        return Frame(0, 1, views, {}, waits=True)

    # --- one for each thing to look at ------------------------------------------------------

    def _samples(self, wish: Wish) -> dict[str, View]:
        """Opinions on true and made samples; surface and sheet, or nearest training images."""
        count = 256
        labels = self.labels(wish, count)
        made = self.decode(self.z(wish, count), labels)
        views: dict[str, View] = {"opinions": self._opinions(made, labels)}
        if not self.model.outline.plane:
            return {**views, "nearest": beside(made[:12], self.source)}
        true = self.source.held[:300]
        views["surface"] = pictured_game.surface(self.model, made, true, labels)
        views["moves"] = pictured_game.arrows(
            self.model, made[:120], None if labels is None else labels[:120]
        )
        sheet = pictured_game.manifold(self.model, true, labels)
        return views if sheet is None else {**views, "sheet": sheet}

    def _opinions(self, made: torch.Tensor, labels: torch.Tensor | None) -> Histogram:
        true = self.source.held[: len(made)]
        known = self.source.held_labels if labels is not None else None
        said = {
            "true": self.opinion(true, None if known is None else known[: len(true)]),
            "made": self.opinion(made, labels),
        }
        both = torch.cat(list(said.values()))
        span = (float(both.min()), float(both.max()) + 1e-6)
        counts = {name: np.histogram(v.numpy(), 24, span)[0] for name, v in said.items()}
        edges = np.linspace(*span, 25)
        return Histogram(
            edges,
            {name: one.astype(np.float64) / max(1, one.sum()) for name, one in counts.items()},
            xlabel="what the discriminator says",
            ylabel="share",
            title="can the discriminator still tell them apart?",
        )

    def _codes(self, wish: Wish) -> dict[str, View]:
        """A flat cut through the codes: what D says all over it, and what one place decodes to."""
        directions = codes.plane_of_codes(self.model.latent, wish.seed)
        axis = torch.linspace(-REACH, REACH, FINE)
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
        classes = self.model.outline.classes
        one = replace(wish, label=classes[0]) if classes and wish.label not in classes else wish
        labels = self.labels(one, len(grid))
        said = self.opinion(self.decode(codes.on_plane(grid, directions), labels), labels)
        extent = (-REACH, REACH, -REACH, REACH)
        here = np.array([wish.place])
        views: dict[str, View] = {
            "codes": Field(
                said.reshape(FINE, FINE).numpy(),
                extent,
                points=Points(here),
                xlabel="z along one direction",
                ylabel="along another",
                title="a flat cut through the codes: what D says of what they become",
            )
        }
        z = codes.on_plane(torch.tensor(here, dtype=torch.float32), directions)
        made = self.decode(z, self.labels(one, 1))
        if self.model.outline.plane:
            lines = {}
            if (mesh := pictured_game.mesh(self.model, self.labels(one, 1))) is not None:
                lines = {"a square grid of codes": mesh}
            outline = self.model.outline
            views["decoded"] = Points(
                made.numpy(),
                lines=lines,
                extent=outline.extent,
                equal=True,
                title="where this code lands",
            )
            return views
        coarse = torch.linspace(-REACH, REACH, ACROSS)
        places = torch.cartesian_prod(coarse.flip(0), coarse).flip(1)  # the top row first
        many = self.decode(codes.on_plane(places, directions), self.labels(one, len(places)))
        views["decoded"] = Tiles(tiles(made), title="what this code becomes")
        views["map"] = Tiles(tiles(many), across=ACROSS, title="the same cut, decoded all over")
        return views

    def _picked(self, wish: Wish) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The codes of A, B and C, and their classes."""
        which = torch.tensor(wish.picks)
        labels = self.labels(wish, IMAGES)
        return self.z(wish)[which], None if labels is None else labels[which]

    def _walk(self, wish: Wish) -> dict[str, View]:
        """From A to B, and what D says on the way."""
        (a, b, _), labels = self._picked(wish)
        steps = STEPS if not self.model.outline.plane else 60
        told = None if labels is None else labels[:1].expand(steps)
        made = self.decode(codes.walk(a, b, steps), told)
        share = np.linspace(0, 1, steps)
        said = {"what D says": self.opinion(made, told).numpy()}
        curve = Curve(share, said, xlabel="from A to B", title="is every place on the way true?")
        if self.model.outline.plane:
            path: View = Points(
                self.source.held[:300].numpy(),
                lines={"from A to B": made.numpy()},
                extent=self.model.outline.extent,
                equal=True,
                title="the way from A to B, seen through the generator",
            )
        else:
            path = Tiles(tiles(made), across=6, title="from A to B along a great circle of codes")
        return {"walk": path, "along": curve}

    def _arithmetic(self, wish: Wish) -> dict[str, View]:
        """A - B + C, in codes."""
        (a, b, c), labels = self._picked(wish)
        z = torch.stack([a, b, c, codes.sum_of(a, b, c)])
        told = None if labels is None else torch.cat([labels, labels[2:]])
        made = self.decode(z, told)
        names = ("A", "B", "C", "A - B + C")
        if self.model.outline.plane:
            outline = self.model.outline
            shown: View = Points(
                made.numpy(),
                np.arange(4, dtype=np.int32),
                names,
                extent=outline.extent,
                equal=True,
                title="A - B + C, computed with codes",
            )
        else:
            shown = Tiles(tiles(made), names, across=4, title="A - B + C, computed with codes")
        return {"sum": shown}

    @torch.no_grad()
    def _styles(self, wish: Wish) -> dict[str, View]:
        """Rows give the coarse layers, columns the fine ones."""
        model = self.model
        if not isinstance(model, Style):
            text = "Only a StyleGAN is told a style at every layer: choose one to mix styles."
            return {"mix": Note(text, title="No styles here", tone="warning")}
        layers = len(model.generator.layers)
        cut = min(wish.cut, layers)
        z = self.z(wish, 4 + 5)
        rows, columns = z[:4], z[4:]
        fine = model.decode(columns)
        coarse = model.decode(rows)
        blank = -torch.ones_like(fine[:1])
        pictures, names = [blank, *fine.split(1)], ["", *["fine"] * 5]
        for number, row in enumerate(rows):
            pictures.append(coarse[number : number + 1])
            pictures.append(model.mixed(row.expand(5, -1), columns, cut))
            names += ["coarse", *[""] * 5]
        title = f"{cut} coarse layers of {layers} from the left, the rest from above"
        return {"mix": Tiles(tiles(torch.cat(pictures)), tuple(names), across=6, title=title)}

    def _one_step(self, wish: Wish) -> dict[str, View]:
        """One step of the game, moment by moment."""
        if not self.model.outline.plane:
            text = "A step is shown on points of the plane: open a model of a grid or a ring."
            return {"said": Note(text, title="Points only", tone="warning")}
        true = self.source.held[wish.seed : wish.seed + game.POINTS]
        labels = None
        if self.model.conditional and self.source.held_labels is not None:
            labels = self.source.held_labels[wish.seed : wish.seed + game.POINTS]
        happened = game.play(self.model, true, labels, wish.seed, wish.rate)
        views = dict(game.moment(happened, wish.moment))
        return {"samples": views.pop("surface"), **views}  # in the large place
