"""A race of attacks: how many samples each has fooled, by questions asked and by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch

from engine.attack.arena import TOPS
from engine.attack.honesty import Badge, sheet, verify
from engine.attack.steered import Steered
from engine.attack.table import attacks, fooled, length
from engine.attack.watch import recorded
from engine.defend.subject import subject
from engine.explain.table import calm
from engine.forms import Slider, Text
from engine.tables import Entry
from engine.views import Array, Bars, Curve, Frame, Note, Table, View

LOOKED = 60  # places on an attack's way at which it is judged
POINTS = 80  # places on the axes


@dataclass(frozen=True)
class Lap:
    """How one attack went.

    Attributes:
        name: Of the attack.
        norm: How it measures changes.
        asked: Questions to the network a sample, answers and gradients, at the places looked at.
        seconds: Time by then [s].
        fooled: Part of the samples that had been fooled by then, at any place before [%].
        size: Mean length of the changes at the end.
        gradients: Whether it needs gradients.
        badges: Whether its result may be believed.
    """

    name: str
    norm: str
    asked: Array
    seconds: Array
    fooled: Array
    size: float
    gradients: bool
    badges: tuple[Badge, ...]


def race(
    model: str,
    *,
    methods: Annotated[str, Text(400, help="Attacks, with commas between")] = (
        "fgsm, pgd, apgd_ce, square, boundary"
    ),
    epsilon: Annotated[
        float, Slider(0.0, 0.5, help="A larger budget; other norms take a like part of theirs")
    ] = 0.15,
    judged: Annotated[int, Slider(5, 200, log=True, help="More samples, slower")] = 24,
) -> Steered:
    """Let attacks run on the same samples and record when each sample falls.

    Args:
        model: The folder of a trained model.
        methods: Names of attacks.
        epsilon: The budget in L-infinity; attacks of other norms take as large a part of their
            usual range, so compare sizes only within a norm.
        judged: How many validation samples they run on.

    Yields:
        A frame after each attack.

    Raises:
        LookupError: There is no such attack.
        ValueError: The model came without data, or is no classifier.
    """
    known = subject(model)
    entries = [attacks.find(word.strip()) for word in methods.split(",") if word.strip()]
    x, y = known.valid(4 * judged)
    right = ~fooled(known.module, x, y)
    x, y = x[right][:judged], y[right][:judged]
    laps: list[Lap] = []
    if not len(x):
        raise ValueError("race: the model answers no sample right, so none can be turned")
    for entry in entries:
        laps.append(_lap(entry, known.module, x, y, epsilon))
        yield Frame(len(laps), len(entries), _views(laps, len(x)), _facts(laps))


def _lap(
    entry: Entry, module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float
) -> Lap:
    norm = str(entry.facts["norm"])
    budget = epsilon / TOPS["Linf"] * TOPS[norm]
    with recorded(module) as path:
        epsilon = max(1, round(budget)) if norm == "L0" else budget
        found = entry(module, x, y, epsilon=epsilon)
    places = np.unique(np.linspace(0, len(path) - 1, LOOKED).round().astype(int))
    steps = [path[place] for place in places]
    # searches for the least change stand outside the ball on their way: only the end counts
    inside = [
        torch.ones(len(x), dtype=torch.bool)
        if norm == "spatial"
        else length(step.x - x, norm) <= budget * (1 + 1e-4) + 1e-6
        for step in steps
    ]
    with calm(module):
        hits = [fooled(module, one.x, y) & ok for one, ok in zip(steps, inside, strict=True)]
        hits.append(fooled(module, found, y))
    ever = torch.stack(hits).cummax(0).values.double().mean(1)
    asked = [(step.forwards + step.backwards) / len(x) for step in steps]
    seconds = [step.seconds for step in steps]
    size = float("nan") if norm == "spatial" else float(length(found - x, norm).mean())
    return Lap(
        entry.name,
        norm,
        np.array([*asked, asked[-1]]),
        np.array([*seconds, seconds[-1]]),
        100 * ever.numpy(),
        size,
        bool(entry.facts["gradients"]),
        verify(entry, module, x, y, found, epsilon),
    )


def _views(laps: Sequence[Lap], count: int) -> dict[str, View]:
    most = max(float(lap.asked[-1]) for lap in laps)
    slowest = max(float(lap.seconds[-1]) for lap in laps)
    asked = np.geomspace(1, max(2.0, most), POINTS)
    seconds = np.geomspace(1e-4, max(1e-3, slowest), POINTS)
    names = tuple(lap.name for lap in laps)
    rows = tuple(
        (
            lap.name,
            float(lap.fooled[-1]),
            float(lap.asked[-1]),
            1000 * float(lap.seconds[-1]) / count,
            lap.norm,
            lap.size,
            "yes" if lap.gradients else "no",
        )
        for lap in laps
    )
    return {
        "queries": Curve(
            asked,
            {lap.name: _by(asked, lap.asked, lap.fooled) for lap in laps},
            xlabel="questions a sample (answers and gradients)",
            ylabel="fooled [%]",
            logx=True,
            title="who needs how many questions",
        ),
        "time": Curve(
            seconds,
            {lap.name: _by(seconds, lap.seconds, lap.fooled) for lap in laps},
            xlabel="time for all samples [s]",
            ylabel="fooled [%]",
            logx=True,
            title="who is how fast",
        ),
        "end": Bars(
            names,
            {"fooled": np.array([float(lap.fooled[-1]) for lap in laps])},
            ylabel="fooled [%]",
            title="in the end",
        ),
        "table": Table(
            (
                "attack",
                "fooled [%]",
                "questions a sample",
                "time a sample [ms]",
                "norm",
                "mean size",
                "gradients",
            ),
            rows,
            title="what each took",
        ),
        "badges": sheet([(lap.name, badge) for lap in laps for badge in lap.badges]),
        "notes": Note(
            f"All run on the same {count} samples that the model answers right. A question is an "
            "answer or a gradient of the network for one sample."
        ),
    }


def _by(axis: Array, at: Array, values: Array) -> Array:
    """The value reached by each place of the axis: the last one at or before it, else 0."""
    place = np.searchsorted(at, axis * (1 + 1e-9), side="right") - 1
    reached = np.where(place >= 0, values[place.clip(0)], 0.0)
    return np.where(axis > at[-1] * 1.05, values[-1], reached)


def _facts(laps: Sequence[Lap]) -> Mapping[str, float]:
    return {
        "attacks done": float(len(laps)),
        "fooled at most [%]": max(float(lap.fooled[-1]) for lap in laps),
    }
