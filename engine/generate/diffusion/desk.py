"""What the study of a diffusion model has on its table: the model, the wish, the walk."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from engine.generate.diffusion import scene
from engine.generate.diffusion.exact import Mixture
from engine.generate.diffusion.model import Diffusion
from engine.generate.diffusion.path import Level, Spacing
from engine.generate.diffusion.steer import driven, filled_in, inverted, repainted
from engine.generate.judge import judge
from engine.generate.kept import Recipe
from engine.generate.model import Generative
from engine.generate.samplers import Denoise, Moment, Walk, samplers
from engine.generate.source import Source, open_source
from engine.tables import Entry
from engine.views import Frame, Note, View

PATIENCE = 0.15  # seconds of sampling without a new picture
KEPT = 60_000_000  # numbers of all kept moments together
FEW = 8  # true images that go to noise and back


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of the study."""

    task: str
    label: str
    moment: int
    sampler: str
    steps: int
    eta: float
    guidance: float
    guide: str
    spacing: Spacing
    again: int
    drawing: tuple[float, ...]
    sample: int
    points: int
    pictures: int
    seed: int
    picked: int


class Desk:
    """A model, what it learnt from, and the last walk."""

    def __init__(self, model: Generative, recipe: Recipe) -> None:
        if not isinstance(model, Diffusion):
            raise TypeError(f"diffusion: must be given a diffusion model; got {recipe.family}")
        self.model, self.recipe = model, recipe
        self.names = recipe.outline.classes
        self._source: Source | None = None
        self._walk: list[Moment] = []
        self._wish: Wish | None = None
        self._seconds = self._asked = 0.0
        self._given: torch.Tensor | None = None
        self._up: list[Moment] = []

    # --- what there is --------------------------------------------------------------------

    @property
    def source(self) -> Source:
        """What it learnt from, opened when it is first needed."""
        if self._source is None:
            self._source = open_source(self.recipe.data, self.recipe.ink)
        return self._source

    @property
    def known(self) -> Mixture | None:
        """The true distribution, where it is a mixture; else None."""
        if not self.model.outline.plane or self.source.target is None:
            return None
        return Mixture.of_target(self.source.target)

    def label(self, wish: Wish) -> int | None:
        """The number of the class that is asked for."""
        return self.names.index(wish.label) if wish.label in self.names else None

    def labels(self, wish: Wish, count: int) -> torch.Tensor:
        """The class of every sample, `(count,)`."""
        if (one := self.label(wish)) is not None:
            return torch.full((count,), one)
        if not self.names:
            return torch.zeros(count, dtype=torch.int64)
        if self.model.outline.plane and self.model.conditional:
            draw = torch.Generator().manual_seed(wish.seed)
            return torch.multinomial(self.model.odds, count, replacement=True, generator=draw)
        return torch.arange(count) % len(self.names)

    def way(self, wish: Wish) -> Entry:
        """The sampler that is asked for."""
        if wish.sampler:
            return samplers.find(wish.sampler)
        usual = self.model.plan.sampler
        return next(one for one in samplers.all().values() if one.function is usual)

    # --- frames ---------------------------------------------------------------------------

    def frames(self, wish: Wish) -> Iterator[Frame]:
        """Frames while it samples; where only the moment was moved, one."""
        same = self._wish and wish == replace(self._wish, moment=wish.moment, picked=wish.picked)
        if not same:
            try:
                yield from self._sample(wish)
            except (ValueError, LookupError) as error:
                self._wish = None
                note = Note(str(error), title="That does not fit", tone="warning")
                yield Frame(0, 1, {"step": note}, waits=True)
                return
        self._wish = wish
        yield self._frame(wish, waits=True)

    def _sample(self, wish: Wish) -> Iterator[Frame]:
        """Walk; a picture now and then."""
        self._walk, self._given, self._up, self._asked = [], None, [], 0
        begun = shown = time.perf_counter()
        walk, count = self._begin(wish)
        every = max(1, round(wish.steps * count * math.prod(self.model.shape) * 2 / KEPT))
        with torch.no_grad():
            for moment in walk:
                if moment.number % every == 0 or not moment.numbers:
                    self._walk.append(moment)
                self._seconds = time.perf_counter() - begun
                if time.perf_counter() - shown > PATIENCE and moment.numbers:
                    yield self._frame(wish, waits=False)
                    shown = time.perf_counter()
        self._seconds = time.perf_counter() - begun

    def _begin(self, wish: Wish) -> tuple[Walk, int]:
        """The walk that is asked for, and how many samples are on it."""
        count = wish.points if self.model.outline.plane else wish.pictures
        draw = torch.Generator().manual_seed(wish.seed)
        levels = self.model.plan.path.levels(wish.steps, wish.spacing)
        settings = {"eta": wish.eta} if wish.sampler == "ddim" else {}
        if wish.task == "to noise and back":
            return self._there_and_back(wish, levels)
        both = self.model.conditional and wish.guide == "classifier-free"
        often = 2 if both and wish.guidance not in (0, 1) else 1
        denoise = self._counted(self._told(wish, count), often)
        x, way = self.model.noise(count, draw), self.way(wish)
        if wish.task != "fill in":
            walk: Walk = way(denoise, x, levels, draw, **settings)
            return walk, count
        if self.model.shape != self.model.outline.shape:
            raise ValueError("fill in: what is known are pixels, and this model noises codes")
        known, where = self._partly(wish)
        free = filled_in(denoise, self.model.inside(known), where)
        return repainted(way.name, free, x, levels, draw, again=wish.again, **settings), count

    def _told(self, wish: Wish, count: int) -> Denoise:
        """The model as it is guided."""
        labels = self.labels(wish, count)
        if wish.guide == "classifier":
            return driven(self.model.denoise(), self._classifier(labels), wish.guidance)
        fits = wish.task != "fill in" or self.label(wish) is not None  # what is there tells it
        asked = labels if self.model.conditional and fits else None
        return self.model.denoise(asked, wish.guidance)

    def _classifier(self, labels: torch.Tensor) -> Any:
        """The log odds of the class at a noise level.

        In the plane by Bayes' rule from the true distribution; for images what our own classifier,
        which has seen no noise, says of x̂₀.

        Raises:
            ValueError: The distribution is not known, or has no classes.

        Source: Bansal et al. (2023), Universal Guidance for Diffusion Models, for images.
        """
        if (eyes := judge(self.source)) is not None:
            free = self.model.denoise()

            def seen(x: torch.Tensor, level: Level) -> torch.Tensor:
                told: torch.Tensor = eyes(self.model.outside(free(x, level))).log_softmax(1)
                return told.gather(1, labels[:, None])[:, 0]

            return seen
        known = self.known
        if known is None or known.classes is None:
            raise ValueError(
                "classifier: there is one only for images with classes and for mixtures of "
                "Gaussians; choose classifier-free guidance"
            )
        inside = known.moved(self.model.centre, float(self.model.scale))
        return lambda x, level: inside.log_class(x, labels, level.alpha, level.sigma)

    def _partly(self, wish: Wish) -> tuple[torch.Tensor, torch.Tensor]:
        """A true sample, and where it is kept: 1 there, 0 where the model fills in."""
        self._given = self.source.held[wish.sample % len(self.source.held)]
        if self.model.outline.plane:
            return self._given, torch.tensor([1.0, 0.0])
        shape = self.model.outline.shape
        if not wish.drawing:  # the right half
            where = torch.ones(shape[1:])
            where[:, shape[2] // 2 :] = 0
            return self._given, where
        ink = torch.tensor(wish.drawing).reshape(1, 1, 28, 28)
        painted = functional.adaptive_max_pool2d(ink, shape[1:])[0, 0]
        return self._given, (painted < 0.5).float()

    def _there_and_back(self, wish: Wish, levels: Sequence[Level]) -> tuple[Walk, int]:
        held, plane = self.source.held, self.model.outline.plane
        count = min(len(held), wish.points if plane else FEW)
        at = (torch.arange(count) + wish.sample) % len(held)
        x = self.model.inside(held[at])
        known = self.source.held_labels
        told = known[at] if known is not None and self.model.conditional else None
        denoise = self._counted(self.model.denoise(told))
        self._given = held[at]
        with torch.no_grad():
            self._up = list(inverted(denoise, x, levels))
        walk: Walk = samplers.find("ddim")(denoise, self._up[-1].x, levels, torch.Generator())
        return walk, count

    def _counted(self, denoise: Denoise, often: int = 1) -> Denoise:
        def counted(x: torch.Tensor, level: Level) -> torch.Tensor:
            self._asked += often
            return denoise(x, level)

        return counted

    # --- pictures -------------------------------------------------------------------------

    @torch.no_grad()
    def _frame(self, wish: Wish, *, waits: bool) -> Frame:
        walk = self._walk
        at = round(wish.moment / 100 * (len(walk) - 1)) if waits else len(walk) - 1
        moment = walk[at]
        plane = self.model.outline.plane
        views = self._points(wish, at, moment) if plane else self._images(wish, at, moment)
        way = samplers.find("ddim") if wish.task == "to noise and back" else self.way(wish)
        views["step"] = scene.step(walk, at, way)
        views["levels"] = scene.levels(walk, at)
        facts = {
            "step": float(moment.number),
            "questions to the network": float(self._asked),
            "time for all [ms]": 1000 * self._seconds,
        }
        if self._up and waits:
            back = self.model.outside(walk[-1].x)
            assert self._given is not None  # noqa: S101 - set with it
            facts["lost on the way [RMS]"] = float((back - self._given).square().mean().sqrt())
        last = walk[-1].number
        return Frame(last, last if waits else max(last, wish.steps), views, facts, waits=waits)

    def _points(self, wish: Wish, at: int, moment: Moment) -> dict[str, View]:
        model, count = self.model, len(moment.x)
        names = self.names if model.conditional or self._up else ()
        labels = self._classes(wish, count)
        label = self.label(wish) if model.conditional else None
        known = self.known
        if known is not None and label is not None and known.classes is not None:
            own = known.classes == label
            weights = known.log_weights[own]
            known = Mixture(known.centres[own], known.spread, weights - weights.logsumexp(0))
        return {
            "samples": scene.cloud(model, self._walk, at, names, labels),
            "score": scene.score_field(model, moment, label, wish.guidance),
            "expected": scene.expected(model, moment, names, labels),
            "density": scene.density(model, moment, known),
        }

    def _classes(self, wish: Wish, count: int) -> torch.Tensor:
        held = self.source.held_labels if self._up else None
        if held is None:
            return self.labels(wish, count)
        return held[(torch.arange(count) + wish.sample) % len(held)]

    def _images(self, wish: Wish, at: int, moment: Moment) -> dict[str, View]:
        model, count = self.model, len(moment.x)
        labels = self._classes(wish, count).tolist()
        told = model.conditional and wish.guidance > 0 and wish.task == "sample"
        captions = tuple(self.names[one] for one in labels) if told else ()
        which = min(wish.picked, count - 1) % count
        views: dict[str, View] = {
            "samples": scene.grid(model, moment, captions),
            "strip": scene.strip(model, self._walk, at, which),
            "expected": scene.grid(model, moment, captions, clean=True),
        }
        if self._given is not None:
            views["given"] = self._held_up(wish, moment)
        return views

    def _held_up(self, wish: Wish, moment: Moment) -> View:
        """What was given, beside what became of it."""
        assert self._given is not None  # noqa: S101 - the caller asks
        if self._up:
            noise = scene.shown(self.model, self._up[-1].x, self._up[-1].level)
            back = scene.shown(self.model, moment.x, moment.level)
            rows = (self._given, noise, back)
            return scene.side_by_side(rows, ("true", "its noise", "back"), "to noise and back")
        known, where = self._partly(wish)
        masked = torch.where(where > 0, known, torch.zeros(()))
        return scene.side_by_side(
            (known[None], masked[None]), ("true", "what is known"), "what is given"
        )
