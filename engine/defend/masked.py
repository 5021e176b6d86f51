"""Defences that only hide the gradient, and what an attack leaves that knows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn

from engine.attack.pictures import tiles, told
from engine.attack.steered import Steered, steered
from engine.attack.table import attacks, uphill
from engine.defend.curves import accuracy
from engine.defend.shield import Loud, Shield
from engine.defend.subject import Subject, subject
from engine.defend.table import filters
from engine.explain.table import calm
from engine.forms import Choice, Slider
from engine.models.inputs import Samples
from engine.views import Bars, Frame, Note, Table, View

LOUD = "loud_scores"
FACTOR = 1000.0  # by which loud scores are larger

Filter = Annotated[
    str, Choice((*filters.all(), LOUD), help="What stands before the network", live=True)
]


def masked(
    model: str,
    *,
    filter: Filter = "bit_depth",  # noqa: A002 - what a visitor calls it
    epsilon: Annotated[
        float, Slider(0.0, 0.5, live=True, help="Every number may change more")
    ] = 0.15,
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another test sample")] = 0,
    bits: Annotated[
        int, Slider(1, 8, live=True, when="filter=bit_depth", help="More grey levels")
    ] = 2,
    side: Annotated[
        int, Slider(1, 5, live=True, when="filter=median", help="A larger neighbourhood")
    ] = 2,
    quality: Annotated[int, Slider(5, 95, live=True, when="filter=jpeg", help="Finer steps")] = 30,
    smallest: Annotated[
        float, Slider(0.4, 1.0, live=True, when="filter=resize_pad", help="Shrinks less")
    ] = 0.85,
    sigma: Annotated[
        float, Slider(0.0, 0.5, live=True, when="filter=noise", help="More of it")
    ] = 0.1,
    judged: Annotated[
        int, Slider(20, 500, log=True, live=True, help="More validation samples")
    ] = 60,
) -> Steered:
    """Put a filter before the network and attack it three ways; wait for a control.

    Args:
        model: The folder of a trained model.
        filter: The filter; `loud_scores` multiplies the scores instead, so that softmax is full.
        epsilon: The budget of all attacks (Linf).
        sample: The sample that is shown.
        bits: Of the filter `bit_depth`.
        side: Of the filter `median`.
        quality: Of the filter `jpeg`.
        smallest: Of the filter `resize_pad`.
        sigma: Of the filter `noise`.
        judged: On how many validation samples.

    Yields:
        A frame after each attack; the last one waits.
    """
    desk = _Desk(subject(model))
    controls = {
        "filter": filter,
        "epsilon": epsilon,
        "sample": sample,
        "bits": bits,
        "side": side,
        "quality": quality,
        "smallest": smallest,
        "sigma": sigma,
        "judged": judged,
    }
    yield from steered(desk.frames, controls)


@dataclass(frozen=True)
class Trial:
    """How an attack fares.

    Attributes:
        words: What it does.
        bare: Part that the bare network still answers right [%].
        behind: Part that the network behind the filter does [%].
    """

    words: str
    bare: float
    behind: float


class _Desk:
    def __init__(self, known: Subject) -> None:
        self._subject = known
        self._samples = Samples(known.kept)

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames with one attack more each; the last one waits."""
        given = self._samples.choose("test sample", controls["sample"], [])
        one = self._subject.box.inward(given.x)
        try:
            shield = self._shield(controls)
            shield(one)
        except ValueError as error:
            yield self._refused(one, str(error))
            return
        x, y = self._subject.valid(controls["judged"])
        trials: list[Trial] = []
        plan = list(self._attacks(shield, controls))
        for words, attacked, name in plan:
            found = attacks.find(name)(attacked, x, y, epsilon=controls["epsilon"]) if name else x
            bare, behind = (100 * accuracy(m, found, y) for m in (self._subject.module, shield))
            trials.append(Trial(words, bare, behind))
            last = len(trials) == len(plan)
            yield self._frame(shield, one, trials, len(plan), last=last)

    def _shield(self, controls: Mapping[str, Any]) -> nn.Module:
        if controls["filter"] == LOUD:
            return Loud(self._subject.module, FACTOR)
        entry = filters.find(controls["filter"])
        own = {name: controls[name] for name in entry.form.controls}
        return Shield(self._subject.module, entry, own)

    def _refused(self, one: torch.Tensor, reason: str) -> Frame:
        views: dict[str, View] = {
            "accuracy": Bars((), {}, ylabel="still right [%]"),
            "pictures": tiles(one, ("input",)),
            "trials": Table(("attack", "bare network [%]", "behind the filter [%]"), ()),
            "notes": Note(reason, tone="warning"),
        }
        return Frame(1, 1, views, {}, waits=True)

    def _attacks(
        self, shield: nn.Module, controls: Mapping[str, Any]
    ) -> Iterator[tuple[str, nn.Module, str]]:
        """What is tried: words, the module whose gradients are taken, the attack."""
        yield "no attack", shield, ""
        yield "PGD as if it were a plain network", shield, "pgd"
        yield "PGD on the bare network, carried over", self._subject.module, "pgd"
        if isinstance(shield, Shield):
            chance = bool(filters.find(controls["filter"]).facts["random"])
            yield (
                "PGD through it " + ("(EOT)" if chance else "(BPDA)"),
                shield,
                ("eot" if chance else "bpda"),
            )
        else:
            yield "APGD on the ratio of scores (DLR)", shield, "apgd_dlr"
        yield "Square, without gradients", shield, "square"

    def _frame(
        self,
        shield: nn.Module,
        one: torch.Tensor,
        trials: list[Trial],
        of: int,
        *,
        last: bool,
    ) -> Frame:
        names = tuple(trial.words for trial in trials)
        series = {
            "bare network": np.array([trial.bare for trial in trials]),
            "behind the filter": np.array([trial.behind for trial in trials]),
        }
        flat = self._flat(shield)
        rows = tuple((trial.words, trial.bare, trial.behind) for trial in trials)
        views: dict[str, View] = {
            "accuracy": Bars(
                _short(names), series, ylabel="still right [%]", title="what each attack leaves"
            ),
            "pictures": self._pictures(shield, one),
            "trials": Table(
                ("attack", "bare network [%]", "behind the filter [%]"),
                rows,
                title="the same inputs, shown to both",
            ),
            "notes": _verdict(trials, flat),
        }
        facts = {"gradient exactly zero [%]": flat}
        if len(trials) > 1:
            facts["right under plain PGD [%]"] = trials[1].behind
            facts["right under the worst attack [%]"] = min(t.behind for t in trials[1:])
        return Frame(len(trials), of, views, facts, waits=last)

    def _flat(self, shield: nn.Module) -> float:
        """Part of samples whose loss has no gradient at all [%]: the mark of a hidden gradient."""
        x, y = self._subject.valid(64)
        try:
            with calm(shield):
                slope = uphill(shield, x, y)
        except RuntimeError:  # nothing in it has a gradient
            return 100.0
        return 100 * float((slope.flatten(1).abs().amax(1) == 0).float().mean())

    def _pictures(self, shield: nn.Module, one: torch.Tensor) -> View:
        seen = shield.filter(one) if isinstance(shield, Shield) else one
        kept, module = self._subject.kept, self._subject.module
        with calm(module), torch.no_grad():
            said = [told(kept, module(x)[0].softmax(0)) for x in (one, seen)]
        return tiles(torch.cat([one, seen]), (f"input: {said[0]}", f"filtered: {said[1]}"))


def _short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Words that fit under bars."""
    short = ("clean", "plain PGD", "carried over", "adaptive", "Square")
    return short[: len(names)]


def _verdict(trials: list[Trial], flat: float) -> Note:
    if len(trials) < 4:
        return Note("Attacking; each bar is one attack on the same samples.")
    naive, worst = trials[1].behind, min(trial.behind for trial in trials[2:])
    if naive - worst > 10:
        return Note(
            f"**The gradient was hidden, not the weakness.** Plain PGD leaves {naive:.0f} % right; "
            f"an attack that knows the filter leaves {worst:.0f} %. The loss of {flat:.0f} % of "
            "samples has no gradient at all.",
            tone="bad",
        )
    return Note(
        f"Here plain PGD sees through it already: {naive:.0f} % right, and the worst attack "
        f"leaves {min(naive, worst):.0f} %. Compare with the bare network before you call it a "
        "defence.",
        tone="warning",
    )
