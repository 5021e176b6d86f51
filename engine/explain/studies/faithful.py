"""Can the maps be trusted? Every check that takes its time, method by method."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.explain import pictures
from engine.explain.desk import (
    Case,
    Desk,
    Drawn,
    Patience,
    Sample,
    Seed,
    Source,
    Steered,
    Target,
    Yours,
    refused,
    steered,
)
from engine.explain.faithful import area, deletion, infidelity, ranking, road, sensitivity
from engine.explain.randomised import RANDOM, Stage, cascade, stages
from engine.explain.study import Layer, Methods
from engine.explain.table import compares, explainers
from engine.explain.watched import watched
from engine.views import Array, Curve, Frame, Table, View

PORTIONS = 10  # the sample is taken away in
SENSITIVE = 8  # moves of the input that are tried
CHANCE = 0.3  # a randomisation score below it says that the map needs what was learned


def study(
    model: str,
    *,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    methods: Methods = "gradcam, integrated_gradients, guided_backprop",
    target: Target = "predicted",
    layer: Layer = "",
    seed: Seed = 0,
    patience: Patience = 20.0,
) -> Steered:
    """Judge each method's map by five checks; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        source: A sample of the validation set, the drawing, or what the visitor brought.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        methods: Names of explainers, separated by commas.
        target: Name or number of the output to explain.
        layer: The layer that the methods of a layer look at.
        seed: Of everything that is drawn.
        patience: Checks of a method that would take longer are not begun [s].

    Yields:
        A frame after every check; the last one waits.
    """
    desk = Desk(model)
    controls = {
        "source": source, "sample": sample, "drawing": drawing, "yours": yours,
        "methods": methods, "target": target, "layer": layer, "seed": seed, "patience": patience,
    }  # fmt: skip
    yield from steered(lambda now: _frames(desk, now), controls)


@dataclass(frozen=True)
class _Verdict:
    """What the checks say of one method."""

    name: str
    map: torch.Tensor | None = None
    curves: Mapping[str, Array] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    remark: str = "waits for its turn"


def _frames(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    try:
        case = desk.case(controls)
        names = [name.strip() for name in str(controls["methods"]).split(",") if name.strip()]
        verdicts = {name: _Verdict(name) for name in dict.fromkeys(names[:8])}
        for name in verdicts:
            explainers.find(name)
    except (ValueError, LookupError) as error:
        yield refused(error)
        return
    settings = {"layer": controls["layer"], "seed": controls["seed"]}
    yield _frame(desk, case, verdicts)
    for name in verdicts:
        try:
            for now in _judged(desk, case, name, settings, float(controls["patience"])):
                verdicts[name] = now
                yield _frame(desk, case, verdicts)
        except (ValueError, LookupError, RuntimeError) as error:
            verdicts[name] = _Verdict(name, remark=str(error))
    yield _frame(desk, case, verdicts, last=True)


def _judged(
    desk: Desk, case: Case, name: str, settings: Mapping[str, Any], patience: float
) -> Iterator[_Verdict]:
    """The verdict on one method while it grows."""
    plan = desk.estimate(name, case, settings)
    now = _Verdict(name, remark=f"about {plan.seconds:.1f} s a map")
    yield now
    found = yield from _quietly(desk.explain(name, case, settings), now)
    now = replace(now, map=found.map, remark="taking parts away")
    yield now
    now = _by_taking_away(desk, case, now, found.map, int(settings["seed"]))
    maps = SENSITIVE + 1 + RANDOM * (1 + len(stages(case.module)))  # that are still to be made
    if maps * plan.seconds > patience:
        words = f"the rest would take {maps * plan.seconds:.0f} s; turn patience up"
        yield replace(now, remark=words)
        return
    yield replace(now, remark="moving the input a little")
    moved = yield from _quietly(
        watched(
            lambda progress: sensitivity(
                lambda x: _map(desk, case, name, settings, case.module, x, progress),
                case.x, samples=SENSITIVE, seed=int(settings["seed"]),
            )
        ),
        now,
    )  # fmt: skip
    now = replace(now, numbers={**now.numbers, "sensitivity": moved}, remark="forgetting")
    yield now
    for stage in cascade(
        case.module,
        lambda module: _map(desk, case, name, settings, module, case.x),
        case.x,
        seed=int(settings["seed"]),
    ):
        now = replace(now, stages=(*now.stages, stage))
        yield now
    last = now.stages[-1]
    numbers = {**now.numbers, "left": last.score, "left, plain": last.plain}
    yield replace(now, numbers=numbers, remark=_words(last))


def _quietly(work: Any, now: _Verdict) -> Any:
    """Wait for watched work, showing the verdict as it stands meanwhile."""
    try:
        while True:
            next(work)
            yield now
    except StopIteration as end:
        return end.value
    finally:
        work.close()


def _by_taking_away(
    desk: Desk, case: Case, now: _Verdict, found: torch.Tensor, seed: int
) -> _Verdict:
    order, module, x, target = ranking(found), case.module, case.x, case.target
    curves = {
        "deletion": deletion(module, x, target, order, steps=PORTIONS, likely=desk.likely),
        "insertion": deletion(
            module, x, target, order, steps=PORTIONS, likely=desk.likely, insert=True
        ),
        "ROAD": road(module, x, target, order, steps=PORTIONS, likely=desk.likely, seed=seed),
    }
    numbers = {name: area(curve) for name, curve in curves.items()}
    numbers["infidelity"] = infidelity(module, x, target, found, seed=seed)[1]
    return replace(now, curves=curves, numbers=numbers)


def _map(
    desk: Desk,
    case: Case,
    name: str,
    settings: Mapping[str, Any],
    module: nn.Module,
    x: torch.Tensor,
    progress: Any = None,
) -> torch.Tensor:
    """The method's map by another network, or of another sample, `(1, ...)`."""
    if progress is not None:
        progress(0)  # here an unwanted work ends
    entry = explainers.find(name)
    others = {"references": desk.references(case)} if compares(entry) else {}
    found: torch.Tensor = entry(module, x, case.target, **desk.settings(name, settings), **others)
    return found


def _words(last: Stage) -> str:
    if abs(last.score) < CHANCE:
        return "needs what the model learned"
    if last.score > 0:
        return "hardly changes when all is forgotten: it shows the input, not the model"
    return "turns round when all is forgotten"


def _frame(
    desk: Desk, case: Case, verdicts: Mapping[str, _Verdict], *, last: bool = False
) -> Frame:
    made = {name: one.map for name, one in verdicts.items() if one.map is not None}
    views: dict[str, View] = {
        "maps": pictures.maps(desk, case, made, tuple(made)),
        "input": pictures.shown(desk, case),
        "forgetting": _forgetting(verdicts),
    }
    words = {
        "deletion": "taken away: faster falling is truer",
        "insertion": "put in: faster rising is truer",
        "ROAD": "filled in from neighbours: faster falling is truer",
    }
    for kind, title in words.items():
        views[kind] = Curve(
            np.linspace(0, 100, PORTIONS + 1),
            {name: one.curves[kind] for name, one in verdicts.items() if kind in one.curves},
            xlabel="places [%]",
            ylabel=f"{desk.watched} of {desk.name(case.target)}",
            title=title,
        )
    views["verdicts"] = _table(verdicts)
    done = sum(len(one.numbers) for one in verdicts.values())
    of = max(1, 7 * len(verdicts))
    facts = {"prediction": float(case.scores.argmax()), "explained output": float(case.target)}
    return Frame(of if last else min(done, of), of, views, facts, waits=last)


def _forgetting(verdicts: Mapping[str, _Verdict]) -> View:
    """How much of each map is left while the network forgets, from its last layer on."""
    count = max([len(one.stages) for one in verdicts.values()], default=0)
    lines = {}
    for name, one in verdicts.items():
        if one.stages:
            left = [stage.score for stage in one.stages]
            lines[name] = np.array(left + [math.nan] * (count - len(left)))
    return Curve(
        np.arange(count),
        lines,
        xlabel="groups of layers forgotten, the last first",
        ylabel="of the map is left",
        dots=True,
        title="1: unchanged, 0: as between random networks",
    )


def _table(verdicts: Mapping[str, _Verdict]) -> Table:
    columns = {
        "deletion": "deletion ↓", "insertion": "insertion ↑", "ROAD": "ROAD ↓",
        "infidelity": "infidelity ↓", "sensitivity": "sensitivity ↓",
        "left": "left after forgetting → 0", "left, plain": "the same, plain",
    }  # fmt: skip
    rows: tuple[tuple[str | float | bool, ...], ...] = tuple(
        (name, *(one.numbers.get(key, math.nan) for key in columns), one.remark)
        for name, one in verdicts.items()
    )
    return Table(("method", *columns.values(), "in words"), rows)
