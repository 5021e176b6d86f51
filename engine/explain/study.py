"""Explain a trained model on a sample, any methods side by side, each with its own error."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

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
    steered,
)  # fmt: skip
from engine.explain.faithful import STEPS, deletion, infidelity, ranking
from engine.explain.measure import SEEDS, band
from engine.explain.report import Line, error_of, note_of, progress, table_of, too_long
from engine.explain.table import compares, explainers
from engine.explain.watched import watched
from engine.forms import Choice, Slider, Text
from engine.views import Array, Curve, Frame, Note, View

MOST_METHODS = 8

Methods = Annotated[str, Text(300, live=True, help="Names of methods with commas between")]
Own = Annotated[str, Text(4000, live=True, help="Settings of single methods, as JSON")]
Layer = Annotated[str, Text(64, live=True, help="For methods that look at a layer")]
Baseline = Annotated[
    float, Slider(0.0, 1.0, live=True, help="A brighter 'nothing' to compare with")
]


def study(
    model: str,
    *,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    methods: Methods = "gradcam, integrated_gradients",
    target: Target = "predicted",
    layer: Layer = "",
    baseline: Baseline = 0.0,
    seed: Seed = 0,
    settings: Own = "",
    scale: Annotated[
        str, Choice(("own", "shared"), help="Whether all maps have one scale", live=True)
    ] = "own",
    patience: Patience = 20.0,
) -> Steered:
    """Show what each method says; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        source: A sample of the validation set, the drawing, or what the visitor brought.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        methods: Names of explainers, separated by commas.
        target: Name or number of the output to explain; `predicted` is the largest.
        layer: The layer that the methods of a layer look at.
        baseline: What stands for a missing number.
        seed: For methods that draw random numbers.
        settings: Of single methods: `{"kernel_shap": {"samples": 1000}}`.
        scale: Whether all maps have one scale of colours.
        patience: What would take longer is not begun [s].

    Yields:
        Frames while a method goes on and after each; the last one waits.
    """
    bench = _Bench(Desk(model))
    controls = {
        "source": source, "sample": sample, "drawing": drawing, "yours": yours,
        "methods": methods, "target": target, "layer": layer, "baseline": baseline, "seed": seed,
        "settings": settings, "scale": scale, "patience": patience,
    }  # fmt: skip
    yield from steered(bench.frames, controls)


class _Bench:
    """Explanations of one sample, method by method."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._judged: dict[object, Line] = {}

    def frames(self, controls: Mapping[str, Any]) -> Iterator[Frame]:
        """Frames with one explanation more each; the last one waits."""
        try:
            case = self._desk.case(controls)
            names, settings = _wanted(controls)
        except (ValueError, LookupError) as error:
            yield self._refused(controls, str(error))
            return
        lines = {name: self._planned(name, case, settings) for name in names}
        yield self._frame(case, lines, controls)  # the estimates, before anything slow begins
        for name, line in lines.items():
            for now in self._begun(line, case, settings, controls["patience"]):
                lines[name] = now
                yield self._frame(case, lines, controls)
        for name, line in lines.items():
            for now in self._banded(line, case, settings, controls["patience"]):
                lines[name] = now
                yield self._frame(case, lines, controls)
        yield self._frame(case, lines, controls, last=True)

    def _planned(self, name: str, case: Case, settings: Mapping[str, Any]) -> Line:
        kept = self._judged.get(self._desk.key(name, case, settings))
        if kept:
            return kept
        try:
            return Line(name, self._desk.estimate(name, case, settings))
        except (ValueError, LookupError, RuntimeError) as error:
            return Line(name, remark=str(error))

    def _begun(
        self, line: Line, case: Case, settings: Mapping[str, Any], patience: float
    ) -> Iterator[Line]:
        """The line while it is worked on; one that would take too long is not begun."""
        if line.plan and not line.found and line.plan.seconds > patience:
            yield replace(line, remark=too_long(line.plan))
        elif not line.remark:
            yield from self._made(line, case, settings)

    def _made(self, line: Line, case: Case, settings: Mapping[str, Any]) -> Iterator[Line]:
        """The line while its explanation is made and judged."""
        if line.found:
            yield line
            return
        making = self._desk.explain(line.name, case, settings)
        try:
            while True:
                yield replace(line, done=next(making))
        except StopIteration as end:
            now = self._judge(replace(line, found=end.value), case)
        except (ValueError, LookupError, RuntimeError) as error:
            yield replace(line, remark=str(error))
            return
        finally:
            making.close()
        self._keep(now, case, settings)
        yield now

    def _keep(self, line: Line, case: Case, settings: Mapping[str, Any]) -> None:
        self._judged[self._desk.key(line.name, case, settings)] = line
        while len(self._judged) > 64:
            del self._judged[next(iter(self._judged))]

    def _judge(self, line: Line, case: Case) -> Line:
        """The line with what is cheap to say of how faithful its map is."""
        if line.found is None:
            return line
        order, module, likely = ranking(line.found.map), case.module, self._desk.likely
        out, put = (
            deletion(module, case.x, case.target, order, insert=insert, likely=likely)
            for insert in (False, True)
        )
        _, unforeseen = infidelity(module, case.x, case.target, line.found.map)
        return replace(line, deletion=out, insertion=put, infidelity=unforeseen)

    def _worth_a_band(self, line: Line, patience: float) -> bool:
        entry = explainers.find(line.name)
        found = line.found
        fresh = found is not None and bool(entry.facts["sampled"]) and math.isnan(found.band)
        return fresh and found is not None and SEEDS * found.seconds <= patience

    def _banded(
        self, line: Line, case: Case, settings: Mapping[str, Any], patience: float
    ) -> Iterator[Line]:
        """The line while the scatter over seeds is measured."""
        if not self._worth_a_band(line, patience):
            return
        entry = explainers.find(line.name)
        references = self._desk.references(case) if compares(entry) else None
        chosen = self._desk.settings(line.name, settings)
        work = watched(
            lambda progress: band(
                entry, case.module, case.x, case.target, chosen,
                references=references, progress=progress,
            )
        )  # fmt: skip
        try:
            while True:
                next(work)
                yield line
        except StopIteration as end:
            scatter = float(end.value)
        finally:
            work.close()
        if line.found:
            now = replace(line, found=replace(line.found, band=scatter))
            self._keep(now, case, settings)
            yield now

    def _frame(
        self,
        case: Case,
        lines: Mapping[str, Line],
        controls: Mapping[str, Any],
        *,
        last: bool = False,
    ) -> Frame:
        desk = self._desk
        made = {name: line for name, line in lines.items() if line.found}
        found = {name: line.found.map for name, line in made.items() if line.found}
        captions = [f"{name}: {error_of(line)}" for name, line in made.items()]
        shared = controls["scale"] == "shared"
        views: dict[str, View] = {
            "maps": pictures.maps(desk, case, found, captions, shared=shared),
            "input": pictures.shown(desk, case),
            "scores": pictures.scores(desk, case),
            "deletion": self._curve(
                case, {name: line.deletion for name, line in made.items()}, "taken away"
            ),
            "insertion": self._curve(
                case, {name: line.insertion for name, line in made.items()}, "put in"
            ),
            "methods": table_of(lines),
            "notes": note_of(lines, desk.name(case.target)),
        }
        likely = desk.likelihood(case)
        facts: dict[str, float] = {"prediction": float(case.scores.argmax())}
        if desk.classifies:
            facts["confidence [%]"] = 100 * float(likely.max())
        facts["explained output"] = float(case.target)
        facts["evaluations"] = float(sum(o.found.evaluations for o in made.values() if o.found))
        gaps = [o.found.gap for o in made.values() if o.found and not math.isnan(o.found.gap)]
        if gaps:
            facts["completeness gap"] = max(gaps)
        of = max(1, sum(o.plan.evaluations if o.plan else 1 for o in lines.values()))
        step = of if last else min(of, sum(progress(line) for line in lines.values()))
        return Frame(step, of, views, facts, waits=last)

    def _curve(self, case: Case, lines: Mapping[str, Array | None], what: str) -> Curve:
        """What becomes of the target while what a map calls important is taken away or put in."""
        faster = "the faster it falls" if what == "taken away" else "the faster it rises"
        return Curve(
            np.linspace(0, 100, STEPS + 1),
            {name: line for name, line in lines.items() if line is not None},
            xlabel=f"{what} [%]",
            ylabel=f"{self._desk.watched} of {self._desk.name(case.target)}",
            title=f"{faster}, the truer the map",
        )

    def _refused(self, controls: Mapping[str, Any], why: str) -> Frame:
        """What is shown where there is nothing to explain: the reason, and the test sample."""
        note = Note(why, title="That does not fit", tone="warning")
        views: dict[str, View] = {"notes": note}
        try:
            calm = {**controls, "target": "predicted"}
            views = {"input": pictures.shown(self._desk, self._desk.case(calm)), **views}
        except (ValueError, LookupError):
            pass  # the sample itself is what does not fit
        return Frame(1, 1, views, {}, waits=True)


def _wanted(controls: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The methods that are asked for, and the settings of all and of single ones."""
    names = [name.strip() for name in str(controls["methods"]).split(",")]
    names = list(dict.fromkeys(name for name in names if name and name != "none"))[:MOST_METHODS]
    for name in names:
        explainers.find(name)
    try:
        own = dict(json.loads(str(controls["settings"]) or "{}"))
    except (TypeError, ValueError):
        raise ValueError('settings: must be JSON such as {"lime": {"samples": 1000}}') from None
    common = {key: controls[key] for key in ("layer", "baseline", "seed")}
    return names, {**common, **own}
