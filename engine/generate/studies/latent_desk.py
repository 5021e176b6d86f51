"""What is shown of a trained autoencoder, by what was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.data.sets.factors import NAMES, known_factors
from engine.generate import disentangle, pictured_codes
from engine.generate.families.autoencoder import Denoising
from engine.generate.families.quantised import Quantised
from engine.generate.families.variational import Variational
from engine.generate.panels.samples import plane, tiles
from engine.generate.studies import codes as ways
from engine.generate.studies.latent_coded import IMAGES, POINTS, Coded, UnfitError, Wish
from engine.views import Arrows, Bars, Frame, Matrix, Note, Points, Tiles, View

REACH = 4.0  # of the map, in deviations
GRID = 11  # pictures along an axis of the decoded map
FAR = 2.5  # of what is decoded all over, in deviations
STEPS = 12
TURNS = 9  # values of a unit in a traversal
MOST = 12  # units that are traversed


class Desk(Coded):
    """One picture for each thing to look at."""

    def frame(self, wish: Wish) -> Frame:
        """The pictures of a wish."""
        ways_to_show = {
            "map": self._map,
            "walk": self._walk,
            "arithmetic": self._sum,
            "units": self._units,
            "styles": self._styles,
            "words": self._words,
            "came back": self._back,
            "score": self._score,
        }
        try:
            views = ways_to_show[wish.show](wish)
        except UnfitError as reason:
            views = {"note": Note(str(reason), title="Not with this model")}
        if "samples" not in views:  # the large picture, unless there is something better for it
            views = {"samples": self.samples(wish), **views}
        return Frame(1, 1, views, self.facts, waits=True)

    def _axes(self, wish: Wish) -> tuple[int, int]:
        x = self.source.held[:POINTS]
        told = self.held_labels(len(x)) if self.model.conditional else None
        usual = pictured_codes.busiest(self.model, x, told) or (0, 0)
        last = self.model.latent
        asked = (wish.across, wish.up)
        chosen = [
            one - 1 if 1 <= one <= last else own for one, own in zip(asked, usual, strict=True)
        ]
        return chosen[0], chosen[1]

    def _at(self, places: torch.Tensor, axes: tuple[int, int]) -> torch.Tensor:
        """Codes of places on the map, `(n, latent)`; all other units in the middle."""
        z = self.middle.repeat(len(places), 1)
        for place, unit in zip(places.T.flip(0), reversed(axes), strict=True):
            z[:, unit] = self.middle[unit] + place * self.spread[unit]
        return z

    def _map(self, wish: Wish) -> dict[str, View]:
        """Where true samples lie, what the clicked place becomes, and the map decoded all over."""
        axes = self._axes(wish)
        x = self.source.held[:POINTS]
        view = pictured_codes.latent_map(
            self.model,
            x,
            self.held_labels(len(x)),
            axes,
            here=wish.place,
            scale=(self.middle, self.spread),
        )
        if view is None:
            raise UnfitError("This model has no codes.")
        views: dict[str, View] = {"map": view}
        here = self._at(torch.tensor([wish.place]), axes)
        grid = map_places()
        one = self.labels(wish, 1)
        told = None if one is None else one.expand(len(grid))
        made = self.decode(here, one)
        if self.model.outline.plane:
            lines = {f"unit {axes[0] + 1}, and {axes[1] + 1}": self._mesh(axes, one)}
            views["samples"] = Points(
                made.numpy(),
                lines=lines,
                extent=self.model.outline.extent,
                equal=True,
                title="where this code lands, on the decoded map",
            )
            return views
        views["decoded"] = Tiles(tiles(made), title="what this code becomes")
        many = self.decode(self._at(grid, axes), told)
        words = f"the map decoded, from {-FAR:g} to {FAR:g} along both units; click a place"
        views["samples"] = Tiles(tiles(many), across=GRID, title=words)
        views["prior"] = self.samples(wish)
        return views

    def _mesh(self, axes: tuple[int, int], label: torch.Tensor | None) -> Any:
        """A square grid of codes, decoded: lines with gaps between, `(n, 2)`."""
        lines, points = 13, 40
        across, along = torch.linspace(-FAR, FAR, lines), torch.linspace(-FAR, FAR, points)
        upright = torch.stack(torch.meshgrid(across, along, indexing="ij"), -1)
        both = torch.cat([upright, upright.flip(-1)])
        told = None if label is None else label.expand(both.shape[0] * points)
        made = self.decode(self._at(both.flatten(0, 1), axes), told).view(both.shape)
        gap = torch.full_like(made[:, :1], torch.nan)
        return torch.cat([made, gap], 1).flatten(0, 1).numpy()

    def _picked(self, wish: Wish) -> tuple[torch.Tensor, torch.Tensor | None]:
        which = torch.tensor(wish.picks)
        labels = self.labels(wish, IMAGES)
        return self.codes(wish)[which], None if labels is None else labels[which]

    def _walk(self, wish: Wish) -> dict[str, View]:
        """From A to B, through the codes between."""
        (a, b, _), labels = self._picked(wish)
        steps = STEPS if not self.model.outline.plane else 60
        way = ways.walk(a, b, steps)
        if not isinstance(self.model, Variational):
            share = torch.linspace(0, 1, steps)[:, None]
            way = (1 - share) * a + share * b  # codes that nobody made Gaussian lie on no sphere
        made = self.decode(way, None if labels is None else labels[:1].expand(steps))
        if self.model.outline.plane:
            return {
                "walk": Points(
                    self.source.held[:300].numpy(),
                    lines={"from A to B": made.numpy()},
                    extent=self.model.outline.extent,
                    equal=True,
                    title="the way from A to B, decoded",
                )
            }
        return {"walk": Tiles(tiles(made), across=6, title="from A to B through the codes between")}

    def _sum(self, wish: Wish) -> dict[str, View]:
        """A - B + C."""
        (a, b, c), labels = self._picked(wish)
        z = torch.stack([a, b, c, a - b + c])
        made = self.decode(z, None if labels is None else torch.cat([labels, labels[2:]]))
        names = ("A", "B", "C", "A - B + C")
        if self.model.outline.plane:
            which = np.arange(4, dtype=np.int32)
            outline = self.model.outline
            shown: View = Points(
                made.numpy(), which, names, extent=outline.extent, equal=True, title="with codes"
            )
        else:
            shown = Tiles(tiles(made), names, across=4, title="A - B + C, computed with codes")
        return {"sum": shown}

    def _units(self, wish: Wish) -> dict[str, View]:
        """One unit turned at a time; how much each says; which follows which factor."""
        model, x = self.model, self.source.held
        told = self.held_labels(len(x)) if model.conditional else None
        said = pictured_codes.units(model, x[:POINTS], None if told is None else told[:POINTS])
        views: dict[str, View] = {}
        if (bars := pictured_codes.unit_bars(model, x[:POINTS], told)) is not None:
            views["units"] = bars
        if said is not None and not isinstance(model, Quantised | Denoising):
            views["samples"] = self._traversals(wish, said)
        if self.recipe.data.partition("?")[0] == "factors":
            views["factors"] = self._factors()
        if not views:
            raise UnfitError("No unit of these codes stands alone.")
        return views

    def _traversals(self, wish: Wish, said: torch.Tensor) -> View:
        order = said.argsort(descending=True)[:MOST].tolist()
        index = wish.sample % len(self.source.held)
        x = self.source.held[index : index + 1]
        label = None
        if self.model.conditional and self.source.held_labels is not None:
            label = self.source.held_labels[index : index + 1]
        with torch.no_grad():
            begin = self.model.encode(x, label)
        turns = torch.linspace(-FAR, FAR, TURNS)
        z = begin.repeat(len(order) * TURNS, 1)
        for row, unit in enumerate(order):
            rows = slice(row * TURNS, (row + 1) * TURNS)
            z[rows, unit] = self.middle[unit] + turns * self.spread[unit]
        made = self.decode(z, None if label is None else label.expand(len(z)))
        if self.model.outline.plane:
            lines = {
                f"unit {unit + 1}": made[row * TURNS : (row + 1) * TURNS].numpy()
                for row, unit in enumerate(order)
            }
            extent = self.model.outline.extent
            return Points(
                x.numpy(), lines=lines, extent=extent, equal=True, title="each unit turned alone"
            )
        names = tuple(
            f"unit {unit + 1}" if turn == 0 else "" for unit in order for turn in range(TURNS)
        )
        title = f"a row a unit, turned from {-FAR:g} to {FAR:g}; those that say most come first"
        return Tiles(tiles(made), names, across=TURNS, title=title)

    def _factors(self) -> View:
        """Mutual information of units and known factors."""
        images, values = known_factors(self.model.outline.shape[1])
        x = 2 * torch.from_numpy(images) - 1
        told = torch.from_numpy(values[:, 0]) if self.model.conditional else None
        with torch.no_grad():
            codes = self.model.encode(x, told)
        factors = torch.from_numpy(values)
        shares = disentangle.information(codes, factors) / disentangle.entropies(factors)
        most = shares.max(1).values.topk(min(MOST, len(shares))).indices.sort().values
        return Matrix(
            shares[most].numpy(),
            rows=tuple(f"unit {int(one) + 1}" for one in most),
            columns=NAMES,
            numbers=True,
            xlabel="factor",
            title="what a unit tells of a factor, as a share of all there is to know; "
            f"gap {disentangle.gap(shares):.2f}",
        )

    def _styles(self, wish: Wish) -> dict[str, View]:
        """Each class with the same few codes."""
        if not self.model.conditional:
            raise UnfitError("Only a model that is told classes keeps class and style apart.")
        count, columns = len(self.classes), 8
        z = self.codes(wish, columns).repeat(count, 1)
        labels = torch.arange(count).repeat_interleave(columns)
        made = self.decode(z, labels)
        if self.model.outline.plane:
            outline = self.model.outline
            shown = labels.numpy().astype(np.int32)
            return {
                "samples": Points(
                    made.numpy(), shown, self.classes, extent=outline.extent, equal=True
                )
            }
        title = "a row a class, a column a code: the style stays, the class changes"
        return {"samples": Tiles(tiles(made), across=columns, title=title)}

    def _words(self, wish: Wish) -> dict[str, View]:
        """How often words are used, and a sample as the model writes it."""
        model = self.model
        if not isinstance(model, Quantised):
            raise UnfitError("Only a VQ-VAE writes with the words of a book.")
        index = wish.sample % len(self.source.held)
        x = self.source.held[index : index + 1]
        with torch.no_grad():
            words = model.words(x)
            back = model.read(words)
        bars = pictured_codes.word_bars(model, self.source.held)
        assert isinstance(bars, Bars)  # noqa: S101 - it is Quantised
        return {
            "words": bars,
            "written": Matrix(
                words[0].numpy().astype(np.float64),
                scale="classes" if len(model.book.entries) <= 10 else "sequential",
                numbers=True,
                title="a true image as words of the book",
            ),
            "read": Tiles(
                tiles(torch.cat([x, back])), ("true", "read"), title="and what is read of them"
            ),
        }

    def _back(self, wish: Wish) -> dict[str, View]:
        """True samples, and what comes back of them."""
        model, outline = self.model, self.model.outline
        count = 150 if outline.plane else 24
        begin = wish.sample % max(1, len(self.source.held) - count)
        x = self.source.held[begin : begin + count]
        labels = self.source.held_labels
        told = None if labels is None else labels[begin : begin + count]
        if isinstance(model, Denoising):
            noisy = model.disturb(x, torch.Generator().manual_seed(wish.seed))
            with torch.no_grad():
                made = pictured_codes.pairs(noisy, model.clean(noisy), outline, "became")
            return {"samples": made}
        back = pictured_codes.rebuilt(model, x, told)
        if back is None:
            raise UnfitError("Nothing comes back from these codes.")
        return {"samples": pictured_codes.pairs(x, back, outline)}

    def _score(self, wish: Wish) -> dict[str, View]:
        """The learnt slope of log p, and a walk along it."""
        model, outline = self.model, self.model.outline
        if not isinstance(model, Denoising):
            raise UnfitError("Only a denoising autoencoder learns which way the data lie.")
        walk = model.walk(IMAGES if not outline.plane else 200, _seeded(wish.seed))
        if not outline.plane:
            moments = torch.linspace(0, len(walk) - 1, 12).round().long().tolist()
            film = torch.cat([walk[moment][:3] for moment in moments])
            order = torch.arange(len(film)).view(12, 3).T.flatten()
            title = "three walks from noise to samples, from left to right"
            return {"samples": Tiles(tiles(film[order]), across=12, title=title)}
        at = plane(outline.extent, 22)
        with torch.no_grad():
            slope = model.score(at)
        left, right = outline.extent[:2]
        longest = float(slope.norm(dim=1).max())
        arrows = slope * (0.08 * (right - left) / max(longest, 1e-9))
        ways_shown = torch.stack([place[:8] for place in walk], 1)  # (8, steps, 2)
        lines = {f"walk {number + 1}": way.numpy() for number, way in enumerate(ways_shown)}
        return {
            "samples": Arrows(
                at.numpy(),
                arrows.numpy(),
                outline.extent,
                lines=lines,
                points=Points(self.source.held[:300].numpy()),
                title=f"(r(x) - x)/σ², σ = {model.noise:g}; the longest is {longest:.3g}",
            )
        }


def map_places() -> torch.Tensor:
    """Places of the decoded map, row by row from the top, `(GRID * GRID, 2)`."""
    along = torch.linspace(-FAR, FAR, GRID)
    return torch.cartesian_prod(along.flip(0), along).flip(1)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
