"""Look into the recurrent layers of a trained model: gates, states, and how gradients fade."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from torch import Tensor

from engine.attention.put import Table as Putting
from engine.attention.subject import Subject
from engine.forms import Choice, Pick, Slider, Text, Value
from engine.memory.cells import Pass, openness, saturation
from engine.memory.follows import Follower, followers, table
from engine.memory.watch import fading, passes
from engine.models.kept import load
from engine.views import Array, Bars, Curve, Frame, Matrix, Note, Table, Tokens, View

SAMPLES = 24  # validation samples in which units are compared with what a reader could follow
BACK = 10  # places over which the fading of gradients is told
FAINTEST = 1e-12  # of a gradient, on a logarithmic axis
SOURCES = ("sample", "typed")


def study(
    model: str,
    *,
    source: Annotated[str, Choice(SOURCES, help="What to put in", live=True)] = "sample",
    sample: Annotated[
        int, Slider(0, 9999, live=True, help="Another sample", when="source=sample")
    ] = 0,
    text: Annotated[
        str, Text(2000, live=True, help="In the model's own words", when="source=typed")
    ] = "",
    part: Annotated[str, Text(40, live=True, help="The gate or state that is shown")] = "state h",
    which: Annotated[int, Pick(64, "layers", help="Which layer: click its bars")] = 0,
    cell: Annotated[
        int, Pick(4_000_000, "units", help="A unit at a place: click it; 0 lets the model choose")
    ] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show what goes on in a recurrent layer; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        source: Whether a validation sample is read, or what was typed.
        sample: Its number.
        text: A text in the model's vocabulary.
        part: Name of the gate or state that is shown.
        which: Number of the layer, stacked ones and directions counted through.
        cell: `unit * length + place` of what is looked at.

    Yields:
        One frame, and a new one whenever a control was turned.
    """
    desk = _Desk(Putting(load(model)))
    wish: dict[str, Any] = {
        "source": source,
        "sample": sample,
        "text": text,
        "part": part,
        "which": which,
        "cell": cell,
    }
    while True:
        changes = yield desk.frame(**wish)
        wish.update(changes or {})


class _Desk:
    """A model and what was read with it."""

    def __init__(self, put: Putting) -> None:
        self._put = put
        self._network = put.kept.module
        self._read: tuple[object, Tensor, list[tuple[str, Pass]], Subject] | None = None
        self._followed: dict[object, list[Follower]] = {}

    def frame(self, source: str, sample: int, text: str, part: str, which: int, cell: int) -> Frame:
        try:
            answer, found, subject = self._reading(source, sample, text)
        except (ValueError, LookupError) as error:
            note = Note(str(error), title="Cannot read this", tone="warning")
            return Frame(0, 1, {"note": note}, waits=True)
        _, one = found[min(which, len(found) - 1)]
        shown = part if part in one.parts else "state h"
        values = one.parts[shown].detach().numpy().astype(np.float64)  # (length, hidden)
        followed = self._following(min(which, len(found) - 1), shown)
        unit, place = divmod(cell, len(values))
        if cell == 0 or unit >= values.shape[1]:
            unit, place = (followed[0].unit if followed else 0), len(values) - 1
        words = _words(subject, len(values))
        views: dict[str, View] = {
            "text": Tokens(words, values[:, unit], title=f"{shown} of unit {unit}, place by place"),
            "units": _units(shown, values, words, unit, place),
            "unit": _unit(one, unit, words),
            "layers": _layers(found),
            "fading": _fading(answer, found, place, words),
            "follows": Table(
                ("what a reader can follow", "unit", "correlation"),
                table(followed),
                title=f"which unit's {shown} goes with it, over {SAMPLES} test samples",
            ),
        }
        return Frame(1, 1, views, _facts(answer, one, place), waits=True)

    def _reading(
        self, source: str, sample: int, text: str
    ) -> tuple[Tensor, list[tuple[str, Pass]], Subject]:
        wanted = (source, sample if source == "sample" else text)
        if self._read is None or self._read[0] != wanted:
            typed = source == "typed"
            subject = self._put.typed(text) if typed else self._put.sample(sample)
            answer, seen = passes(self._network, subject.inputs)
            found = [(name, one) for name, ways in seen.items() for one in ways]
            if not found:
                raise ValueError("this model has no recurrent layer")
            self._read = (wanted, answer, found, subject)
        return self._read[1:]

    def _following(self, which: int, part: str) -> list[Follower]:
        """Units that follow something in validation samples; nothing for a model without data."""
        if self._put.reads != "text" or not self._put.kept.data:
            return []
        asked = (which, part)
        if asked not in self._followed:
            texts, courses = [], []
            for number in range(SAMPLES):
                subject = self._put.sample(number)
                seen = passes(self._network, subject.inputs)[1]
                one = [one for ways in seen.values() for one in ways][which]
                courses.append(one.parts[part].detach().numpy().astype(np.float64))
                texts.append(self._plain(subject, len(courses[-1])))
            self._followed[asked] = followers(texts, courses.__getitem__)
        return self._followed[asked]

    def _plain(self, subject: Subject, length: int) -> list[str]:
        """The tokens as the vocabulary has them, of the input that has that length."""
        stream = next((s for s in subject.streams if len(s.words) == length), subject.streams[-1])
        known = self._put.words
        return [known[i] if i < len(known) else str(i) for i in stream.ids.tolist()]


def _words(subject: Subject, length: int) -> tuple[str, ...]:
    """What the places of a layer are called: by the input of that length."""
    for stream in subject.streams:
        if len(stream.words) == length:
            return stream.words
    return tuple(map(str, range(length)))


def _units(part: str, values: Array, words: Sequence[str], unit: int, place: int) -> Matrix:
    gate = "gate" in part
    return Matrix(
        values.T,
        tuple(map(str, range(values.shape[1]))),
        tuple(words),
        xlabel="place",
        ylabel="unit",
        scale="sequential" if gate else "signed",
        highlight=((unit, place),),
        title=f"{part} of every unit (click one)",
    )


def _unit(one: Pass, unit: int, words: Sequence[str]) -> Matrix:
    lines = [values[:, unit].detach().numpy().astype(np.float64) for values in one.parts.values()]
    return Matrix(
        np.stack(lines),
        tuple(one.parts),
        tuple(words),
        xlabel="place",
        scale="signed",
        title=f"all that unit {unit} does",
    )


def _layers(found: Sequence[tuple[str, Pass]]) -> Bars:
    """How far each layer's gates are open; for a network without gates how large its state is."""
    names = tuple(f"{name}, {one.name}" for name, one in found)
    gates = list(dict.fromkeys(gate for _, one in found for gate in openness(one)))
    if not gates:
        sizes = [float(one.parts["state h"].detach().abs().mean()) for _, one in found]
        return Bars(names, {"state h": np.array(sizes)}, ylabel="mean size", title="layers")
    heights = {
        gate: np.array([openness(one).get(gate, np.nan) for _, one in found]) for gate in gates
    }
    return Bars(names, heights, ylabel="mean opening", title="how far gates are open (click one)")


def _score(answer: Tensor, place: int) -> Tensor:
    """The largest output at a place, or of the whole sample."""
    if answer.ndim == 3:
        return answer[0, min(place, answer.shape[1] - 1)].max()
    return answer[0].max()


def _fading(
    answer: Tensor, found: Sequence[tuple[str, Pass]], place: int, words: Sequence[str]
) -> Curve:
    score = _score(answer, place)
    lines = {}
    for name, one in found:
        slopes = np.array(fading(score, one))
        if len(slopes) == len(words):
            lines[f"{name}, {one.name}"] = np.where(slopes > FAINTEST, slopes, np.nan)
    where = f"at place {place} ({words[place]})" if answer.ndim == 3 else "of the sample"
    return Curve(
        np.arange(len(words), dtype=np.float64),
        lines,
        xlabel="place of the state",
        ylabel="length of the gradient",
        log=True,
        marks={"the answer": float(place)} if answer.ndim == 3 else {},
        title=f"how much the likeliest answer {where} depends on the state at each place",
    )


def _facts(answer: Tensor, one: Pass, place: int) -> dict[str, float]:
    slopes = fading(_score(answer, place), one)
    if answer.ndim == 2:
        place = 0 if one.backward else len(slopes) - 1
    facts: dict[str, float] = {}
    back = place + BACK if one.backward else place - BACK
    if 0 <= back < len(slopes) and slopes[place] > 0:
        facts[f"gradient left {BACK} places away [%]"] = 100 * slopes[back] / slopes[place]
    for name, values in one.parts.items():
        if "gate" in name:
            shut, open_ = saturation(values.detach())
            facts[f"{name}: nearly shut [%]"] = 100 * shut
            facts[f"{name}: nearly open [%]"] = 100 * open_
    return facts
