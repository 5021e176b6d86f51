"""What pydantic has to say against some data, as one sentence for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

_NEEDED = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "tuple_type": "must be a list",
}


def sentence(error: ValidationError, names: Iterable[str] = ()) -> str:
    """The first fault of `error`: *where what must hold; got value*.

    Args:
        error: What a model refused.
        names: Which fields there are, to offer the nearest for a misspelt one.
    """
    faults = error.errors(include_url=False)
    # A misspelt name is why another is missing, so it is told first.
    faults.sort(key=lambda one: one["type"] != "extra_forbidden")
    # Of a union's many complaints the deepest is about what the person meant.
    fault = max(faults, key=lambda one: (one["loc"][:1] == faults[0]["loc"][:1], _weight(one)))
    where = ".".join(str(part) for part in fault["loc"] if not _is_branch(part))
    return f"{where} {_cause(fault, names)}".strip()


def nearest(name: str, names: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for a misspelt name, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def short(value: object, longest: int = 60) -> str:
    """A value as it may stand in a message: never longer than `longest` characters."""
    if isinstance(value, str):
        value = value[: longest + 1]
    elif isinstance(value, list | tuple | dict) and len(value) > longest:
        return f"{type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]}…"


def _weight(fault: Any) -> int:
    return fault["type"] not in _NEEDED


def _is_branch(part: object) -> bool:
    """Whether a piece of pydantic's path names a branch of a union and not a place in the data."""
    text = str(part)
    return text in {"int", "float", "str", "bool", "none", "constrained-int"} or any(
        sign in text for sign in "[("
    )


def _cause(fault: Any, names: Iterable[str]) -> str:
    kind, limits, got = fault["type"], fault.get("ctx", {}), short(fault["input"])
    if kind == "missing":
        return "is needed; give it a value"
    if kind == "extra_forbidden":
        return f"is not known here{nearest(str(fault['loc'][-1]), names)}"
    if kind in _NEEDED:
        return f"{_NEEDED[kind]}; got {got}"
    if kind.startswith(("greater_than", "less_than")):
        (word, limit) = next(iter(limits.items()))
        told = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}[word]
        return f"must be {told} {limit}; got {got}"
    if kind == "literal_error":
        return f"must be one of {limits['expected']}; got {got}"
    if kind == "too_long":
        return f"must have at most {limits['max_length']} items; got {limits['actual_length']}"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}" if kind != "value_error" else message
