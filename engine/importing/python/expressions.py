"""Names, attributes, calls and lists."""

from __future__ import annotations

import ast
from typing import Any

from engine.importing.calls import BATCH
from engine.importing.python import builtin
from engine.importing.python.builtin import OF_MODULES
from engine.importing.python.reader import Reader, Scope, expression
from engine.importing.python.statements import assign
from engine.importing.python.things import (
    Class,
    Function,
    Instance,
    Made,
    Method,
    Name,
    Super,
    Weight,
)
from engine.importing.tape import Ref


@expression(ast.Constant)
def _constant(_reader: Reader, node: ast.Constant, _scope: Scope) -> Any:
    if isinstance(node.value, bytes | complex) or node.value is ...:
        if node.value is ...:
            return ...
        raise ValueError("bytes and complex numbers cannot be read")
    return node.value


@expression(ast.Name)
def _name(reader: Reader, node: ast.Name, scope: Scope) -> Any:
    for place in (scope, reader.names):
        if node.id in place:
            return place[node.id]
    if node.id in builtin.NAMES:
        return Name(f"builtins.{node.id}")
    raise ValueError(f"{node.id!r} is not known here")


@expression(ast.Attribute)
def _attribute(reader: Reader, node: ast.Attribute, scope: Scope) -> Any:
    owner = reader.value(node.value, scope)
    return attribute(reader, owner, node.attr)


def attribute(reader: Reader, owner: Any, name: str) -> Any:
    """`owner.name`."""
    match owner:
        case Name(full=full):
            return builtin.CONSTANTS.get(f"{full}.{name}", Name(f"{full}.{name}"))
        case Ref():
            if name == "shape":
                return (BATCH, *reader.tape.shape(owner))
            return Method(owner, name)
        case Instance():
            return _of_instance(owner, name)
        case Class():
            return _of_class(owner, name)
        case Made() if name == "weight":
            return Weight(owner)
        case Made() if name in owner.arguments:
            return owner.arguments[name]
    return Method(owner, name)


def _of_instance(owner: Instance, name: str) -> Any:
    if name in owner.attributes:
        return owner.attributes[name]
    if method := owner.cls.method(name):
        static = any(
            isinstance(one, ast.Name) and one.id == "staticmethod" for one in method.decorator_list
        )
        return Function(method, None if static else owner)
    if name == "training":
        return False  # what is drawn is what the network computes, not how it learns
    if name in OF_MODULES:
        return Method(owner, name)
    found = _of_class(owner.cls, name, None)
    if found is None:
        raise ValueError(f"self.{name} is not set in __init__")
    return found


def _of_class(cls: Class, name: str, *default: Any) -> Any:
    if name == "__name__":
        return cls.name
    for one in (cls, *(base for base in cls.bases if isinstance(base, Class))):
        if name in one.values:
            return one.values[name]
    if method := cls.method(name):
        return Function(method)
    if default:
        return default[0]
    raise ValueError(f"{cls.name}.{name} is not known")


@expression(ast.Call)
def _call(reader: Reader, node: ast.Call, scope: Scope) -> Any:
    if isinstance(node.func, ast.Name) and node.func.id == "super":
        if "__class__" not in scope:
            raise ValueError("super() stands in methods only")
        return Super(next(iter(scope.values())), scope["__class__"])
    made = reader.value(node.func, scope)
    args: list[Any] = []
    for one in node.args:
        if isinstance(one, ast.Starred):
            args += reader.items(reader.value(one.value, scope), node)
        else:
            args.append(reader.value(one, scope))
    kwargs: dict[str, Any] = {}
    for word in node.keywords:
        found = reader.value(word.value, scope)
        if word.arg is None:
            if not isinstance(found, dict):
                raise ValueError("** needs a dictionary")
            kwargs |= found
        else:
            kwargs[word.arg] = found
    return reader.call(made, args, kwargs, node)


@expression(ast.BoolOp)
def _logic(reader: Reader, node: ast.BoolOp, scope: Scope) -> Any:
    found: Any = None
    for one in node.values:
        found = reader.value(one, scope)
        if isinstance(found, Ref):
            raise ValueError("a condition on a tensor cannot be drawn")
        if bool(found) is isinstance(node.op, ast.Or):
            return found
    return found


@expression(ast.IfExp)
def _choice(reader: Reader, node: ast.IfExp, scope: Scope) -> Any:
    return reader.value(node.body if reader.truth(node.test, scope) else node.orelse, scope)


@expression(ast.List, ast.Tuple)
def _list(reader: Reader, node: ast.List | ast.Tuple, scope: Scope) -> Any:
    found: list[Any] = []
    for one in node.elts:
        if isinstance(one, ast.Starred):
            found += reader.items(reader.value(one.value, scope), node)
        else:
            found.append(reader.value(one, scope))
    return tuple(found) if isinstance(node, ast.Tuple) else found


@expression(ast.Dict)
def _dict(reader: Reader, node: ast.Dict, scope: Scope) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key, one in zip(node.keys, node.values, strict=True):
        if key is None:
            raise ValueError("** in a dictionary cannot be read")
        found[reader.value(key, scope)] = reader.value(one, scope)
    return found


@expression(ast.ListComp, ast.GeneratorExp)
def _comprehension(reader: Reader, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Any:
    found: list[Any] = []

    def walk(depth: int, inner: Scope) -> None:
        if depth == len(node.generators):
            found.append(reader.value(node.elt, inner))
            return
        loop = node.generators[depth]
        for one in reader.items(reader.value(loop.iter, inner), node):
            reader.tick(node)
            nearer = dict(inner)
            assign(reader, loop.target, one, nearer)
            if all(reader.truth(test, nearer) for test in loop.ifs):
                walk(depth + 1, nearer)

    walk(0, dict(scope))
    return found


@expression(ast.JoinedStr)
def _text(reader: Reader, node: ast.JoinedStr, scope: Scope) -> str:
    found = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if part.format_spec is not None:
                raise ValueError("text with a format cannot be read")
            inner = reader.value(part.value, scope)
            if not isinstance(inner, int | float | str):
                raise ValueError("text can hold numbers and text only")
            found += str(inner)[:200]
        elif isinstance(part, ast.Constant):
            found += str(part.value)
    return found


@expression(ast.Lambda)
def _lambda(_reader: Reader, node: ast.Lambda, scope: Scope) -> Function:
    return Function(node, None, dict(scope))
