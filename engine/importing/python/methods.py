"""What methods of values give."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from engine.importing.python.modules import walk
from engine.importing.python.reader import MOST_ITEMS, Reader, calling
from engine.importing.python.statements import invoke, put
from engine.importing.python.things import (
    NOTHING,
    Class,
    Function,
    Instance,
    Made,
    Method,
    Several,
    Super,
    inside,
)
from engine.importing.tape import Ref


@calling(Method)
def method(
    reader: Reader, made: Method, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    """What a value's method gives."""
    owner, name = made.owner, made.name
    match owner:
        case Ref():
            return reader.perform(name, node, [owner, *args], kwargs)
        case Super(owner=instance, cls=cls):
            return _above(reader, instance, cls, name, args, kwargs, node)
        case _ if made.without_effect or (isinstance(owner, Instance | Made) and name in _SILENT):
            return _SILENT.get(name, NOTHING)
        case Instance() if name in ("add_module", "register_module") and len(args) == 2:
            return put(reader, owner, args[0], args[1], node)
        case Instance() | Made() | Several() if name == "requires_grad_":
            return _freeze(owner, bool(args[0]) if args else True)
        case Several():
            return _of_several(owner, name, args)
    if (type(owner).__name__, name) in _METHODS:
        _refuse_growing(owner, args)
        found = getattr(owner, name)(*map(inside, args), **kwargs)
        return list(found) if isinstance(owner, dict) and name != "get" else found
    raise ValueError(f"{name} of this cannot be called")


def _refuse_growing(owner: Any, args: list[Any]) -> None:
    """No list or text may grow beyond what can be read."""
    length = len(owner)
    for one in args:
        if isinstance(one, list | tuple | dict | str | range):
            length += len(one) * (max(map(_size, one), default=1) if isinstance(owner, str) else 1)
    if length > MOST_ITEMS:
        raise ValueError(f"lists of at most {MOST_ITEMS:,} things can be read")


def _size(one: Any) -> int:
    return len(one) if isinstance(one, str) else 1


_SILENT: dict[str, Any] = {
    "modules": (),
    "children": (),
    "parameters": (),
    "named_modules": (),
    "named_parameters": (),
    "apply": NOTHING,
    "reset_parameters": NOTHING,
}
_METHODS = {
    *(("list", name) for name in ("append", "extend", "insert", "pop", "copy", "index")),
    *(("dict", name) for name in ("items", "keys", "values", "get")),
    *(("str", name) for name in ("lower", "upper", "startswith", "endswith", "join")),
    ("tuple", "index"),
}


def _above(
    reader: Reader,
    instance: Any,
    cls: Class,
    name: str,
    args: list[Any],
    kwargs: dict[str, Any],
    node: ast.AST,
) -> Any:
    """A method of the class above."""
    for base in cls.bases:
        if isinstance(base, Class) and (found := base.method(name)):
            return invoke(reader, Function(found, instance), args, kwargs, node)
    if name == "__init__":
        return NOTHING
    raise ValueError(f"the class above {cls.name} has no {name} in this text")


def _freeze(owner: Any, learns: bool) -> Any:
    for one in walk(owner, ""):
        if isinstance(one, Made):
            one.frozen = not learns
    return owner


def _of_several(owner: Several, name: str, args: list[Any]) -> Any:
    if name in _READS:
        return _READS[name](owner)
    match name, args:
        case "append", [one]:
            owner.items[str(len(owner.items))] = one
        case "extend", [more]:
            for one in inside(more):
                owner.items[str(len(owner.items))] = one
        case "add_module", [str(word), one]:
            owner.items[word] = one
        case _:
            raise ValueError(f"{name} of a list of modules cannot be called")
    return owner


_READS: dict[str, Callable[[Several], list[Any]]] = {
    "items": lambda owner: list(owner.items.items()),
    "values": lambda owner: list(owner.items.values()),
    "children": lambda owner: list(owner.items.values()),
    "keys": lambda owner: list(owner.items),
    "parameters": lambda _owner: [],
    "modules": lambda _owner: [],
}
