"""What the functions and classes of libraries give."""

from __future__ import annotations

import ast
import functools
import inspect
from typing import Any

from engine.importing.calls import BATCH
from engine.importing.construct import bound
from engine.importing.python import builtin
from engine.importing.python.expressions import attribute
from engine.importing.python.reader import Reader, calling, line_of
from engine.importing.python.statements import put
from engine.importing.python.things import (
    NOTHING,
    Class,
    Instance,
    Made,
    Name,
    Partial,
    Several,
    inside,
)
from engine.importing.tape import Ref
from engine.network.registry import layers
from engine.network.words import nearest

_RECURRENT = ("RNN", "LSTM", "GRU")
_LISTS = ("ModuleList", "Sequential", "ModuleDict")


@calling(Name)
def library(
    reader: Reader, made: Name, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    """What a function or class of a library gives."""
    full = made.full
    if full in builtin.PLAIN:
        return builtin.PLAIN[full](*[inside(one) for one in args], **kwargs)
    home, _, name = full.rpartition(".")
    if full in _SPECIAL:
        return _SPECIAL[full](reader, args, kwargs, node)
    if home == "torch.nn.init" or full in ("builtins.print", "builtins.setattr"):
        return NOTHING
    if home == "torch.nn":
        return _module(name, args, kwargs, node)
    if home in ("torch", "torch.nn.functional"):
        return reader.perform(name, node, args, kwargs)
    raise ValueError(f"{full.removeprefix('builtins.')} cannot be read; its code is not here")


def _module(name: str, args: list[Any], kwargs: dict[str, Any], node: ast.AST) -> Any:
    if name in _LISTS:
        return _several(name, args)
    if name in ("Parameter", "UninitializedParameter"):
        raise ValueError("a bare nn.Parameter has no layer; use a module that holds it")
    if name not in layers() or name in ("Input", "Block"):
        raise ValueError(f"there is no layer for nn.{name}{nearest(name, layers())}")
    if layers()[name].home:
        return Made(name, _of_torch(name, args, kwargs), line_of(node))
    return Made(name, bound(name, args, kwargs), line_of(node), ours=True)


def _of_torch(name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a torch module that is wrapped here to take the batch first."""
    from torch import nn

    if not hasattr(nn, name):
        raise ValueError(f"torch.nn has no {name}")
    try:
        call = inspect.signature(getattr(nn, name)).bind(*args, **kwargs)
    except TypeError as error:
        raise ValueError(f"nn.{name} cannot be made like this: {error}") from None
    given = dict(call.arguments)
    if name in _RECURRENT and "kwargs" in given:
        given |= given.pop("kwargs")
        given |= dict(
            zip(("input_size", "hidden_size", "num_layers"), given.pop("args", ()), strict=False)
        )
    given = {**given.pop("kwargs", {}), **given}
    if not given.pop("batch_first", False):
        raise ValueError(f"nn.{name} must have batch_first=True: here the batch is always first")
    for useless in ("device", "dtype", "self", "args"):
        given.pop(useless, None)
    return bound(name, (), given)


@calling(Partial)
def _completed(
    reader: Reader, made: Partial, args: list[Any], kwargs: dict[str, Any], node: ast.AST
) -> Any:
    return reader.call(made.made, [*made.args, *args], {**made.kwargs, **kwargs}, node)


def _several(name: str, args: list[Any]) -> Several:
    if name == "Sequential" and len(args) == 1 and isinstance(args[0], dict):
        return Several({str(k): v for k, v in args[0].items()}, callable=True)
    items = args if name == "Sequential" else (args[0] if args else [])
    if isinstance(items, dict):
        return Several({str(k): v for k, v in items.items()}, callable=False)
    if isinstance(items, Several):
        items = list(items.items.values())
    if not isinstance(items, list | tuple):
        raise ValueError(f"nn.{name} needs modules")
    found = {str(place): one for place, one in enumerate(items)}
    return Several(found, callable=name == "Sequential")


_KINDS: dict[str, type] = {
    "builtins.int": int,
    "builtins.float": float,
    "builtins.str": str,
    "builtins.tuple": tuple,
    "builtins.list": list,
    "builtins.bool": bool,
    "builtins.dict": dict,
}


def _isinstance(_reader: Reader, args: list[Any], _kwargs: dict[str, Any], _node: ast.AST) -> bool:
    value, kinds = args
    kinds = kinds if isinstance(kinds, tuple | list) else (kinds,)
    return any(_is(value, kind) for kind in kinds)


def _is(value: Any, kind: Any) -> bool:
    if isinstance(kind, Class):
        return isinstance(value, Instance) and value.cls is kind
    full = kind.full if isinstance(kind, Name) else ""
    if isinstance(value, Ref):
        return full == "torch.Tensor"
    if isinstance(value, Made):
        return full == f"torch.nn.{value.kind}"
    return full in _KINDS and isinstance(value, _KINDS[full])


def _len(_reader: Reader, args: list[Any], _kwargs: dict[str, Any], _node: ast.AST) -> Any:
    if isinstance(args[0], Ref):
        return BATCH
    return len(inside(args[0]))


def _sum(reader: Reader, args: list[Any], _kwargs: dict[str, Any], node: ast.AST) -> Any:
    values = reader.items(args[0], node)
    if values and isinstance(values[0], Ref):
        return functools.reduce(lambda a, b: reader.perform("add", node, [a, b], {}), values)
    return sum(values)


def _getattr(reader: Reader, args: list[Any], _kwargs: dict[str, Any], _node: ast.AST) -> Any:
    if not isinstance(args[1], str):
        raise ValueError("getattr needs a name")
    if isinstance(args[0], Name) and args[1].startswith("_"):
        raise ValueError("getattr cannot be read here")
    return attribute(reader, args[0], args[1])


def _hasattr(_reader: Reader, args: list[Any], _kwargs: dict[str, Any], _node: ast.AST) -> bool:
    return isinstance(args[0], Instance) and args[1] in args[0].attributes


def _setattr(reader: Reader, args: list[Any], _kwargs: dict[str, Any], node: ast.AST) -> Any:
    put(reader, args[0], args[1], args[2], node)
    return NOTHING


def _partial(_reader: Reader, args: list[Any], kwargs: dict[str, Any], _node: ast.AST) -> Any:
    return Partial(args[0], tuple(args[1:]), dict(kwargs))


def _reduce(reader: Reader, args: list[Any], _kwargs: dict[str, Any], node: ast.AST) -> Any:
    values = reader.items(args[1], node)
    return functools.reduce(lambda a, b: reader.call(args[0], [a, b], {}, node), values)


_SPECIAL = {
    "builtins.isinstance": _isinstance,
    "builtins.len": _len,
    "builtins.sum": _sum,
    "builtins.getattr": _getattr,
    "builtins.hasattr": _hasattr,
    "builtins.setattr": _setattr,
    "functools.partial": _partial,
    "functools.reduce": _reduce,
}
