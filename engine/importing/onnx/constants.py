"""Operators that work on sizes and stored numbers, before any tensor flows."""

from __future__ import annotations

import math
import operator as arithmetic
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.importing.calls import BATCH, Parameter
from engine.importing.onnx.call import Call, operator

MOST = 10_000


@operator("Mod")
def _on_tensors(call: Call) -> Any:
    raise call.scribe.refuse(f"no layer does {call.name} on a tensor")


@operator("Constant")
def _constant(call: Call) -> Any:
    for name in ("value_int", "value_float"):
        if name in call.attributes:
            return [call.attributes[name]]
    for name in ("value_ints", "value_floats"):
        if name in call.attributes:
            return list(call.attributes[name])
    value = call.attribute("value")
    if not isinstance(value, np.ndarray):
        raise call.scribe.refuse("Constant holds no numbers")
    return Parameter(call.outputs[0], value)


@operator("Shape")
def _shape(call: Call) -> list[Any]:
    x = call.get(0)
    sizes = list(x.array.shape) if isinstance(x, Parameter) else [BATCH, *call.scribe.shape(x)]
    return sizes[call.attribute("start", 0) : call.attribute("end")]


@operator("Cast", "Identity", "CastLike")
def _same(call: Call) -> Any:
    return call.get(0)


@operator("ConstantOfShape")
def _filled(call: Call) -> Any:
    sizes = call.sizes(0)
    if not all(isinstance(one, int) and 0 <= one <= MOST for one in sizes):
        raise call.scribe.refuse("ConstantOfShape needs small sizes without the batch")
    if math.prod(sizes) > MOST:
        raise call.scribe.refuse(f"ConstantOfShape of {math.prod(sizes):,} numbers is too large")
    value = call.attribute("value")
    fill = value.reshape(-1)[0] if isinstance(value, np.ndarray) and value.size else 0
    return Parameter(call.outputs[0], np.full(sizes, fill))


def sizes_only(call: Call) -> Any:
    """A sum, a part or a row of sizes, where no tensor comes in; None if it is nothing of that."""
    if not call.is_constant:
        return None
    if call.name == "Transpose" and isinstance(call.get(0), Parameter):
        return _turned(call, call.get(0))
    made = _OF_SIZES.get(call.name)
    return made(call) if made is not None else None


def _turned(call: Call, stored: Parameter) -> Parameter:
    order = list(call.attribute("perm", range(stored.array.ndim)[::-1]))
    if sorted(order) != list(range(stored.array.ndim)):
        raise call.scribe.refuse("Transpose needs every axis once")
    return Parameter(stored.name, np.ascontiguousarray(stored.array.transpose(order)))


def _gather(call: Call) -> Any:
    data, places = call.get(0), call.sizes(1)
    if isinstance(data, Parameter) and data.array.ndim > 1:
        return None
    listed = call.sizes(0)
    if any(not isinstance(one, int) or not -len(listed) <= one < len(listed) for one in places):
        raise call.scribe.refuse("Gather takes a place that is not there")
    return [listed[one] for one in places]


def _concat(call: Call) -> Any:
    if any(isinstance(one, Parameter) and one.array.ndim > 1 for one in call.inputs):
        return None
    return [size for place in range(len(call.inputs)) for size in call.sizes(place)]


def _slice(call: Call) -> Any:
    listed = call.sizes(0)
    start, end = call.sizes(1), call.sizes(2)
    step = call.sizes(4) if call.get(4) is not None else [1]
    if step == [0]:
        raise call.scribe.refuse("Slice needs a step")
    return listed[start[0] : end[0] : step[0]]


def _passed(call: Call) -> Any:
    return call.get(0)


def _counted(call: Call) -> Any:
    left, right = call.sizes(0), call.sizes(1)
    if BATCH in (*left, *right):
        raise call.scribe.refuse("the batch size cannot be calculated with")
    if 1 not in (len(left), len(right)) and len(left) != len(right):
        raise call.scribe.refuse(f"{call.name} of sizes that do not fit")
    length = max(len(left), len(right))
    pairs = zip(left * (length // len(left)), right * (length // len(right)), strict=True)
    try:
        return [_SIGNS[call.name](a, b) for a, b in pairs]
    except ArithmeticError:
        raise call.scribe.refuse(f"{call.name} of sizes cannot be worked out") from None


def _divided(a: Any, b: Any) -> Any:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "Add": arithmetic.add,
    "Sub": arithmetic.sub,
    "Mul": arithmetic.mul,
    "Div": _divided,
    "Mod": arithmetic.mod,
}
_OF_SIZES: dict[str, Callable[[Call], Any]] = {
    "Gather": _gather,
    "Concat": _concat,
    "Slice": _slice,
    "Unsqueeze": _passed,
    "Squeeze": _passed,
    "Reshape": _passed,
    **dict.fromkeys(_SIGNS, _counted),
}
