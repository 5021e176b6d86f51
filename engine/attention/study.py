"""Look into the attention of the model on stage: see it, add it up, change it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import torch

from engine.attention import hugging_face, pictures
from engine.attention.changes import (
    CHANGES,
    NOTHING,
    WITH_HEADS,
    WITH_NUMBER,
    Changed,
    Wish,
    changed,
)
from engine.attention.edits import PATTERNS
from engine.attention.methods.adding_up import at
from engine.attention.put import Table
from engine.attention.scene import Scene, warning
from engine.attention.subject import Subject, with_grid
from engine.attention.watch import Seen, Sight
from engine.explain.own import LONGEST
from engine.forms import Choice, Drawing, Pick, Slider, Text, Value
from engine.models.kept import load
from engine.views import Frame, Heads, View

SHOWS = ("heads", "neuron", "rollout", "flow", "gradient", "lens", "detectors")
MOST_PIPES = 8_000_000  # tokens times pipes that attention flow is worked out for at once
SOURCES = ("sample", "typed", "drawing", "yours")


def study(
    model: str,
    *,
    source: Annotated[str, Choice(SOURCES, help="What to put in", live=True)] = "sample",
    sample: Annotated[
        int, Slider(0, 9999, live=True, help="Another sample", when="source=sample")
    ] = 0,
    text: Annotated[
        str, Text(4000, live=True, help="In the model's own words", when="source=typed")
    ] = "",
    drawing: Annotated[
        list[float], Drawing(28, 28, help="Draw with mouse or finger", when="source=drawing")
    ] = [],  # noqa: B006 - read only
    yours: Annotated[
        str, Text(LONGEST, live=True, help="What the page brought", when="source=by the page")
    ] = "",
    show: Annotated[str, Choice(SHOWS, help="What to make of the weights", live=True)] = "heads",
    head: Annotated[
        int, Pick(4096, "heads", help="A head: click its map. Counted layer by layer")
    ] = 0,
    place: Annotated[
        int, Pick(4096, "input source head matrix", help="The token that looks: click it")
    ] = 8,
    output: Annotated[
        str, Text(64, live=True, help="Its name, or: predicted", when="show=gradient")
    ] = "predicted",
    fuse: Annotated[
        str,
        Choice(
            ("mean", "max", "min"), help="How heads become one", live=True, when="show=rollout|flow"
        ),
    ] = "mean",
    change: Annotated[str, Choice(CHANGES, help="Change something inside", live=True)] = NOTHING,
    heads: Annotated[
        str,
        Text(
            400,
            live=True,
            help="As 0.1 1.3, or a layer, or all; empty: the picked head",
            when=f"change={WITH_HEADS}",
        ),
    ] = "",
    pattern: Annotated[
        str,
        Choice(PATTERNS, help="Where they look", live=True, when="change=fix where heads look"),
    ] = "uniform",
    token: Annotated[
        str, Text(60, live=True, help="What comes in its place", when="change=swap a token")
    ] = "",
    other: Annotated[
        int,
        Slider(
            0,
            9999,
            live=True,
            help="The sample to patch from",
            when="change=patch from another sample",
        ),
    ] = 1,
    module: Annotated[
        str,
        Text(
            200,
            live=True,
            help="The module meant; empty: the next one",
            when="change=patch from another sample|set a neuron",
        ),
    ] = "",
    number: Annotated[
        int,
        Slider(0, 1023, live=True, help="Which number of the vector", when=f"change={WITH_NUMBER}"),
    ] = 0,
    to: Annotated[
        float, Slider(-10, 10, live=True, help="What it becomes", when=f"change={WITH_NUMBER}")
    ] = 0.0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Show who looks at whom; wait for a control to be turned.

    Args:
        model: The folder of a trained run, or `transformer:` and a name; see
            `engine.attention.hugging_face`.
        source: What is put in.
        sample: Number of a validation sample.
        text: A text in the model's vocabulary.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        show: What is made of the weights.
        head: The head that is looked at, counted layer by layer.
        place: The token that looks.
        output: Name or number of the output that the gradient is of.
        fuse: How rollout and flow make one matrix of a layer's heads.
        change: What is changed inside.
        heads: Which heads that is; empty for the picked one.
        pattern: Where heads are made to look.
        token: What a token is swapped for.
        other: The sample that a patch is taken from.
        module: What is patched, or whose neuron is set.
        number: Which number of a vector is edited.
        to: What it becomes.

    Yields:
        One frame, and a new one whenever a control was turned.
    """
    desk = _Desk(_table(model))
    controls: dict[str, Any] = {
        "source": source, "sample": sample, "text": text, "drawing": drawing,
        "yours": yours, "show": show,
        "head": head, "place": place, "output": output, "fuse": fuse, "change": change,
        "heads": heads, "pattern": pattern, "token": token, "other": other, "module": module,
        "number": number, "to": to,
    }  # fmt: skip
    while True:
        controls |= (yield desk.frame(controls)) or {}


def _table(model: str) -> Any:
    """What a model lies on: a run's own, or a transformer's by its name."""
    if model.startswith(hugging_face.PREFIX):
        return hugging_face.Table(model.removeprefix(hugging_face.PREFIX))
    return Table(load(model))


class _Desk:
    """A model, what lies in front of it, and what has been seen of it."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._key: object = None
        self._subject: Subject | None = None
        self._sight: Sight | None = None
        self._maps: Heads | None = None  # the overview of that sight

    def frame(self, controls: Mapping[str, Any]) -> Frame:
        """All that the controls ask for; a sentence in its place where that cannot be had."""
        try:
            self._put(controls)
        except (ValueError, LookupError) as error:
            if self._subject is None:
                return Frame(0, 1, {"notes": warning(str(error))}, waits=True)
            return self._shown(controls, [str(error)])
        return self._shown(controls, [])

    def _put(self, controls: Mapping[str, Any]) -> None:
        """Put something new in front of the model, if the controls say so."""
        key = (
            controls["source"],
            controls["sample"],
            controls["text"],
            tuple(controls["drawing"]),
            controls["yours"],
        )
        if key == self._key and self._subject is not None:
            return
        self._key = key
        subject = self._chosen(controls)
        try:
            sight = subject.look()
        except RuntimeError as error:
            raise ValueError(f"this network cannot read that: {error}") from None
        if not sight.layers:
            raise ValueError(
                "This network computes no attention. Build one with MultiheadAttention, "
                "SelfAttention or a Transformer layer, or take such a template under Change model."
            )
        self._subject, self._sight = with_grid(subject, sight.layers), sight
        self._maps = None

    def _chosen(self, controls: Mapping[str, Any]) -> Subject:
        if controls["source"] == "typed":
            return self._table.typed(controls["text"])
        if controls["source"] == "yours":
            return self._table.brought(controls["yours"])
        if controls["source"] == "drawing":
            return self._table.drawn(controls["drawing"])
        return self._table.sample(controls["sample"])

    def _shown(self, controls: Mapping[str, Any], troubles: list[str]) -> Frame:
        subject, before = self._subject, self._sight
        if subject is None or before is None:
            raise RuntimeError("nothing lies in front of the model")
        picked, layer = _picked(controls["head"], before.layers)
        place = at(controls["place"], before.layers[layer].weights.shape[2])
        after: Sight | None = None
        did: Changed | None = None
        try:
            wish = Wish(**{name: controls[name] for name in Wish.__dataclass_fields__})
            did = changed(wish, subject, before.layers, picked, place, self._table)
            after = did.subject.look(did.edits) if did else None
        except (ValueError, LookupError, RuntimeError) as error:
            troubles.append(str(error))
        scene = Scene(
            did.subject if did and after else subject,
            after or before,
            picked,
            place,
            controls["fuse"],
            controls["output"],
            did.edits if did and after else (),
            self._maps if after is None else None,
        )
        views = scene.views()
        if after is None and isinstance(made := views["heads"], Heads):
            self._maps = made
        try:
            views |= scene.special(controls["show"])
        except (ValueError, LookupError, RuntimeError) as error:
            troubles.append(str(error))
        views["answer"] = _answer(subject, before, after, place, self._table)
        views["notes"] = warning("\n\n".join(troubles)) if troubles else scene.note(did)
        facts = _facts(subject, before, after, place)
        return Frame(1, 1, views, facts, waits=True)


def _picked(number: int, layers: Sequence[Seen]) -> tuple[int, int]:
    """The head that is meant, as its number and its layer; the nearest there is."""
    across = max(layer.heads for layer in layers)
    layer = min(number // across, len(layers) - 1)
    head = min(number % across, layers[layer].heads - 1)
    return layer * across + head, layer


def _row(answer: torch.Tensor, place: int) -> torch.Tensor:
    return answer[0] if answer.ndim == 2 else answer[0, at(place, answer.shape[1])]


def _answer(subject: Subject, before: Sight, after: Sight | None, place: int, table: Table) -> View:
    chances = table.kept.summary.get("task", "classification") == "classification"
    then = None if after is None else _row(after.answer, place)
    return pictures.answers(subject, _row(before.answer, place), then, chances)


def _facts(subject: Subject, before: Sight, after: Sight | None, place: int) -> dict[str, float]:
    facts = {"layers": float(len(before.layers))}
    if not np.isnan(loss := subject.loss(before.answer)):
        facts["loss [nat]"] = loss
    if after is None:
        return facts
    if not np.isnan(loss := subject.loss(after.answer)):
        facts["loss, changed [nat]"] = loss
    one, other = _row(before.answer, place), _row(after.answer, place)
    facts["largest change of an output"] = float((other - one).abs().max())
    facts["divergence [nat]"] = float(
        (one.softmax(0) * (one.log_softmax(0) - other.log_softmax(0))).sum()
    )
    return facts
