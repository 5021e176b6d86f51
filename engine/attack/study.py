"""Attack a trained model on a sample or a drawing, with a budget that can be turned live."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.table import attacks, fooled, inside, length
from engine.forms import Choice, Drawing, Slider, Text, Value
from engine.models.inputs import Given, Samples
from engine.models.kept import Kept, load
from engine.tables import Entry
from engine.views import Bars, Curve, Frame, Note, Tiles, View

POINTS = 13  # budgets on the curve
HALVINGS = 6  # steps in which the smallest budget that flips is narrowed down
BUDGETS = {"Linf": "epsilon", "L2": "length", "L1": "total", "L0": "pixels", "spatial": "degrees"}
TOPS = {"Linf": 0.4, "L2": 4.0, "L1": 60.0, "L0": 12.0, "spatial": 45.0}  # where the curve ends
MOST_KEPT = 256
FAR = 1e6  # a budget that bounds nothing

Method = Annotated[str, Choice(tuple(attacks.all()), help="How to attack", live=True)]


def study(
    model: str,
    *,
    method: Method = "fgsm",
    epsilon: Annotated[
        float, Slider(0.0, 0.5, live=True, help="Every pixel may change more (Linf attacks)")
    ] = 0.1,
    length: Annotated[
        float, Slider(0.0, 6.0, live=True, help="A longer change (L2 attacks)")
    ] = 1.5,
    total: Annotated[
        float, Slider(0.0, 100.0, live=True, help="More change in all (L1 attacks)")
    ] = 15.0,
    pixels: Annotated[
        int, Slider(0, 20, live=True, help="More pixels may change (L0 attacks)")
    ] = 1,
    degrees: Annotated[
        float, Slider(0.0, 90.0, live=True, unit="°", help="Turns and shifts further (spatial)")
    ] = 20.0,
    source: Annotated[
        str, Choice(("test sample", "drawing"), help="What to put in", live=True)
    ] = "test sample",
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another test sample")] = 0,
    drawing: Annotated[list[float], Drawing(28, 28, help="Draw with mouse or finger")] = [],  # noqa: B006 - read only
    target: Annotated[
        str, Text(64, live=True, help="The class it shall be taken for, or: any other")
    ] = "any other",
    seed: Annotated[int, Slider(0, 999, live=True, help="Other random draws")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show the input, the change and what the model says to both; wait for a control.

    What these methods are for: to understand and harden one's own models.

    Args:
        model: The folder of a trained run.
        source: Whether a sample of the validation set is attacked, or the drawing.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        method: The attack.
        epsilon: How much every pixel may change, for attacks measured by L-infinity.
        length: How long the change may be, for L2.
        total: How much it may be in all, for L1.
        pixels: How many pixels may change, for L0.
        degrees: How far a picture may be turned, for the spatial attack.
        target: Name or number of the class to be taken for, or `any other`.
        seed: For attacks that draw random numbers.

    Yields:
        First the attack at the chosen budget, then the curve over budgets point by point; the
        last frame waits.
    """
    arena = _Arena(load(model))
    controls: dict[str, Any] = {
        "source": source,
        "sample": sample,
        "drawing": drawing,
        "method": method,
        "epsilon": epsilon,
        "length": length,
        "total": total,
        "pixels": pixels,
        "degrees": degrees,
        "target": target,
        "seed": seed,
    }
    while True:
        changes: Mapping[str, Value] | None = None
        for frame in arena.frames(controls):
            changes = yield frame
            if changes:
                break
        controls.update(changes or {})


@dataclass(frozen=True)
class Outcome:
    """What one attack came to.

    Attributes:
        x: The attacked sample, `(1, ...)`.
        chances: What the model says to it after it was stored with 8 bits a pixel, `(classes,)`.
        flipped: Whether that is what the attacker wished.
        size: Length of the change in the attack's norm.
    """

    x: torch.Tensor
    chances: torch.Tensor
    flipped: bool
    size: float


@dataclass(frozen=True)
class _Duel:
    """One sample, one attack, one wish."""

    given: Given
    entry: Entry
    y: torch.Tensor
    settings: Mapping[str, Any]

    @property
    def norm(self) -> str:
        return str(self.entry.facts["norm"])

    @property
    def targeted(self) -> bool:
        return bool(self.settings.get("targeted"))


class _Arena:
    """A model, what lies in front of it, and the attacks made so far."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._samples = Samples(kept)
        self._made: dict[object, Outcome] = {}
        self._searched: dict[object, torch.Tensor] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames whose curve grows; the last one waits."""
        given = self._samples.choose(controls["source"], controls["sample"], controls["drawing"])
        chances = self._chances(given.x)
        try:
            duel = self._duel(given, chances, controls)
            budget = float(controls[BUDGETS[duel.norm]])
            outcome = self._attack(duel, budget)
        except (ValueError, LookupError) as error:
            yield self._refused(given, chances, str(error))
            return
        curve: dict[float, Outcome] = {}
        yield self._frame(duel, chances, outcome, budget, curve, math.nan, last=False)
        for place in np.linspace(0, TOPS[duel.norm], POINTS):
            at = round(place) if duel.norm == "L0" else float(place)
            fresh = not self._known(duel, at)
            curve[at] = self._attack(duel, at)
            if fresh:
                yield self._frame(duel, chances, outcome, budget, curve, math.nan, last=False)
        smallest = self._smallest(duel, curve)
        yield self._frame(duel, chances, outcome, budget, curve, smallest, last=True)

    def _duel(self, given: Given, chances: torch.Tensor, controls: Mapping[str, Any]) -> _Duel:
        entry = attacks.find(controls["method"])
        settings: dict[str, Any] = {}
        if "seed" in entry.form.controls:
            settings["seed"] = controls["seed"]
        words = str(controls["target"]).strip()
        if words in ("", "any other"):
            return _Duel(given, entry, self._said(given, chances), settings)
        if "targeted" not in entry.form.controls:
            raise ValueError(f"{entry.name}: cannot be aimed at a class; set target to: any other")
        names = [self._kept.name(output) for output in range(len(chances))]
        if words not in names and not (words.isdecimal() and int(words) < len(names)):
            raise ValueError(f"target must be: any other, or one of {', '.join(names)}")
        aim = names.index(words) if words in names else int(words)
        return _Duel(given, entry, torch.tensor([aim]), {**settings, "targeted": True})

    def _said(self, given: Given, chances: torch.Tensor) -> torch.Tensor:
        """The class to be led away from: the true one, or what the model says to a drawing."""
        return torch.tensor([int(chances.argmax()) if given.label is None else given.label])

    def _key(self, duel: _Duel, budget: float) -> object:
        own = tuple(sorted(duel.settings.items()))
        return duel.entry.name, budget, int(duel.y), own, duel.given.x.numpy().tobytes()

    def _known(self, duel: _Duel, budget: float) -> bool:
        return self._key(duel, budget) in self._made

    def _attack(self, duel: _Duel, budget: float) -> Outcome:
        """The outcome at one budget; kept for the next time."""
        asked = self._key(duel, budget)
        if asked not in self._made:
            x = duel.given.x
            found = self._found(duel, budget)
            stored = (found * 255).round() / 255
            self._made[asked] = Outcome(
                found,
                self._chances(stored),
                bool(fooled(self._kept.module, stored, duel.y, targeted=duel.targeted)),
                float(length_of(found - x, duel.norm)),
            )
            while len(self._made) > MOST_KEPT:
                del self._made[next(iter(self._made))]
        return self._made[asked]

    def _found(self, duel: _Duel, budget: float) -> torch.Tensor:
        """The attacked sample; a search for the smallest change runs once for all budgets."""
        x, module = duel.given.x, self._kept.module
        if not duel.entry.facts["minimal"]:
            epsilon = int(budget) if duel.norm == "L0" else budget
            found: torch.Tensor = duel.entry(module, x, duel.y, epsilon=epsilon, **duel.settings)
            return found
        asked = self._key(duel, math.inf)
        if asked not in self._searched:
            self._searched.clear()
            self._searched[asked] = duel.entry.function(
                module, x, duel.y, epsilon=FAR, **duel.settings
            )
        return inside(self._searched[asked], x, budget, duel.norm)

    def _smallest(self, duel: _Duel, curve: Mapping[float, Outcome]) -> float:
        """The smallest budget found that flips the answer, or NaN."""
        high = next((budget for budget, one in curve.items() if one.flipped), None)
        if high is None or high == 0:
            return math.nan if high is None else 0.0
        if duel.norm == "L0":
            return high
        low = max(budget for budget in curve if budget < high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self._attack(duel, middle).flipped:
                high = middle
            else:
                low = middle
        return high

    def _chances(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            chances: torch.Tensor = self._kept.module(x)[0].softmax(0)
        return chances

    def _refused(self, given: Given, chances: torch.Tensor, reason: str) -> Frame:
        views: dict[str, View] = {
            "images": _images(given.x, given.x, ("input", "")),
            "change": _images(0 * given.x, None, ("",)),
            "scores": self._scores(chances, chances),
            "curve": Curve(np.zeros(0), {}),
            "notes": Note(reason, tone="warning"),
        }
        return Frame(1, 1, views, {}, waits=True)

    def _frame(
        self,
        duel: _Duel,
        before: torch.Tensor,
        outcome: Outcome,
        budget: float,
        curve: Mapping[float, Outcome],
        smallest: float,
        *,
        last: bool,
    ) -> Frame:
        x = duel.given.x
        change = outcome.x - x
        inside = not outcome.size > budget + 1e-6  # a turn has no size (NaN)
        inside &= bool(((outcome.x >= 0) & (outcome.x <= 1)).all())
        captions = (f"{duel.given.words}: {self._told(before)}", self._told(outcome.chances))
        most = float(change.abs().max())
        note = Note(
            ("The answer flips." if outcome.flipped else "The answer holds.")
            + " Judged on the picture as it is stored, with 8 bits a pixel.",
            tone="bad" if outcome.flipped else "good",
        )
        views: dict[str, View] = {
            "images": _images(x, outcome.x, captions),
            "change": _images(change, None, (f"the change, largest {most:.3g}",)),
            "scores": self._scores(before, outcome.chances),
            "curve": _curve(duel, curve, budget),
            "notes": note,
        }
        facts = {
            "flipped": float(outcome.flipped),
            f"size of the change ({duel.norm})": outcome.size,
            "L2": float(length_of(change, "L2")),
            "Linf": float(length_of(change, "Linf")),
            "inside ball and range": float(inside),
        }
        if last:
            facts[f"smallest {duel.norm} that flips"] = smallest
        return Frame(len(curve), POINTS, views, facts, waits=last)

    def _told(self, chances: torch.Tensor) -> str:
        best = int(chances.argmax())
        return f"{self._kept.name(best)} ({100 * float(chances[best]):.0f} %)"

    def _scores(self, before: torch.Tensor, after: torch.Tensor) -> Bars:
        names = tuple(self._kept.name(output) for output in range(len(before)))
        heights = {"before": before.numpy(), "after": after.numpy()}
        return Bars(names, heights, ylabel="chance")


def length_of(change: torch.Tensor, norm: str) -> torch.Tensor:
    """The length of the only change of a batch of one, `()`."""
    return length(change, norm)[0]


def _curve(duel: _Duel, curve: Mapping[float, Outcome], budget: float) -> Curve:
    """How sure the model is of the first class, and of the best other one, over the budget."""
    own = int(duel.y)
    chances = [one.chances for one in curve.values()]
    rest = [torch.cat([c[:own], c[own + 1 :]]).max().item() for c in chances]
    words = ("aimed at", "best other") if duel.targeted else ("true", "best other")
    lines = {words[0]: np.array([c[own].item() for c in chances]), words[1]: np.array(rest)}
    marks = {"chosen": budget} if budget <= TOPS[duel.norm] else {}
    return Curve(
        np.array(list(curve), dtype=np.float64),
        lines,
        xlabel=f"budget ({duel.norm})",
        ylabel="chance",
        marks=marks,
        dots=True,
    )


def _images(x: torch.Tensor, other: torch.Tensor | None, captions: tuple[str, ...]) -> Tiles:
    """One or two samples as pictures; a change (no other) in signed colours."""
    both = x if other is None else torch.cat([x, other])
    if both.ndim != 4:
        flat = both.reshape(len(both), 1, -1).numpy()
        return Tiles(flat, captions, scale="signed" if other is None else "grey")
    if both.shape[1] == 3 and other is not None:
        return Tiles(both.permute(0, 2, 3, 1).numpy(), captions)
    return Tiles(both.mean(1).numpy(), captions, scale="signed" if other is None else "grey")
