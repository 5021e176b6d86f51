"""A part taken of a list, of a tensor, of modules in a row."""

from __future__ import annotations

import ast
from typing import Any

from engine.importing.python.reader import Reader, Scope, expression
from engine.importing.python.things import LayersFirst, Name, Several
from engine.importing.tape import Ref


@expression(ast.Subscript)
def _subscript(reader: Reader, node: ast.Subscript, scope: Scope) -> Any:
    owner = reader.value(node.value, scope)
    if isinstance(node.slice, ast.Slice):
        index: Any = _slice(reader, node.slice, scope)
    elif isinstance(node.slice, ast.Tuple) and isinstance(owner, Ref):
        index = tuple(
            _slice(reader, one, scope) if isinstance(one, ast.Slice) else reader.value(one, scope)
            for one in node.slice.elts
        )
    else:
        index = reader.value(node.slice, scope)
    return pick(reader, owner, index, node)


def _slice(reader: Reader, node: ast.Slice, scope: Scope) -> slice:
    ends = [
        None if n is None else reader.value(n, scope) for n in (node.lower, node.upper, node.step)
    ]
    if any(end is not None and not isinstance(end, int) for end in ends):
        raise ValueError("a slice needs whole numbers")
    return slice(*ends)


def pick(reader: Reader, owner: Any, index: Any, node: ast.AST) -> Any:
    """`owner[index]`."""
    if isinstance(owner, Several):
        return _pick_module(owner, index)
    if isinstance(owner, LayersFirst):
        if not isinstance(index, int):
            raise ValueError("of a last state one layer can be taken: h[-1]")
        return reader.perform("select", node, [owner.ref, 1, index], {})
    if isinstance(owner, Ref):
        return _pick_tensor(reader, owner, index if isinstance(index, tuple) else (index,), node)
    if isinstance(owner, Name):
        return owner  # a type such as list[int]
    if not isinstance(owner, list | tuple | dict | str):
        raise ValueError("this has no parts that could be taken")
    return owner[index]


def _pick_module(owner: Several, index: Any) -> Any:
    if isinstance(index, slice):
        return Several(dict(list(owner.items.items())[index]), owner.callable, owner.path)
    if isinstance(index, str):
        return owner.items[index]
    return list(owner.items.values())[index]


def _pick_tensor(reader: Reader, x: Ref, index: tuple[Any, ...], node: ast.AST) -> Any:
    rank = len(reader.tape.shape(x)) + 1
    if ... in index:
        place = index.index(...)
        rest = rank - (len(index) - 1)
        index = (*index[:place], *(slice(None),) * rest, *index[place + 1 :])
    found: Any = x
    axis = 0
    for one in index:
        if isinstance(one, slice):
            found = reader.perform(
                "slice", node, [found, axis, one.start, one.stop, one.step or 1], {}
            )
            axis += 1
        elif one is None:
            found = reader.perform("unsqueeze", node, [found, axis], {})
            axis += 1
        elif isinstance(one, int) and not isinstance(one, bool):
            found = reader.perform("select", node, [found, axis, one], {})
        else:
            raise ValueError("a tensor's part is taken by whole numbers and slices")
    return found
