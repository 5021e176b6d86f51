"""From how a module is constructed back to a layer's parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from engine.network.registry import Layer, Shape, factory, find, followers
from engine.network.shapes import signature
from engine.network.words import short

Arguments = dict[str, Any]

_ANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_USELESS = {"device", "dtype", "inplace"}  # say nothing about what a layer computes


def bound(type: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
    """All arguments of a layer's constructor by name, defaults included.

    Raises:
        ValueError: It takes no such arguments.
    """
    named = [one for one in signature(factory(find(type))) if one.kind not in _ANY]
    made = inspect.Signature(named)
    given = {k: v for k, v in kwargs.items() if k not in _USELESS or k in made.parameters}
    try:
        call = made.bind(*args, **given)
    except TypeError as error:
        raise ValueError(f"{type} cannot be made like this: {error}") from None
    call.apply_defaults()
    return {k: _plain(v) for k, v in call.arguments.items() if k not in _USELESS}


def params_of(type: str, arguments: Arguments, shapes: Sequence[Shape]) -> dict[str, Any]:
    """The parameters of the layer whose module is constructed with these arguments.

    Sizes that follow from what comes in are left out.

    Raises:
        ValueError: No parameters of the layer give such a module.
    """
    kind = find(type)
    if type in _BACKWARDS:
        return _BACKWARDS[type](arguments, shapes)
    sizes = followers(kind)
    params = {
        name: value
        for name, value in arguments.items()
        if name in kind.model_fields and value != _plain(kind.model_fields[name].default)
    }
    unknown = [
        name
        for name, value in arguments.items()
        if name not in kind.model_fields and value not in (_default(kind, name), None)
    ]
    implied = [name for name in params if name in sizes or kind.model_fields[name].default is None]
    for name in implied:
        fewer = {key: value for key, value in params.items() if key != name}
        if _made(kind, fewer, shapes).get(name) == arguments[name]:
            params = fewer
    if strange := [n for n in unknown if _made(kind, params, shapes).get(n) != arguments[n]]:
        name = strange[0]
        raise ValueError(f"{type} with {name}={short(arguments[name])} has no counterpart here")
    return params


def _made(kind: type[Layer], params: Mapping[str, Any], shapes: Sequence[Shape]) -> Arguments:
    """What the layer of these parameters constructs its module with; nothing if it cannot."""
    try:
        made = kind.model_validate(dict(params)).arguments(shapes)
    except (ValidationError, ValueError, LookupError, TypeError):
        return {}
    return {name: _plain(value) for name, value in made.items()}


def _default(kind: type[Layer], name: str) -> Any:
    for parameter in signature(factory(kind)):
        if parameter.name == name:
            return _plain(parameter.default)
    return None


def _plain(value: Any) -> Any:
    """A value as JSON has it: lists for tuples."""
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def _mean(arguments: Arguments, shapes: Sequence[Shape]) -> dict[str, Any]:
    axes = list(arguments["axes"])
    return {} if axes == list(range(1, len(shapes[0]))) else {"axes_to_average": axes}


def _shortcut(arguments: Arguments, _shapes: Sequence[Shape]) -> dict[str, Any]:
    return {} if arguments["norm"] == "batch" else {"norm": arguments["norm"]}


def _layer_scale(arguments: Arguments, shapes: Sequence[Shape]) -> dict[str, Any]:
    axis = len(shapes[0]) - 1 - arguments["trailing"]
    return {"init": arguments["init"], **({"axis": axis} if arguments["trailing"] else {})}


_BACKWARDS: Mapping[str, Callable[[Arguments, Sequence[Shape]], dict[str, Any]]] = {
    "Mean": _mean,
    "Shortcut": _shortcut,
    "LayerScale": _layer_scale,
}
