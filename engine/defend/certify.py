"""Prove how far an answer holds: bounds for a box of inputs, beside the best attack found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.pictures import bars, tiles, told
from engine.attack.steered import Steered, steered
from engine.attack.table import attacks
from engine.defend.bounds.crown import crown, margins
from engine.defend.bounds.interval import interval
from engine.defend.curves import accuracy
from engine.defend.subject import Subject, subject
from engine.explain.table import calm
from engine.forms import Slider
from engine.models.inputs import Samples
from engine.views import Curve, Frame, Note, View

POINTS = 11  # budgets on the curve
BATCH = 10  # samples bounded at a time


def certify(
    model: str,
    *,
    epsilon: Annotated[
        float, Slider(0.0, 0.3, live=True, help="Proves for a larger box, which is harder")
    ] = 0.02,
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another test sample")] = 0,
    judged: Annotated[
        int, Slider(10, 300, log=True, live=True, help="More validation samples, slower")
    ] = 50,
    furthest: Annotated[float, Slider(0.01, 0.5, live=True, help="The curve goes further")] = 0.1,
) -> Steered:
    """Bound the scores of a sample over its box, then prove as many samples as possible.

    Args:
        model: The folder of a trained model.
        epsilon: Half the width of the box around the sample (Linf).
        sample: Its number.
        judged: How many validation samples the curve is about.
        furthest: Where the curve ends.

    Yields:
        First the sample's bounds, then the curve point by point; the last frame waits.
    """
    desk = _Desk(subject(model))
    controls = {
        "epsilon": epsilon,
        "sample": sample,
        "judged": judged,
        "furthest": furthest,
    }
    yield from steered(desk.frames, controls)


class _Desk:
    def __init__(self, known: Subject) -> None:
        self._subject = known
        self._samples = Samples(known.kept)
        self._points: dict[tuple[float, int], tuple[float, float, float]] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """The sample's bounds, then frames whose curve grows; the last one waits."""
        given = self._samples.choose("test sample", controls["sample"], [])
        one, label = self._subject.box.inward(given.x), given.label
        views: dict[str, View] = {"curve": self._curve({}, controls)}
        try:
            with calm(self._subject.module):
                own, facts = self._one(one, label, float(controls["epsilon"]))
        except ValueError as error:
            views |= {"bounds": bars(self._subject.kept, self._scores(one), "score")}
            note = Note(str(error), title="What cannot be proved here", tone="warning")
            yield Frame(1, 1, {**views, "input": tiles(one), "notes": note}, {}, waits=True)
            return
        views |= own
        yield Frame(0, POINTS, views, facts)
        points: dict[float, tuple[float, float, float]] = {}
        for budget in np.linspace(0, controls["furthest"], POINTS):
            for done in self._point(float(budget), controls["judged"]):
                yield Frame(len(points), POINTS, views, {**facts, "proved samples": float(done)})
            points[float(budget)] = self._points[float(budget), controls["judged"]]
            views = {**views, "curve": self._curve(points, controls)}
            yield Frame(len(points), POINTS, views, facts, waits=len(points) == POINTS)

    def _one(
        self, x: torch.Tensor, label: int | None, epsilon: float
    ) -> tuple[dict[str, View], dict[str, float]]:
        """Bounds of one sample's scores, and whether they prove its answer."""
        module, kept = self._subject.module, self._subject.kept
        low, high = (x - epsilon).clamp(0, 1), (x + epsilon).clamp(0, 1)
        with torch.no_grad():
            scores = module(x)
            wide = interval(module, low, high)
        narrow, answer = crown(module, low, high), scores.argmax(1)
        lead = float(margins(module, low, high, answer).amin())
        interval_lead = float(_least_lead(*wide, answer))
        series = {
            "interval, lowest": wide[0][0],
            "CROWN, lowest": narrow[0][0],
            "score": scores[0],
            "CROWN, highest": narrow[1][0],
            "interval, highest": wide[1][0],
        }
        truth = "" if label is None else f", true class {kept.name(label)}"
        caption = told(kept, scores[0].softmax(0)) + truth
        proved = lead > 0
        note = Note(
            f"No input in this box of ε = {epsilon:g} changes the answer: **proved**."
            if proved
            else f"Not proved for ε = {epsilon:g}: the bounds of another class overlap. That does "
            "not mean that an attack exists.",
            tone="good" if proved else "plain",
        )
        views: dict[str, View] = {
            "bounds": bars(kept, series, "score", "what each score can be in the box"),
            "input": tiles(x, (caption,)),
            "notes": note,
        }
        facts = {"smallest lead proved (CROWN)": lead, "by intervals": interval_lead}
        return views, facts

    def _scores(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        with calm(self._subject.module), torch.no_grad():
            return {"score": self._subject.module(x)[0]}

    def _point(self, budget: float, judged: int) -> Iterator[int]:
        """Work out a point of the curve [%]; how many samples are done, now and then."""
        if (budget, judged) in self._points:
            return
        module = self._subject.module
        x, y = self._subject.valid(judged)
        proved = [0, 0]
        for some, wanted in zip(x.split(BATCH), y.split(BATCH), strict=True):
            low, high = (some - budget).clamp(0, 1), (some + budget).clamp(0, 1)
            with calm(module):
                wide = interval(module, low, high)
                lines = margins(module, low, high, wanted).amin(1)
            proved[0] += int((_least_lead(*wide, wanted) > 0).sum())
            proved[1] += int((lines > 0).sum())
            yield proved[1]
        held = accuracy(module, attacks.find("pgd")(module, x, y, epsilon=budget), y)
        self._points[budget, judged] = (
            100 * proved[0] / len(x),
            100 * proved[1] / len(x),
            100 * held,
        )

    def _curve(
        self, points: Mapping[float, tuple[float, float, float]], controls: Mapping[str, Any]
    ) -> Curve:
        names = ("proved by intervals", "proved by CROWN", "not broken by PGD")
        lines = {
            name: np.array([values[place] for values in points.values()])
            for place, name in enumerate(names)
        }
        chosen = float(controls["epsilon"])
        return Curve(
            np.array(list(points)),
            lines,
            xlabel="ε (Linf)",
            ylabel="right for certain [%]",
            marks={"chosen": chosen} if chosen <= controls["furthest"] else {},
            dots=True,
            title="the truth lies between the proofs and the attack",
        )


def _least_lead(low: torch.Tensor, high: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The smallest lead of class `y` that boxes of scores allow, `(batch,)`."""
    rivals = high.scatter(1, y[:, None], -torch.inf).amax(1)
    return low.gather(1, y[:, None])[:, 0] - rivals
