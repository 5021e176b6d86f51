"""Smooth the network with noise: radii that hold with a stated confidence, for any network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.pictures import tiles
from engine.attack.steered import Steered, steered
from engine.attack.table import attacks
from engine.defend.curves import accuracy
from engine.defend.smoothing import ABSTAIN, Certificate, certify
from engine.defend.subject import Subject, subject
from engine.forms import Slider
from engine.models.inputs import Samples
from engine.views import Curve, Frame, Note, Table, View

POINTS = 25  # radii on the curve
COPIES = 6  # noisy pictures shown
BUDGETS = 7  # L2 attacks on the bare network


def smooth(
    model: str,
    *,
    sigma: Annotated[
        float, Slider(0.02, 1.0, live=True, help="Larger radii, more wrong answers")
    ] = 0.15,
    draws: Annotated[
        int, Slider(100, 10_000, log=True, live=True, help="Larger certain radii, slower")
    ] = 500,
    alpha: Annotated[float, Slider(0.0001, 0.1, log=True, live=True, help="Less certain")] = 0.001,
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another test sample")] = 0,
    judged: Annotated[
        int, Slider(10, 300, log=True, live=True, help="More validation samples, slower")
    ] = 60,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other noise")] = 0,
) -> Steered:
    """Certify a sample and then many, by counting answers under noise; wait for a control.

    Args:
        model: The folder of a trained model.
        sigma: Standard deviation of the noise, in parts of the range of a number.
        draws: Noisy copies that a chance is estimated from.
        alpha: How likely a certificate may be wrong.
        sample: The sample that is shown.
        judged: How many validation samples the curve is about.
        seed: Fixes the noise.

    Yields:
        First the sample, then the curve sample by sample; the last frame waits.
    """
    desk = _Desk(subject(model))
    controls = {
        "sigma": sigma,
        "draws": draws,
        "alpha": alpha,
        "sample": sample,
        "judged": judged,
        "seed": seed,
    }
    yield from steered(desk.frames, controls)


class _Desk:
    def __init__(self, known: Subject) -> None:
        self._subject = known
        self._samples = Samples(known.kept)
        self._known: dict[tuple[Any, ...], Certificate] = {}
        self._attacked: dict[int, tuple[list[float], list[float]]] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """The sample, then frames whose curve grows; the last one waits."""
        given = self._samples.choose("test sample", controls["sample"], [])
        one = self._subject.box.inward(given.x)
        shown = self._certify(one, controls)
        views: dict[str, View] = {
            "certified": _curve([], 0.0, ([], [])),
            "noise": self._noise(one, controls),
            "counts": _table(self._subject, shown),
            "notes": self._words(shown, controls),
        }
        facts = {"radius (L2)": shown.radius, "chance, at least": shown.chance}
        yield Frame(0, controls["judged"], views, facts)
        x, y = self._subject.valid(controls["judged"])
        broken = self._broken(x, y)
        certain: list[float] = []  # radius where the smoothed answer is right, else -1
        silent = 0
        for place in range(len(x)):
            found = self._certify(x[place : place + 1], controls)
            silent += found.answer == ABSTAIN
            certain.append(found.radius if found.answer == int(y[place]) else -1.0)
            told = {**facts, "abstains [%]": 100 * silent / len(certain)}
            views = {**views, "certified": _curve(certain, controls["sigma"], broken)}
            last = len(certain) == len(x)
            yield Frame(len(certain), len(x), views, told, waits=last)

    def _certify(self, x: torch.Tensor, controls: Mapping[str, Any]) -> Certificate:
        own = tuple(controls[name] for name in ("sigma", "draws", "alpha", "seed"))
        asked = (x.numpy().tobytes(), *own)
        if asked not in self._known:
            if len(self._known) > 2000:
                self._known.clear()
            self._known[asked] = certify(
                self._subject.module,
                x,
                sigma=controls["sigma"],
                draws=controls["draws"],
                alpha=controls["alpha"],
                generator=torch.Generator().manual_seed(controls["seed"]),
            )
        return self._known[asked]

    def _broken(self, x: torch.Tensor, y: torch.Tensor) -> tuple[list[float], list[float]]:
        """Accuracy of the bare network under L2 attacks, over their length [%]."""
        if len(x) not in self._attacked:
            budgets = np.linspace(0, 1.5, BUDGETS).tolist()
            module, pgd = self._subject.module, attacks.find("pgd_l2")
            held = [100 * accuracy(module, pgd(module, x, y, epsilon=b), y) for b in budgets]
            self._attacked[len(x)] = budgets, held
        return self._attacked[len(x)]

    def _noise(self, one: torch.Tensor, controls: Mapping[str, Any]) -> View:
        generator = torch.Generator().manual_seed(controls["seed"])
        copies = one + controls["sigma"] * torch.randn(
            (COPIES, *one.shape[1:]), generator=generator
        )
        return tiles(copies.clamp(0, 1), across=COPIES, title="the sample as the network sees it")

    def _words(self, found: Certificate, controls: Mapping[str, Any]) -> Note:
        if found.answer == ABSTAIN:
            return Note(
                "**It abstains**: the chance of the likeliest class may be below one half.",
                tone="warning",
            )
        name = self._subject.kept.name(found.answer)
        return Note(
            f"**{name}**, said {found.votes:,} times in {found.draws:,}. With confidence "
            f"{100 * (1 - controls['alpha']):g} % its chance is above {found.chance:.4f}, so no "
            f"change shorter than σ Φ⁻¹({found.chance:.4f}) = **{found.radius:.3f}** (L2) moves "
            "the smoothed answer.",
            tone="good",
        )


def _curve(certain: list[float], sigma: float, broken: tuple[list[float], list[float]]) -> Curve:
    """Part that is right and certain at least so far, beside the bare network under attack."""
    radii = np.linspace(0, max(1.5, 4 * sigma), POINTS)
    lines = {}
    if certain:
        own = np.array(certain)
        lines["smoothed, certain"] = np.array([100 * float((own >= r).mean()) for r in radii])
    if broken[0]:
        held = np.interp(radii, broken[0], broken[1], right=np.nan)
        lines["bare, under PGD"] = held
    return Curve(
        radii,
        lines,
        xlabel="length of the change (L2)",
        ylabel="right [%]",
        title="certified accuracy beside the attacked one",
    )


def _table(known: Subject, found: Certificate) -> Table:
    answer = "abstains" if found.answer == ABSTAIN else known.kept.name(found.answer)
    row = (answer, found.votes, found.draws, found.chance, found.radius)
    return Table(
        ("answer", "votes", "copies", "chance, at least", "radius (L2)"), (row,), title="the vote"
    )
