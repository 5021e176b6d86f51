"""Modules of the text constructed and called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from engine.importing.construct import bound, params_of
from engine.importing.python.reader import Reader, calling, line_of
from engine.importing.python.statements import invoke
from engine.importing.python.things import (
    Class,
    Function,
    Instance,
    LayersFirst,
    Made,
    Several,
    SourceError,
)
from engine.importing.tape import Ref

_RECURRENT = ("RNN", "LSTM", "GRU")


@calling(Class)
def construct(
    reader: Reader, cls: Class, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    """An object of one of the text's classes."""
    if cls.layer:
        return Made(cls.layer, bound(cls.layer, args, kwargs), line_of(node), ours=True)
    made = Instance(cls)
    if (begin := cls.method("__init__")) is not None:
        before, reader.building = reader.building, True
        if not before:
            raise SourceError("modules are made in __init__, not in forward", line_of(node))
        invoke(reader, Function(begin, made), args, kwargs, node)
    elif cls.is_module:
        if args or kwargs:
            raise ValueError(f"{cls.name} takes no arguments")
    else:
        _record(cls, made, args, kwargs)
    return made


def _record(cls: Class, made: Instance, args: list[Any], kwargs: dict[str, Any]) -> None:
    """The object of a class that only holds values, as dataclasses do."""
    names = list(cls.values)
    for name, value in (*zip(names, args, strict=False), *kwargs.items()):
        if name not in names and name not in cls.bare:
            raise ValueError(f"{cls.name} has no {name!r}")
        made.attributes[name] = value


@calling(Several)
def _row(
    reader: Reader, made: Several, args: list[Any], _kwargs: dict[str, Any], node: ast.AST
) -> Any:
    if not made.callable or len(args) != 1:
        raise ValueError("a list of modules cannot be called; go through it in a loop")
    value = args[0]
    for one in made.items.values():
        value = reader.call(one, [value], {}, node)
    return value


@calling(Instance)
def _inner(
    reader: Reader, made: Instance, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    forward = made.cls.method("forward")
    if forward is None:
        raise ValueError(f"{made.cls.name} has no forward")
    if not made.path and made is not reader.root:
        raise ValueError(f"this {made.cls.name} is no attribute of its module")
    before, reader.module = reader.module, made.path
    reader.tape.kinds[made.path] = made.cls.name
    try:
        return invoke(reader, Function(forward, made), args, kwargs, node)
    finally:
        reader.module = before


@calling(Made)
def _layer(
    reader: Reader, made: Made, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    if not made.path:
        raise ValueError(f"this {made.kind} is no attribute of its module")
    scribe = reader.scribe(node, made.path)
    given = _tensors(made, args, kwargs)
    shapes = [scribe.shape(one) for one in given]
    params = params_of(made.kind, made.arguments, shapes)
    again = _again(reader, made, node)
    if again is not None:
        scribe.path = ""
    tied = again or (_leaf_path(reader, made.tied) if made.tied else "")
    found = scribe.layer(made.kind, params, *given, tied=tied)
    place = len(reader.tape.leaves) - 1
    made.uses.append(place)
    if made.frozen or made.cut or made.start:
        by_hand = {"cut": tuple(made.cut), "start": tuple(made.start)}
        reader.tape.change(place, frozen=made.frozen, **by_hand)
    return found if made.ours else _as_torch(made.kind, found)


def _tensors(made: Made, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    """What comes in, as our own module of that kind takes it."""
    if made.kind == "MultiheadAttention" and not made.ours:
        given = [*args[:3], *(kwargs[k] for k in ("query", "key", "value") if k in kwargs)]
        masks = {k: v for k, v in kwargs.items() if k.endswith("mask") and v is not None}
        if len(args) > 3 or masks:
            raise ValueError("nn.MultiheadAttention with a mask cannot be read")
        return given[:1] if all(one == given[0] for one in given) else given
    flat: list[Any] = []
    for one in (*args, *kwargs.values()):
        if isinstance(one, tuple | list) and not isinstance(one, Ref):
            flat += one
        elif one is not None:
            flat.append(one)
    return [one.ref if isinstance(one, LayersFirst) else one for one in flat]


def _as_torch(kind: str, found: Any) -> Any:
    """What torch's own module gives where ours gives it in another form."""
    if kind in _RECURRENT:
        outputs, *states = found
        last = [LayersFirst(state) for state in states]
        return outputs, (tuple(last) if len(last) > 1 else last[0])
    if kind == "MultiheadAttention":
        return found if isinstance(found, tuple) and not isinstance(found, Ref) else (found, None)
    return found


def _again(reader: Reader, made: Made, node: ast.AST) -> str | None:
    """For a module that is used a second time, whose weight it then shares."""
    if not made.uses:
        return None
    from engine.network.shapes import Measured, measure

    leaf = reader.tape.leaves[made.uses[0]]
    measured = measure(leaf.type, leaf.params, [reader.tape.signal(r) for r in leaf.sources])
    names = set(measured.weights) if isinstance(measured, Measured) else set()
    if not names:
        return ""
    if names != {"weight"}:
        raise SourceError(
            f"{made.path} is used twice; only a layer with a weight and no bias can share it here",
            line_of(node),
        )
    return leaf.path


def _leaf_path(reader: Reader, made: Made) -> str:
    if not made.uses:
        raise ValueError(f"shares the weight of {made.path or made.kind}, which was not used yet")
    return reader.tape.leaves[made.uses[0]].path


def settle(root: Instance) -> set[str]:
    """Tell every module where it is; all their paths."""
    found = {one.path for one in walk(root, "") if isinstance(one, Made)}
    root.path = ""
    return found


def walk(owner: Any, path: str, seen: set[int] | None = None) -> Iterator[Any]:
    """A thing and all modules in it; the first way to one gives its path."""
    seen = set() if seen is None else seen
    if id(owner) in seen or not isinstance(owner, Instance | Several | Made | list | dict):
        return
    seen.add(id(owner))
    if isinstance(owner, Made | Several | Instance) and not owner.path:
        owner.path = path
    yield owner
    inner: dict[str, Any] = {}
    if isinstance(owner, Instance):
        inner = owner.attributes
    elif isinstance(owner, Several | dict):
        inner = owner.items if isinstance(owner, Several) else {str(k): v for k, v in owner.items()}
    elif isinstance(owner, list):
        inner = {str(place): one for place, one in enumerate(owner)}
    for name, one in inner.items():
        yield from walk(one, f"{path}.{name}".strip("."), seen)
