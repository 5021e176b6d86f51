"""Every layer as plain data: what the palette and the forms of a canvas show."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

from pydantic.fields import FieldInfo

from engine.network.registry import Layer, layers


def catalog() -> list[dict[str, Any]]:
    """Every layer with its category, help, source, inputs and the fields of its form."""
    return [_described(kind) for kind in layers().values()]


def _described(kind: type[Layer]) -> dict[str, Any]:
    text = inspect.getdoc(kind) or ""
    _, _, source = text.partition("Source: ")
    return {
        "type": kind.__name__,
        "category": kind.category,
        "help": " ".join(text.partition("\n\n")[0].split()),
        "source": " ".join(source.split()),
        "inputs": list(kind.inputs),
        "fields": [_field(name, field) for name, field in kind.model_fields.items()],
    }


def _field(name: str, field: FieldInfo) -> dict[str, Any]:
    kinds, options, optional = _kinds(field.annotation)
    return {
        "name": name,
        "kind": _kind(kinds, options),
        "default": (field.examples or [None])[0]
        if field.is_required()
        else field.get_default(call_default_factory=True),
        "low": _limit(field, "ge"),
        "high": _limit(field, "le"),
        "options": options,
        "help": field.description or "",
        "required": field.is_required(),
        "optional": optional,
    }


def _kind(kinds: set[Any], options: list[str]) -> str:
    for kind, word in ((list, "integers"), (bool, "toggle"), (float, "number"), (int, "integer")):
        if kind in kinds:
            return word
    return "choice" if options else "text"


def _kinds(annotation: Any) -> tuple[set[Any], list[str], bool]:
    """Which types an annotation allows, which words, and whether it may be left out."""
    kinds: set[Any] = set()
    options: list[str] = []
    optional = False
    stack = [annotation]
    while stack:
        one = stack.pop()
        origin = typing.get_origin(one)
        if origin is typing.Literal:
            options.extend(typing.get_args(one))
        elif origin in (typing.Union, types.UnionType):
            stack.extend(typing.get_args(one))
        elif origin is typing.Annotated:
            stack.append(typing.get_args(one)[0])
        elif one is type(None):
            optional = True
        else:
            kinds.add(origin or one)
    return kinds, options, optional


def _limit(field: FieldInfo, bound: str) -> float | None:
    """The bound of a number, or of the numbers in a list."""
    stack: list[Any] = [field.annotation]
    metadata = list(field.metadata)
    while stack:
        one = stack.pop()
        if typing.get_origin(one) is typing.Annotated:
            for extra in typing.get_args(one)[1:]:
                metadata.extend(extra.metadata if isinstance(extra, FieldInfo) else [extra])
        stack.extend(typing.get_args(one))
    return next((getattr(m, bound) for m in metadata if hasattr(m, bound)), None)
