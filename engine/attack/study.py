"""Attack a trained model on one input, with a budget that can be turned live."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.arena import (
    ANY,
    BUDGETS,
    TOPS,
    Arena,
    Drawn,
    Duel,
    Epsilon,
    Length,
    Method,
    Outcome,
    Pixels,
    Sample,
    Seed,
    Source,
    Target,
    Total,
    Turn,
    Yours,
    badges,
)
from engine.attack.pictures import bars, tiles, told
from engine.attack.steered import Steered, steered
from engine.attack.table import length as length_of
from engine.attack.walk import THIRD, film, walk
from engine.forms import Choice
from engine.views import Bars, Curve, Frame, Note, Table, View

POINTS = 13  # budgets on the curve
MOST = 40  # numbers of a row that are shown
HALVINGS = 6  # steps in which the smallest budget that flips is narrowed down


def study(
    model: str,
    *,
    method: Method = "fgsm",
    epsilon: Epsilon = 0.1,
    length: Length = 1.5,
    total: Total = 15.0,
    pixels: Pixels = 1,
    degrees: Turn = 20.0,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    target: Target = ANY,
    third_direction: Annotated[
        str, Choice(THIRD, help="What else the plane shows", live=True)
    ] = THIRD[0],
    seed: Seed = 0,
) -> Steered:
    """Show the input, the change and what the model says to both; wait for a control.

    What these methods are for: to understand and harden one's own models.

    Args:
        model: The folder of a trained run.
        source: Whether a sample of the validation set is attacked, the drawing, or `yours`.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        method: The attack.
        epsilon: How much every number may change, for attacks measured by L-infinity.
        length: How long the change may be, for L2.
        total: How much it may be in all, for L1.
        pixels: How many pixels may change, for L0.
        degrees: How far a picture may be turned, for the spatial attack.
        target: Name or number of the class to be taken for, or `any other`.
        third_direction: Of the plane of inputs that is shown.
        seed: For attacks that draw random numbers.

    Yields:
        First the attack at the chosen budget, then the plane it walked over, then the curve over
        budgets point by point; the last frame waits.
    """
    desk = _Desk(Arena(model))
    controls = {
        "source": source,
        "sample": sample,
        "drawing": drawing,
        "yours": yours,
        "method": method,
        "epsilon": epsilon,
        "length": length,
        "total": total,
        "pixels": pixels,
        "degrees": degrees,
        "target": target,
        "third_direction": third_direction,
        "seed": seed,
    }
    yield from steered(desk.frames, controls)


class _Desk:
    """What is shown of an arena."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames whose curve grows; the last one waits."""
        arena = self._arena
        try:
            duel = arena.duel(controls)
            budget = float(controls[BUDGETS[duel.norm]])
            outcome = arena.attack(duel, budget)
        except (ValueError, LookupError, RuntimeError) as error:
            yield self._refused(controls, str(error))
            return
        views, facts = self._first(duel, outcome, budget)
        yield Frame(0, POINTS, views, facts)
        views["walk"] = walk(arena, duel, outcome, budget, str(controls["third_direction"]))
        curve: dict[float, Outcome] = {}
        yield Frame(0, POINTS, dict(views), facts)
        for place in np.linspace(0, TOPS[duel.norm], POINTS):
            at = round(place) if duel.norm == "L0" else float(place)
            fresh = not arena.known(duel, at)
            curve[at] = arena.attack(duel, at)
            views["curve"] = _curve(duel, curve, budget)
            if fresh:
                yield Frame(len(curve), POINTS, dict(views), facts)
        facts = {**facts, f"smallest {duel.norm} that flips": self._smallest(duel, curve)}
        yield Frame(POINTS, POINTS, dict(views), facts, waits=True)

    def _first(
        self, duel: Duel, outcome: Outcome, budget: float
    ) -> tuple[dict[str, View], dict[str, float]]:
        """What is there at once: pictures, answers, the way and the checks."""
        arena, x = self._arena, duel.x
        change = outcome.x - x
        before, after = arena.scores(x), outcome.scores
        pair = [told(arena.kept, scores.softmax(0)) for scores in (before, after)]
        checks = badges(arena, duel, outcome, budget)
        views: dict[str, View] = {
            **self._input(
                duel, outcome, (f"{duel.given.words}: {pair[0]}", f"attacked: {pair[1]}")
            ),
            "chances": bars(
                arena.kept, {"before": before.softmax(0), "after": after.softmax(0)}, "chance"
            ),
            "logits": bars(arena.kept, {"before": before, "after": after}, "score"),
            "walk": Note("The plane of inputs follows in a moment."),
            **({"film": film(arena, outcome)} if x.ndim == 4 else {}),
            "curve": Curve(np.zeros(0), {}, xlabel=f"budget ({duel.norm})", ylabel="chance"),
            "badges": Table(
                ("check", "holds", "measured"),
                tuple((one.name, "✓" if one.holds else "✗", one.measured) for one in checks),
                title="may this be believed?",
            ),
            "notes": self._words(outcome),
        }
        end = outcome.path[-1] if outcome.path else None
        facts = {
            "flipped": float(outcome.flipped),
            f"size of the change ({duel.norm})": outcome.size,
            "L2": float(length_of(change, "L2")),
            "Linf": float(length_of(change, "Linf")),
            "questions to the network": float(end.forwards if end else 0),
        }
        return views, facts

    def _input(self, duel: Duel, outcome: Outcome, words: tuple[str, str]) -> dict[str, View]:
        """The input before and after, and what was changed: pictures, or numbers as bars."""
        x, found = duel.x, outcome.x
        if x.ndim == 4:
            most = float((found - x).abs().max())
            caption = f"largest {most:.3g}, shown × {1 / most:.0f}" if most else "nothing"
            title = "the change, amplified"
            return {
                "images": tiles(torch.cat([x, found]), words),
                "change": tiles(found - x, (caption,), scale="signed", title=title),
            }
        before, after = (self._arena.box.outward(one).flatten()[:MOST] for one in (x, found))
        data = self._arena.samples.data()
        names = data.features if data is not None and data.features else ()
        labels = tuple(names[:MOST]) or tuple(str(number + 1) for number in range(len(before)))
        pair = {"before": before.numpy(), "after": after.numpy()}
        return {
            "images": Bars(labels, pair, ylabel="value", title="; ".join(words)),
            "change": Bars(labels, {"change": (after - before).numpy()}, ylabel="added"),
        }

    def _words(self, outcome: Outcome) -> Note:
        stored = " Judged on the picture as it is stored, with 8 bits a number."
        return Note(
            ("The answer flips." if outcome.flipped else "The answer holds.")
            + (stored if self._arena.box.identity else ""),
            tone="bad" if outcome.flipped else "good",
        )

    def _smallest(self, duel: Duel, curve: Mapping[float, Outcome]) -> float:
        """The smallest budget found that flips the answer, or NaN."""
        high = next((budget for budget, one in curve.items() if one.flipped), None)
        if high is None or high == 0:
            return math.nan if high is None else 0.0
        if duel.norm == "L0":
            return high
        low = max(budget for budget in curve if budget < high)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self._arena.attack(duel, middle).flipped:
                high = middle
            else:
                low = middle
        return high

    def _refused(self, controls: Mapping[str, Any], reason: str) -> Frame:
        arena = self._arena
        try:
            _, x = arena.choose(controls)
        except ValueError:
            _, x = arena.choose({**controls, "source": "test sample"})
        scores = arena.scores(x)
        views: dict[str, View] = {
            "images": tiles(x, (told(arena.kept, scores.softmax(0)),)),
            "chances": bars(arena.kept, {"before": scores.softmax(0)}, "chance"),
            "logits": bars(arena.kept, {"before": scores}, "score"),
            "notes": Note(reason, title="What does not fit", tone="warning"),
        }
        return Frame(1, 1, views, {}, waits=True)


def _curve(duel: Duel, curve: Mapping[float, Outcome], budget: float) -> Curve:
    """How sure the model is of the first class, and of the best other one, over the budget."""
    own = int(duel.y)
    chances = [one.scores.softmax(0) for one in curve.values()]
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
        title="over the budget",
    )
