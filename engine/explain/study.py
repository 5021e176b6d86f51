"""Explain a trained model on a sample or a drawing, several methods side by side."""

from __future__ import annotations

import difflib
import math
from collections.abc import Generator, Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.explain.faithful import STEPS, deletion, ranking
from engine.explain.measure import Measured, measure
from engine.explain.table import explainers
from engine.forms import Choice, Drawing, Slider, Text, Value
from engine.models.inputs import Given, Samples
from engine.models.kept import Kept, load
from engine.views import Array, Bars, Curve, Frame, Note, Table, Tiles, View

MOST_KEPT = 64  # explanations remembered, so that a slider moved back costs nothing
MOST_BARS = 64

Method = Annotated[str, Choice(("none", *explainers.all()), help="How to explain", live=True)]


def study(
    model: str,
    *,
    source: Annotated[
        str, Choice(("test sample", "drawing"), help="What to put in", live=True)
    ] = "test sample",
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another test sample")] = 0,
    drawing: Annotated[list[float], Drawing(28, 28, help="Draw with mouse or finger")] = [],  # noqa: B006 - read only
    first: Method = "gradcam",
    second: Method = "integrated_gradients",
    third: Method = "none",
    fourth: Method = "none",
    target: Annotated[
        str, Text(64, live=True, help="The class to explain, or: predicted")
    ] = "predicted",
    layer: Annotated[
        str, Text(64, live=True, help="For the CAM methods; empty: the last convolution")
    ] = "",
    steps: Annotated[int, Slider(4, 300, log=True, live=True, help="A finer integral")] = 50,
    baseline: Annotated[
        float, Slider(0.0, 1.0, live=True, help="A brighter 'nothing' to compare with")
    ] = 0.0,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other random draws")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show what each method says; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        source: Whether a sample of the validation set is explained, or the drawing.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        first: A method; so are the next three.
        second: A method.
        third: A method.
        fourth: A method.
        target: Name or number of the output to explain; `predicted` is the largest.
        layer: The layer that the CAM methods look at.
        steps: Places along the path of integrated gradients.
        baseline: The grey that stands for a missing pixel.
        seed: For methods that draw random numbers.

    Yields:
        A frame after every method, so that a slow one does not hold up the others; the last one
        waits.
    """
    desk = _Desk(load(model))
    controls: dict[str, Any] = {
        "source": source,
        "sample": sample,
        "drawing": drawing,
        "methods": {"first": first, "second": second, "third": third, "fourth": fourth},
        "target": target,
        "settings": {"layer": layer, "steps": steps, "baseline": baseline, "seed": seed},
    }
    while True:
        changes: Mapping[str, Value] | None = None
        for frame in desk.frames(**controls):
            changes = yield frame
            if changes:  # never finish what nobody wants any more
                break
        for name, value in (changes or {}).items():
            place = next((p for p in ("methods", "settings") if name in controls[p]), None)
            (controls[place] if place else controls)[name] = value


class _Desk:
    """A model, what lies in front of it, and the explanations made so far."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._samples = Samples(kept)
        self._made: dict[object, Measured | str] = {}
        self._deleted: dict[object, Array] = {}

    def frames(
        self,
        source: str,
        sample: int,
        drawing: list[float],
        methods: Mapping[str, str],
        target: str,
        settings: Mapping[str, Any],
    ) -> Iterator[Frame]:
        """Frames with one explanation more each; the last one waits."""
        given = self._samples.choose(source, sample, drawing)
        with torch.no_grad():
            scores = self._kept.module(given.x)[0]
        names = list(dict.fromkeys(name for name in methods.values() if name != "none"))
        found: dict[str, Measured | str] = {}
        try:
            wanted = self._target(target, scores)
        except ValueError as error:
            yield self._frame(given, scores, int(scores.argmax()), {"target": str(error)}, True)
            return
        if not names:
            yield self._frame(given, scores, wanted, found, True)
        for name in names:
            found[name] = self._explain(name, given, wanted, settings)
            yield self._frame(given, scores, wanted, dict(found), len(found) == len(names))

    def _explain(
        self, name: str, given: Given, target: int, settings: Mapping[str, Any]
    ) -> Measured | str:
        """The explanation, or why there is none; kept for the next time."""
        entry = explainers.find(name)
        own = {key: value for key, value in settings.items() if key in entry.form.controls}
        asked = (name, target, tuple(own.items()), given.x.numpy().tobytes())
        if asked not in self._made:
            try:
                self._made[asked] = measure(entry, self._kept.module, given.x, target, own)
            except (ValueError, LookupError, RuntimeError) as error:
                self._made[asked] = str(error)
            while len(self._made) > MOST_KEPT:
                del self._made[next(iter(self._made))]
                self._deleted.clear()  # its keys are the identities of what is kept here
        return self._made[asked]

    def _target(self, words: str, scores: torch.Tensor) -> int:
        """The output that is meant by its name, its number or `predicted`."""
        if words.strip() in ("", "predicted"):
            return int(scores.argmax())
        names = [self._kept.name(output) for output in range(len(scores))]
        if words in names:
            return names.index(words)
        if words.isdecimal() and int(words) < len(scores):
            return int(words)
        near = difflib.get_close_matches(words, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"target must be predicted or one of {', '.join(names)}{hint}")

    def _frame(
        self,
        given: Given,
        scores: torch.Tensor,
        target: int,
        found: Mapping[str, Measured | str],
        last: bool,
    ) -> Frame:
        made = {name: one for name, one in found.items() if isinstance(one, Measured)}
        said = {name: one for name, one in found.items() if isinstance(one, str)}
        views: dict[str, View] = {
            "input": _picture(given),
            "maps": _maps(made, len(given.x.shape) == 4),
            "scores": self._scores(scores),
            "methods": _table(found),
            "deletion": self._deletion(given, target, made),
            "notes": _notes(said, self._kept.name(target)),
        }
        chances = scores.softmax(0)
        facts: dict[str, float] = {
            "prediction": float(scores.argmax()),
            "confidence [%]": 100 * float(chances.max()),
            "explained output": float(target),
            "evaluations": float(sum(one.evaluations for one in made.values())),
        }
        gaps = [one.gap for one in made.values() if not math.isnan(one.gap)]
        if gaps:
            facts["completeness gap"] = max(gaps)
        return Frame(len(found), max(1, len(found)), views, facts, waits=last)

    def _deletion(self, given: Given, target: int, made: Mapping[str, Measured]) -> Curve:
        """The chance of the target while what a map calls important is taken away."""
        lines = {}
        for name, one in made.items():
            asked = (id(one), target)
            if asked not in self._deleted:
                self._deleted[asked] = deletion(
                    self._kept.module, given.x, target, ranking(one.map)
                )
            lines[name] = self._deleted[asked]
        return Curve(
            np.linspace(0, 100, STEPS + 1),
            lines,
            xlabel="taken away [%]",
            ylabel=f"chance of {self._kept.name(target)}",
            title="the faster it falls, the truer the map",
        )

    def _scores(self, scores: torch.Tensor) -> Bars:
        count = min(len(scores), MOST_BARS)
        names = tuple(self._kept.name(output) for output in range(count))
        return Bars(names, {"chance": scores.softmax(0)[:count].numpy()}, ylabel="chance")


def _picture(given: Given) -> Tiles:
    """The input as a picture, `(1, rows, columns)`; a table's row as one row of cells."""
    truth = "" if given.label is None else f", true class {given.label}"
    x = given.x[0]
    if x.ndim != 3:
        return Tiles(x.reshape(1, 1, -1).numpy(), (given.words + truth,), scale="signed")
    image = x.permute(1, 2, 0)[None].numpy() if len(x) == 3 else x.mean(0)[None].numpy()
    return Tiles(image, (given.words + truth,))


def _maps(made: Mapping[str, Measured], pictures: bool) -> View:
    """The explanations side by side, each on its own scale, summed over channels."""
    if not pictures:
        rows = {name: one.map[0].flatten()[:MOST_BARS].numpy() for name, one in made.items()}
        count = len(next(iter(rows.values()))) if rows else 0
        return Bars(tuple(str(i) for i in range(count)), rows, xlabel="input")
    if not made:
        return Tiles(np.zeros((0, 1, 1)), scale="signed")
    images = np.stack([one.map[0].sum(0).numpy() for one in made.values()])
    captions = tuple(f"{name}: {_words(one)}" for name, one in made.items())
    return Tiles(images, captions, scale="signed", shared=False)


def _words(one: Measured) -> str:
    gap = "" if math.isnan(one.gap) else f", gap {one.gap:.1e}"
    return f"{1000 * one.seconds:.0f} ms{gap}"


def _table(found: Mapping[str, Measured | str]) -> Table:
    rows = tuple(
        (name, 1000 * one.seconds, one.evaluations, one.gap, "")
        if isinstance(one, Measured)
        else (name, math.nan, math.nan, math.nan, one)
        for name, one in found.items()
    )
    return Table(("method", "time [ms]", "evaluations", "completeness gap", "remark"), rows)


def _notes(said: Mapping[str, str], target: str) -> Note:
    if said:
        return Note("\n\n".join(said.values()), title="What does not fit", tone="warning")
    return Note(f"Blue speaks for **{target}**, orange against it.")
