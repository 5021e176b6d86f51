"""Prove how far an answer holds: bounds for a box of inputs, beside the best attack found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.pictures import bars, tiles, told
from engine.attack.steered import Steered, steered
from engine.attack.table import attacks
from engine.defend.bounds.crown import crown_and_margins, margins
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


@dataclass(frozen=True)
class _Point:
    """One budget: parts of the samples [%], and which CROWN proved, `(n,)`."""

    intervals: float
    crown: float
    held: float
    left: torch.Tensor


class _Desk:
    def __init__(self, known: Subject) -> None:
        self._subject = known
        self._samples = Samples(known.kept)
        self._points: dict[tuple[float, int, float], _Point] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """The sample's bounds, then frames whose curve grows; the last one waits."""
        given = self._samples.choose("test sample", controls["sample"], [])
        one, label = self._subject.box.inward(given.x), given.label
        kept, score = self._subject.kept, self._scores(one)
        views: dict[str, View] = {
            "curve": self._curve({}, controls),
            "bounds": bars(kept, score, "score", "what each score can be in the box"),
            "input": tiles(one, (told(kept, score["score"].softmax(0)),)),
            "notes": Note(
                "The bounds of this sample are worked out; larger networks take seconds."
            ),
        }
        yield Frame(0, POINTS, views, {})
        try:
            with calm(self._subject.module):
                own, facts = self._one(one, label, float(controls["epsilon"]))
        except ValueError as error:
            note = Note(str(error), title="What cannot be proved here", tone="warning")
            yield Frame(1, 1, {**views, "notes": note}, {}, waits=True)
            return
        views = {**views, **own}
        yield Frame(0, POINTS, views, facts)
        points: dict[float, _Point] = {}
        judged, furthest = int(controls["judged"]), float(controls["furthest"])
        left = torch.ones(judged, dtype=torch.bool)
        for budget in np.linspace(0, furthest, POINTS).tolist():
            key = (budget, judged, furthest)
            for done in self._point(key, left):
                yield Frame(len(points), POINTS, views, {**facts, "proved samples": float(done)})
            points[budget] = self._points[key]
            left = points[budget].left
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
        answer = scores.argmax(1)
        narrow, leads = crown_and_margins(module, low, high, answer)
        lead = float(leads.amin())
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

    def _point(self, key: tuple[float, int, float], left: torch.Tensor) -> Iterator[int]:
        """Work out a point of the curve; how many samples are proved, now and then.

        Only what was proved for a smaller box is tried: a larger one holds the smaller.
        """
        if key in self._points:
            return
        budget, judged, _ = key
        module = self._subject.module
        x, y = self._subject.valid(judged)
        wide, lines = torch.zeros(len(x), dtype=torch.bool), torch.zeros(len(x), dtype=torch.bool)
        for some in left[: len(x)].nonzero()[:, 0].split(BATCH):
            if not len(some):  # nothing is left that a larger box could prove
                break
            low, high = (x[some] - budget).clamp(0, 1), (x[some] + budget).clamp(0, 1)
            with calm(module):
                wide[some] = _least_lead(*interval(module, low, high), y[some]) > 0
                lines[some] = margins(module, low, high, y[some]).amin(1) > 0
            yield int(lines.sum())
        held = accuracy(module, attacks.find("pgd")(module, x, y, epsilon=budget), y)
        parts = [100 * float(one.double().mean()) for one in (wide, lines)]
        self._points[key] = _Point(parts[0], parts[1], 100 * held, lines)

    def _curve(self, points: Mapping[float, _Point], controls: Mapping[str, Any]) -> Curve:
        lines = {
            "proved by intervals": np.array([one.intervals for one in points.values()]),
            "proved by CROWN": np.array([one.crown for one in points.values()]),
            "not broken by PGD": np.array([one.held for one in points.values()]),
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
