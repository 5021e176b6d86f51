"""Tell attacked inputs from clean ones by statistics, and see which attacks slip through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.honesty import Badge, sheet, verify
from engine.attack.pictures import tiles
from engine.attack.privacy.detection import auc, roc
from engine.attack.steered import Steered, steered
from engine.attack.table import attacks, fooled
from engine.defend.subject import Subject, subject
from engine.defend.table import detectors
from engine.explain.table import calm
from engine.forms import Choice, Slider
from engine.views import Bars, Curve, Frame, Histogram, Note, Table, View

FITTED = 2000  # training samples that detectors see
ALARMS = 0.05  # part of clean samples that may be reported wrongly
BINS = 24
SHOWN = 6
_WORDS = Note(
    "Only samples that were right before and are wrong now count as attacked. A detector is no "
    "wall: an attacker who knows it can add its score to the loss (Carlini & Wagner, 2017)."
)

Detector = Annotated[str, Choice(tuple(detectors.all()), help="Whose scores are shown", live=True)]
Method = Annotated[str, Choice(tuple(attacks.all()), help="What is to be detected", live=True)]


def detect(
    model: str,
    *,
    method: Method = "pgd",
    budget: Annotated[
        float, Slider(0.0, 3.0, live=True, help="A larger change, in the attack's own norm")
    ] = 0.15,
    detector: Detector = "density",
    judged: Annotated[
        int, Slider(20, 1000, log=True, live=True, help="More validation samples")
    ] = 150,
) -> Steered:
    """Attack validation samples and let every detector judge them; wait for a control.

    Args:
        model: The folder of a trained model.
        method: The attack; only samples that it fools are counted.
        budget: Its budget, in its own norm.
        detector: Whose scores are drawn.
        judged: How many validation samples are attacked.

    Yields:
        A frame after each detector; the last one waits.
    """
    desk = _Desk(subject(model))
    controls = {
        "method": method,
        "budget": budget,
        "detector": detector,
        "judged": judged,
    }
    yield from steered(desk.frames, controls)


class _Desk:
    def __init__(self, known: Subject) -> None:
        self._subject = known
        x, y = known.train(FITTED)
        self._checks: list[tuple[str, Badge]] = []
        self._fitted = {name: entry(known.module, x, y) for name, entry in detectors.all().items()}
        self._made: dict[tuple[Any, ...], tuple[torch.Tensor, torch.Tensor]] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames with one detector more each; the last one waits."""
        clean, attacked = self._samples(controls)
        if not len(attacked):
            words = "This attack fools the model on no sample: give it a larger budget."
            yield self._frame(clean, attacked, {}, controls, Note(words, tone="warning"), True)
            return
        scores: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        for name, suspicion in self._fitted.items():
            scores[name] = suspicion(clean).double(), suspicion(attacked).double()
            last = len(scores) == len(self._fitted)
            yield self._frame(clean, attacked, scores, controls, _WORDS, last)

    def _samples(self, controls: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Clean samples that are answered right, and those of them that the attack turned."""
        asked = controls["method"], controls["budget"], controls["judged"]
        if asked not in self._made:
            module = self._subject.module
            x, y = self._subject.valid(controls["judged"])
            right = ~fooled(module, x, y)
            x, y = x[right], y[right]
            entry = attacks.find(controls["method"])
            budget = controls["budget"]
            epsilon = max(1, round(budget)) if entry.facts["norm"] == "L0" else budget
            found = entry(module, x, y, epsilon=epsilon) if len(x) else x
            told = verify(entry, module, x, y, found, epsilon) if len(x) else ()
            self._checks = [(entry.name, badge) for badge in told]
            with calm(module):
                self._made = {asked: (x, found[fooled(module, found, y)] if len(x) else x)}
        return self._made[asked]

    def _frame(
        self,
        clean: torch.Tensor,
        attacked: torch.Tensor,
        scores: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
        controls: Mapping[str, Any],
        note: Note,
        last: bool,
    ) -> Frame:
        areas = {name: _area(*pair) for name, pair in scores.items()}
        views: dict[str, View] = {
            "roc": _roc(scores),
            "scores": _histogram(scores.get(controls["detector"]), controls["detector"]),
            "areas": Bars(
                tuple(areas),
                {"AUC": np.array(list(areas.values()))},
                ylabel="area under the curve",
                level={"chance": 0.5},
                title="attacked above clean",
            ),
            "found": _table(scores, areas),
            "badges": sheet(self._checks),
            "pictures": self._pictures(attacked, scores.get(controls["detector"])),
            "notes": note,
        }
        facts = {"clean samples": float(len(clean)), "attacked samples": float(len(attacked))}
        if controls["detector"] in areas:
            facts[f"AUC of {controls['detector']}"] = areas[controls["detector"]]
        return Frame(len(scores), len(self._fitted), views, facts, waits=last)

    def _pictures(
        self, attacked: torch.Tensor, pair: tuple[torch.Tensor, torch.Tensor] | None
    ) -> View:
        """The attacked samples that the detector suspects least and most."""
        if pair is None:
            return tiles(attacked[:0])
        order = pair[1].argsort()
        count = min(SHOWN, len(order) // 2)
        chosen = torch.cat([order[:count], order[len(order) - count :]])
        words = ["least suspected"] * count + ["most suspected"] * count
        return tiles(attacked[chosen], words, across=max(1, count), title="attacked samples")


def _roc(scores: Mapping[str, tuple[torch.Tensor, torch.Tensor]]) -> Curve:
    """All detectors over one axis of false alarms."""
    at = np.linspace(0, 1, 101)
    lines = {}
    for name, pair in scores.items():
        clean, attacked = (one.numpy() for one in pair)
        wrong, found = roc(attacked, clean)
        lines[name] = 100 * np.interp(at, wrong, found)
    return Curve(
        100 * at,
        {**lines, "chance": 100 * at},
        xlabel="clean samples reported [%]",
        ylabel="attacked samples found [%]",
        title="receiver operating characteristic",
    )


def _histogram(pair: tuple[torch.Tensor, torch.Tensor] | None, name: str) -> Histogram:
    if pair is None:
        return Histogram(np.linspace(0, 1, 2), {"clean": np.zeros(1), "attacked": np.zeros(1)})
    both = torch.cat(pair)
    both = both[both.isfinite()]
    low, high = float(both.min()), float(both.quantile(0.98))
    edges = np.linspace(low, max(high, low + 1e-9), BINS + 1)
    counts = {
        words: np.histogram(one.clamp(low, edges[-1]).numpy(), edges)[0] / len(one) * 100
        for words, one in zip(("clean", "attacked"), pair, strict=True)
    }
    return Histogram(
        edges, counts, xlabel=f"suspicion of {name}", ylabel="samples [%]", title="how suspicious"
    )


def _table(
    scores: Mapping[str, tuple[torch.Tensor, torch.Tensor]], areas: Mapping[str, float]
) -> Table:
    rows = []
    for name, (clean, attacked) in scores.items():
        limit = clean.quantile(1 - ALARMS)
        rows.append((name, areas[name], 100 * float((attacked > limit).double().mean())))
    return Table(
        ("detector", "AUC", f"found at {100 * ALARMS:.0f} % false alarms [%]"), tuple(rows)
    )


def _area(clean: torch.Tensor, attacked: torch.Tensor) -> float:
    """The chance that an attacked sample is more suspicious than a clean one."""
    return auc(attacked.numpy(), clean.numpy())
