"""One model, one input, one attack: what every section of the arena shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import nn

from engine.attack.honesty import SLACK, Badge, as_stored, slope_badges
from engine.attack.table import attacks, fooled, inside, length
from engine.attack.watch import Step, recorded
from engine.explain import own
from engine.forms import Choice, Drawing, Slider, Text
from engine.models.inputs import Given, Samples
from engine.models.kept import Kept, load
from engine.models.unit import Box, box_of, boxed, unit
from engine.tables import Entry

BUDGETS = {
    "Linf": "epsilon",
    "L2": "length",
    "L1": "total",
    "L0": "pixels",
    "spatial": "degrees",
}
"""Norm -> the control that is its budget."""

TOPS = {"Linf": 0.4, "L2": 4.0, "L1": 60.0, "L0": 12.0, "spatial": 45.0}  # where curves end
ANY = "any other"
MOST_KEPT = 256
FAR = 1e6  # a budget that bounds nothing

Method = Annotated[str, Choice(tuple(attacks.all()), help="How to attack", live=True)]
Epsilon = Annotated[
    float, Slider(0.0, 0.5, live=True, help="Every number may change more (Linf attacks)")
]
Length = Annotated[float, Slider(0.0, 6.0, live=True, help="A longer change (L2 attacks)")]
Total = Annotated[float, Slider(0.0, 100.0, live=True, help="More change in all (L1 attacks)")]
Pixels = Annotated[int, Slider(0, 20, live=True, help="More pixels may change (L0 attacks)")]
Turn = Annotated[
    float, Slider(0.0, 90.0, live=True, unit="°", help="Turns and shifts further (spatial)")
]
Source = Annotated[
    str, Choice(("test sample", "drawing", "yours"), help="What to put in", live=True)
]
Sample = Annotated[
    int, Slider(0, 9999, live=True, when="source=test sample", help="Another test sample")
]
Drawn = Annotated[
    list[float], Drawing(28, 28, when="source=drawing", help="Draw with mouse or finger")
]
Yours = Annotated[str, Text(own.LONGEST, help="What you brought", live=True)]
Target = Annotated[str, Text(64, live=True, help="The class it shall be taken for, or: any other")]
Seed = Annotated[int, Slider(0, 999, live=True, help="Other random draws")]


@dataclass(frozen=True)
class Outcome:
    """What one attack came to.

    Attributes:
        x: The attacked sample in [0, 1], `(1, ...)`.
        scores: What the model says to it after it was stored with 8 bits a number, `(classes,)`.
        flipped: Whether that is what the attacker wished.
        size: Length of the change in the attack's norm; an angle's is not measured, NaN.
        path: The places on the way, the last one `x` as the attack gave it back.
    """

    x: torch.Tensor
    scores: torch.Tensor
    flipped: bool
    size: float
    path: tuple[Step, ...]


@dataclass(frozen=True)
class Duel:
    """One sample, one attack, one wish.

    Attributes:
        x: The sample in [0, 1], `(1, ...)`.
        given: Where it came from.
        entry: The attack.
        y: The class to be led away from, or to be taken for, `(1,)`.
        settings: The attack's own.
    """

    x: torch.Tensor
    given: Given
    entry: Entry
    y: torch.Tensor
    settings: Mapping[str, Any]

    @property
    def norm(self) -> str:
        """How the change is measured."""
        return str(self.entry.facts["norm"])

    @property
    def targeted(self) -> bool:
        """Whether `y` is to be said."""
        return bool(self.settings.get("targeted"))


class Arena:
    """A model, what lies in front of it, and the attacks made so far.

    Attributes:
        kept: The model as its run left it.
        module: Its network, taking inputs in [0, 1].
        samples: What can be put in front of it.
        box: From the units of the data to [0, 1].

    Args:
        folder: Of the kept model.

    Raises:
        LookupError: There is no model in the folder.
        ValueError: It is no classifier of numbers.
    """

    def __init__(self, folder: str) -> None:
        self.kept: Kept = load(folder)
        self.samples = Samples(self.kept)
        data = self.samples.data()
        if data is not None and (data.task != "classification" or data.train_y.ndim > 1):
            raise ValueError(f"an attack needs a classifier; {data.name} asks for something else")
        if data is not None and data.kind == "text":
            raise ValueError("words cannot be changed by a little: budgets mean nothing to a text")
        self.box: Box = unit(self.kept.shape) if data is None else box_of(data)
        self.module: nn.Module = boxed(self.kept.module, self.box).eval()
        self._made: dict[object, Outcome] = {}
        self._searched: dict[object, tuple[torch.Tensor, tuple[Step, ...]]] = {}

    def choose(self, controls: Mapping[str, Any]) -> tuple[Given, torch.Tensor]:
        """What is put in front of the model, and the same in [0, 1].

        Raises:
            ValueError: What the visitor brought does not fit the model.
        """
        if controls["source"] == "yours" and controls["yours"]:
            given = own.read(str(controls["yours"]), self.kept.shape)
        else:
            given = self.samples.choose(
                controls["source"], int(controls["sample"]), controls["drawing"]
            )
        return given, self.box.inward(given.x)

    def duel(self, controls: Mapping[str, Any]) -> Duel:
        """The attack that the controls ask for.

        Raises:
            ValueError: The attack cannot be aimed, there is no such class, or the input is wrong.
        """
        given, x = self.choose(controls)
        entry = attacks.find(controls["method"])
        settings: dict[str, Any] = {}
        if "seed" in entry.form.controls:
            settings["seed"] = controls["seed"]
        words = str(controls["target"]).strip()
        if words in ("", ANY):
            said = int(self.scores(x).argmax()) if given.label is None else given.label
            return Duel(x, given, entry, torch.tensor([said]), settings)
        if "targeted" not in entry.form.controls:
            raise ValueError(f"{entry.name}: cannot be aimed at a class; set target to: {ANY}")
        names = [self.kept.name(output) for output in range(len(self.scores(x)))]
        if words not in names and not (words.isdecimal() and int(words) < len(names)):
            raise ValueError(f"target must be: {ANY}, or one of {', '.join(names)}")
        aim = names.index(words) if words in names else int(words)
        return Duel(x, given, entry, torch.tensor([aim]), {**settings, "targeted": True})

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        """What the model says to one sample in [0, 1], `(classes,)`."""
        with torch.no_grad():
            scores: torch.Tensor = self.module(x)[0]
        return scores

    def known(self, duel: Duel, budget: float) -> bool:
        """Whether that attack has been made already."""
        return self._key(duel, budget) in self._made

    def attack(self, duel: Duel, budget: float) -> Outcome:
        """The outcome at one budget; kept for the next time."""
        asked = self._key(duel, budget)
        if asked not in self._made:
            found, path = self._found(duel, budget)
            stored = as_stored(found) if self.box.identity else found
            hit = bool(fooled(self.module, stored, duel.y, targeted=duel.targeted))
            size = math.nan
            if duel.norm != "spatial":
                size = float(length(found - duel.x, duel.norm))
            self._made[asked] = Outcome(found, self.scores(stored), hit, size, path)
            while len(self._made) > MOST_KEPT:
                del self._made[next(iter(self._made))]
        return self._made[asked]

    def _key(self, duel: Duel, budget: float) -> object:
        own_settings = tuple(sorted(duel.settings.items()))
        return duel.entry.name, budget, int(duel.y), own_settings, duel.x.numpy().tobytes()

    def _found(self, duel: Duel, budget: float) -> tuple[torch.Tensor, tuple[Step, ...]]:
        """The attacked sample and the way to it; a search for the least change runs once."""
        epsilon = int(budget) if duel.norm == "L0" else budget
        if not duel.entry.facts["minimal"]:
            with recorded(self.module) as path:
                found = duel.entry(self.module, duel.x, duel.y, epsilon=epsilon, **duel.settings)
            return found, tuple(path)
        asked = self._key(duel, math.inf)
        if asked not in self._searched:
            self._searched.clear()
            with recorded(self.module) as path:
                far = duel.entry.function(self.module, duel.x, duel.y, epsilon=FAR, **duel.settings)
            self._searched[asked] = far, tuple(path)
        far, steps = self._searched[asked]
        return inside(far, duel.x, budget, duel.norm), steps


def badges(arena: Arena, duel: Duel, outcome: Outcome, budget: float) -> tuple[Badge, ...]:
    """The checks of `engine.attack.honesty` that need no further attack."""
    x, found, norm = duel.x, outcome.x, duel.norm
    epsilon = 0 if norm == "L0" else 0.0
    still = duel.entry(arena.module, x, duel.y, epsilon=epsilon, **duel.settings)
    low, high = float(found.min()), float(found.max())
    raw = bool(fooled(arena.module, found, duel.y, targeted=duel.targeted))
    checks = [
        Badge("no budget, no change", torch.equal(still, x), "compared to the last bit"),
        Badge(
            "inside the valid range", low >= -SLACK and high <= 1 + SLACK, f"{low:g} to {high:g}"
        ),
        Badge("network in eval mode", not arena.module.training, "looked at before and after"),
    ]
    if norm != "spatial":
        holds = outcome.size <= budget + SLACK * max(1.0, budget)
        words = f"{norm} {outcome.size:.6g} of {budget:.6g}"
        checks.insert(1, Badge("inside the ball", holds, words))
    if arena.box.identity:
        kept = raw == outcome.flipped
        checks.append(Badge("the same when stored", kept, "8 bits a number"))
    return (*checks, *slope_badges(duel.entry, arena.module, x, duel.y))
