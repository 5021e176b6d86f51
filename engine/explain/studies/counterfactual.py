"""What would have to be different for another answer?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import numpy as np
import torch

from engine.attack.table import attacks
from engine.explain import pictures
from engine.explain.counterfactual import Bounds, Flip, bounds_of, nearest, replaced_words
from engine.explain.desk import (
    Case,
    Desk,
    Drawn,
    Sample,
    Source,
    Steered,
    Yours,
    refused,
    steered,
)  # fmt: skip
from engine.forms import Choice, Text
from engine.views import Bars, Curve, Frame, Note, Table, Tiles, Tokens, View

WAY = 21  # places on the way from the sample to its counterfactual
FAR = 1e6  # a budget that bounds nothing
MOST_ROWS = 40
MINIMAL = tuple(name for name, entry in attacks.all().items() if entry.facts["minimal"])


def study(
    model: str,
    *,
    source: Source = "test sample",
    sample: Sample = 0,
    drawing: Drawn = [],  # noqa: B006 - read only
    yours: Yours = "",
    wanted: Annotated[
        str, Text(64, live=True, help="The class it shall be taken for, or: any other")
    ] = "any other",
    search: Annotated[
        str,
        Choice(
            ("nearest", "fewest changes", *MINIMAL),
            help="What is to be small; the last are attacks that look for the smallest change",
            live=True,
        ),
    ] = "nearest",
) -> Steered:
    """Change the sample as little as possible until the answer flips; wait for a control.

    Args:
        model: The folder of a trained run.
        source: A sample of the validation set, the drawing, or what the visitor brought.
        sample: Its number.
        drawing: Grey levels in [0, 1], row by row.
        yours: What the visitor brought, see `engine.explain.own`.
        wanted: Name or number of the class to arrive at.
        search: The shortest way, the fewest changed numbers, or an attack for pictures.

    Yields:
        The sample, then its counterfactual; the last frame waits.
    """
    desk = Desk(model)
    controls = {
        "source": source, "sample": sample, "drawing": drawing, "yours": yours,
        "target": "predicted", "wanted": wanted, "search": search,
    }  # fmt: skip
    yield from steered(lambda now: _frames(desk, now), controls)


def _frames(desk: Desk, controls: Mapping[str, Any]) -> Iterator[Frame]:
    try:
        if not desk.classifies:
            raise ValueError(
                "This model gives a number, which has no other class to flip to. Compare methods "
                "shows what its number rests on."
            )
        case = desk.case(controls)
        wanted = _wanted(desk, case, str(controls["wanted"]))
    except (ValueError, LookupError) as error:
        yield refused(error)
        return
    yield Frame(0, 1, {"input": pictures.shown(desk, case), "scores": pictures.scores(desk, case)})
    try:
        flip = _found(desk, case, wanted, str(controls["search"]))
    except (ValueError, LookupError, RuntimeError) as error:
        yield refused(error)
        return
    yield _frame(desk, case, flip, wanted)


def _wanted(desk: Desk, case: Case, words: str) -> int | None:
    if words.strip() in ("", "any other"):
        return None
    output = desk.put(case.given, words).target
    if output == int(case.scores.argmax()):
        raise ValueError(
            f"The model says {desk.name(output)} already; choose another class to arrive at."
        )
    return output


def _found(desk: Desk, case: Case, wanted: int | None, search: str) -> Flip | None:
    if case.kind == "text":
        words = desk.vocabulary or tuple(str(i) for i in range(_lookup(desk)))
        fill = [words.index("·")] if "·" in words else []
        return replaced_words(
            desk.kept.module, case.given.x.long(), len(words), wanted=wanted, keep=fill
        )
    if search in MINIMAL:
        return _attacked(case, wanted, search)
    bounds = _bounds(desk, case)
    return nearest(
        case.module, case.x, bounds,
        wanted=wanted, sparse=search == "fewest changes", fallback=desk.references(case, 2000),
    )  # fmt: skip


def _lookup(desk: Desk) -> int:
    for part in desk.kept.module.modules():
        if isinstance(part, torch.nn.Embedding):
            return part.num_embeddings
    return 0


def _bounds(desk: Desk, case: Case) -> Bounds:
    data = desk.references(case, 5000)
    if case.kind == "image":
        ones = torch.ones_like(case.x[0])
        return Bounds(0 * ones, ones, ones)
    if data is None:
        ones = torch.ones_like(case.x[0])
        return Bounds(-3 * ones, 3 * ones, ones)
    return bounds_of(data)


def _attacked(case: Case, wanted: int | None, name: str) -> Flip | None:
    """By an attack that looks for the smallest change, for pictures in [0, 1]."""
    entry = attacks.find(name)
    if case.kind != "image":
        raise ValueError(f"{name}: changes pictures; choose nearest or fewest changes")
    if wanted is not None and "targeted" not in entry.form.controls:
        raise ValueError(f"{name}: cannot be aimed at a class; set wanted to: any other")
    before = int(case.scores.argmax())
    aim = {} if wanted is None else {"targeted": True}
    y = torch.tensor([before if wanted is None else wanted])
    found = entry.function(case.module, case.x, y, epsilon=FAR, **aim)
    with torch.no_grad():
        after = int(case.module(found).argmax())
    if after == before or wanted not in (None, after):
        return None
    change = (found - case.x)[0]
    return Flip(found, before, after, float(change.norm()), int((change != 0).sum()))


def _frame(desk: Desk, case: Case, flip: Flip | None, wanted: int | None) -> Frame:
    aim = "another class" if wanted is None else desk.name(wanted)
    if flip is None:
        views: dict[str, View] = {
            "input": pictures.shown(desk, case),
            "scores": pictures.scores(desk, case),
            "notes": Note(
                f"No plausible change was found that makes it {aim}. Choose another class, or "
                f"another way to search.",
                tone="warning",
            ),
        }
        return Frame(1, 1, views, {}, waits=True)
    before, after = desk.name(flip.before), desk.name(flip.after)
    words = f"From **{before}** to **{after}** by changing {flip.changed} of {case.given.x.numel()}"
    things = "words" if case.kind == "text" else "numbers"
    facts = {"changed": float(flip.changed)}
    if case.kind != "text":
        facts["distance"] = flip.distance
        small = (
            " That is too little to see: the model is not robust here." if _tiny(case, flip) else ""
        )
    else:
        small = ""
    views = {
        **_shown(desk, case, flip, (before, after)),
        "notes": Note(f"{words} {things}.{small}", tone="good"),
    }
    if case.kind != "text":
        views["way"] = _way(desk, case, flip)
    return Frame(1, 1, views, facts, waits=True)


def _tiny(case: Case, flip: Flip) -> bool:
    return case.kind == "image" and float((flip.x - case.x).abs().max()) < 0.1


def _shown(desk: Desk, case: Case, flip: Flip, names: tuple[str, str]) -> dict[str, View]:
    change = flip.x - (case.given.x if case.kind == "text" else case.x)
    match case.kind:
        case "image":
            both = np.stack([pictures.grey(case.x[0]), pictures.grey(flip.x[0])])
            return {
                "both": Tiles(both, names),
                "change": Tiles(change[0].sum(0).numpy()[None], ("the change",), scale="signed"),
            }
        case "text":
            after = case.given.x.clone()
            after[:] = flip.x
            changed = (flip.x != case.given.x)[0].numpy().astype(np.float64)
            new = desk.put(type(case.given)(after, None, "changed"))
            return {
                "before": Tokens(pictures.places(desk, case), changed, title=names[0]),
                "after": Tokens(pictures.places(desk, new), changed, title=names[1]),
            }
        case "series":
            lines = {"before": case.x[0, 0].numpy(), "after": flip.x[0, 0].numpy()}
            return {"both": Curve(np.arange(case.x.shape[2]), lines, xlabel="place")}
    columns = pictures.places(desk, case)
    x, y = case.x.flatten().numpy(), flip.x.flatten().numpy()
    rows = [
        (column, float(x[i]), float(y[i]), float(y[i] - x[i]))
        for i, column in enumerate(columns)
        if x[i] != y[i]
    ]
    rows.sort(key=lambda row: -abs(row[3]))
    heights = {"before": x[: len(columns)], "after": y[: len(columns)]}
    return {
        "both": Bars(columns, heights, ylabel="value"),
        "changes": Table(("column", names[0], names[1], "change"), tuple(rows[:MOST_ROWS])),
    }


def _way(desk: Desk, case: Case, flip: Flip) -> View:
    """What the model says on the straight way between the two and a little beyond."""
    share = torch.linspace(0, 1.25, WAY)
    at = case.x + share.reshape(-1, *[1] * (case.x.ndim - 1)) * (flip.x - case.x)
    with torch.no_grad():
        likely = desk.likely(case.module(at))
    lines = {desk.name(output): likely[:, output].numpy() for output in (flip.before, flip.after)}
    return Curve(
        100 * share.numpy(),
        lines,
        xlabel="of the change [%]",
        ylabel=desk.watched,
        marks={"flips": 100.0},
        title="on the way",
    )
