"""The one change that a visitor makes inside a model, read from the controls of the page."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from engine.attention.edits import VECTORS, ablate, fix, hide, neuron, patch, pattern_of, turn
from engine.attention.lens import stream
from engine.attention.methods.changing import chosen
from engine.attention.put import Table
from engine.attention.subject import Subject
from engine.attention.watch import Edit, Seen, look

NOTHING = "nothing"
CHANGES = (
    NOTHING,
    "switch heads off",
    "fix where heads look",
    "hide a token",
    "swap a token",
    "patch from another sample",
    "edit a query",
    "edit a key",
    "edit a value",
    "set a neuron",
)
WITH_HEADS = "switch heads off|fix where heads look"
WITH_NUMBER = "edit a query|edit a key|edit a value|set a neuron"


@dataclass(frozen=True)
class Wish:
    """What the controls say.

    Attributes:
        change: One of `CHANGES`.
        heads: Which heads; empty for the picked one.
        pattern: Where fixed heads look.
        token: The word that comes in place of another.
        other: Number of the sample that a patch is taken from.
        module: Path of the submodule that is patched, or whose neuron is set; may be empty.
        number: Which number of a vector.
        to: What it becomes.
    """

    change: str = NOTHING
    heads: str = ""
    pattern: str = "uniform"
    token: str = ""
    other: int = 1
    module: str = ""
    number: int = 0
    to: float = 0.0


@dataclass(frozen=True)
class Changed:
    """What is to be run instead.

    Attributes:
        subject: The subject, perhaps with another token.
        edits: What is changed inside.
        words: What was done, for people.
    """

    subject: Subject
    edits: tuple[Edit, ...]
    words: str


def changed(
    wish: Wish, subject: Subject, layers: Sequence[Seen], picked: int, place: int, table: Table
) -> Changed | None:
    """What a wish comes to; None for nothing.

    Raises:
        ValueError: It asks for something that is not there.
        LookupError: Likewise.
    """
    if wish.change == NOTHING:
        return None
    across = max(layer.heads for layer in layers)
    at = _At(wish, subject, layers, picked // across, picked % across, place, table)
    return _DOERS[wish.change](at)


@dataclass(frozen=True)
class _At:
    wish: Wish
    subject: Subject
    layers: Sequence[Seen]
    layer: int
    head: int
    place: int
    table: Table

    @property
    def seen(self) -> Seen:
        return self.layers[self.layer]

    def heads(self) -> list[tuple[int, list[int] | None]]:
        return chosen(self.wish.heads or f"{self.layer}.{self.head}", self.layers)

    def word(self) -> str:
        return self.subject.rows(self.seen)[self.place]


def _off(at: _At) -> Changed:
    edits = tuple(ablate(at.layers[i].name, heads) for i, heads in at.heads())
    return Changed(at.subject, edits, f"off: {at.wish.heads or f'{at.layer}.{at.head}'}")


def _fixed(at: _At) -> Changed:
    pattern = pattern_of(at.wish.pattern)
    edits = tuple(fix(at.layers[i].name, heads, pattern) for i, heads in at.heads())
    which = at.wish.heads or f"{at.layer}.{at.head}"
    return Changed(at.subject, edits, f"{which} looks at: {pattern}")


def _hidden(at: _At) -> Changed:
    length = at.seen.weights.shape[-1]
    names = at.subject.columns(at.seen)
    place = min(at.place, length - 1)
    return Changed(at.subject, (hide([place], length),), f"nobody looks at {names[place]}")


def _swapped(at: _At) -> Changed:
    stream_ = at.subject.of(at.seen)[0]
    ids = at.subject.inputs[stream_]
    if ids.is_floating_point():
        return _greyed(at)
    if not at.wish.token.strip() and at.wish.token not in at.table.words:
        raise ValueError("swap: type the token that is to stand there instead")
    (new,) = _one(at.table.numbers(at.wish.token, stream_))
    other = ids.clone()
    other[0, at.place] = new
    inputs = tuple(other if i == stream_ else one for i, one in enumerate(at.subject.inputs))
    made = at.table.of(inputs, at.subject.truth, at.subject.about)
    return Changed(made, (), f"{at.word()} became {at.wish.token}")


def _greyed(at: _At) -> Changed:
    """A patch of a picture becomes the picture's mean."""
    grid, x = at.subject.grid, at.subject.inputs[0]
    if grid is None or at.place not in grid.places:
        raise ValueError("swap: pick a patch of the picture; there it becomes plain grey")
    row, column = divmod(grid.places.index(at.place), grid.columns)
    high, wide = x.shape[2] // grid.rows, x.shape[3] // grid.columns
    other = x.clone()
    area = (slice(row * high, (row + 1) * high), slice(column * wide, (column + 1) * wide))
    other[:, :, area[0], area[1]] = x.mean((2, 3))[..., None, None]
    made = replace(at.table.of((other,), at.subject.truth, at.subject.about), grid=grid)
    return Changed(
        replace(made, streams=at.subject.streams), (), f"patch {at.word()} became plain grey"
    )


def _one(numbers: Sequence[int]) -> Sequence[int]:
    if len(numbers) != 1:
        raise ValueError(f"swap: must be one token; this is {len(numbers)}")
    return numbers


def _patched(at: _At) -> Changed:
    points = stream(at.subject.module, at.layers)
    path = at.wish.module or _after(points, at.seen.name)
    _known(at.subject, path)
    other = at.table.sample(at.wish.other)
    with torch.no_grad():
        found = look(other.module, other.inputs, outputs=[path], shallow=True).outputs[path]
        own = look(at.subject.module, at.subject.inputs, outputs=[path], shallow=True).outputs[path]
    if found.shape != own.shape:
        raise ValueError(
            f"patch: {path} gives {list(own.shape[1:])} here and {list(found.shape[1:])} for "
            f"{other.about}; take a sample of the same length"
        )
    edit = patch(path, found, [at.place] if found.ndim == 3 else None)
    where = f" at {at.word()}" if found.ndim == 3 else ""
    return Changed(at.subject, (edit,), f"{path}{where} as for {other.about}")


def _vector(what: str) -> Callable[[_At], Changed]:
    def edit(at: _At) -> Changed:
        known = {"query": at.seen.query, "key": at.seen.key, "value": at.seen.value}[what]
        if known is None or at.seen.query is None:
            raise ValueError(
                f"edit: {at.seen.name} makes its scores without such vectors; fix its heads instead"
            )
        size = known.shape[-1]
        if at.wish.number >= size:
            raise ValueError(f"edit: {what} has numbers 0 to {size - 1}; got {at.wish.number}")
        kind = VECTORS[what]
        place = min(at.place, known.shape[2] - 1)
        made = turn(at.seen.name, kind, at.head, place, at.wish.number, at.wish.to)
        names = at.subject.rows(at.seen) if what == "query" else at.subject.columns(at.seen)
        words = f"number {at.wish.number} of the {what} of {names[place]} is {at.wish.to:g}"
        return Changed(at.subject, (made,), words)

    return edit


def _neuron(at: _At) -> Changed:
    path = at.wish.module or _feed_forward(at.subject, at.layers, at.seen.name)
    part = _known(at.subject, path)
    size = getattr(part, "out_features", None)
    if isinstance(size, int) and at.wish.number >= size:
        raise ValueError(f"neuron: {path} gives numbers 0 to {size - 1}; got {at.wish.number}")
    edit = neuron(path, at.wish.number, at.wish.to)
    return Changed(at.subject, (edit,), f"neuron {at.wish.number} of {path} is {at.wish.to:g}")


def _after(points: Sequence[str], name: str) -> str:
    """The first point of the stream after a layer, or the last one."""
    if not points:
        raise ValueError("patch: this network has no stream of vectors; name a module")
    top = name.split(".", maxsplit=1)[0]
    own = [i for i, point in enumerate(points) if point.split(".", maxsplit=1)[0] == top]
    return points[own[-1]] if own else points[-1]


def _feed_forward(subject: Subject, layers: Sequence[Seen], name: str) -> str:
    """The first linear map after an attention layer that is no part of one."""
    order: list[str] = [path for path, _ in subject.module.named_modules()]
    attentions = [layer.name.partition("#")[0] for layer in layers]
    for path in order[order.index(name.partition("#")[0]) :]:
        inside = any(path.startswith(f"{one}.") or path == one for one in attentions)
        if not inside and isinstance(subject.module.get_submodule(path), torch.nn.Linear):
            return path
    raise ValueError("neuron: name the module whose output is to be set")


def _known(subject: Subject, path: str) -> torch.nn.Module:
    parts: dict[str, torch.nn.Module] = dict(subject.module.named_modules())
    if path not in parts:
        near = difflib.get_close_matches(path, parts, n=3)
        listed = near or [name for name in parts if name][:12]
        raise LookupError(f"no module {path!r:.80}; there are {', '.join(listed)}")
    return parts[path]


_DOERS: dict[str, Callable[[_At], Changed]] = {
    "switch heads off": _off,
    "fix where heads look": _fixed,
    "hide a token": _hidden,
    "swap a token": _swapped,
    "patch from another sample": _patched,
    "edit a query": _vector("query"),
    "edit a key": _vector("key"),
    "edit a value": _vector("value"),
    "set a neuron": _neuron,
}
