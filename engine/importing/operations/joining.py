"""Several tensors made into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.importing.calls import Parameter, Scribe, operation
from engine.importing.operations.weighted import held
from engine.importing.tape import Ref


@operation("add", "add_")
def _add(scribe: Scribe, one: Any, other: Any, *, alpha: float = 1) -> Any:
    if alpha != 1:
        raise scribe.refuse("adding with a factor (alpha) has no layer")
    return _both(scribe, "Add", one, other, neutral=0)


@operation("sub", "subtract")
def _sub(scribe: Scribe, one: Any, other: Any, *, alpha: float = 1) -> Any:
    if alpha != 1:
        raise scribe.refuse("subtracting with a factor (alpha) has no layer")
    return _both(scribe, "Subtract", one, other, neutral=0)


@operation("mul", "multiply", "mul_")
def _mul(scribe: Scribe, one: Any, other: Any) -> Any:
    if isinstance(one, Parameter):
        one, other = other, one
    if isinstance(other, Parameter):
        return _scaled(scribe, one, other)
    return _both(scribe, "Multiply", one, other, neutral=1)


def _scaled(scribe: Scribe, x: Any, factors: Parameter) -> Any:
    """A factor for each channel, which the file holds."""
    sizes = factors.array.shape
    trailing = len(sizes) - 1
    axis = len(scribe.shape(x)) - 1 - trailing
    if not sizes or any(size != 1 for size in sizes[1:]) or axis < 0:
        raise scribe.refuse("stored factors must be one for each channel")
    weights = held(scribe, weight=factors)
    return scribe.layer("LayerScale", {"axis": axis} if trailing else {}, x, weights=weights)


@operation("div", "true_divide")
def _div(scribe: Scribe, one: Any, other: Any) -> Any:
    if isinstance(one, Ref) and other == 1:
        return one
    raise scribe.refuse("no layer divides; multiply, or leave the factor to the next weights")


@operation("maximum")
def _maximum(scribe: Scribe, one: Any, other: Any) -> Any:
    return scribe.layer("Maximum", {}, one, other)


@operation("matmul", "bmm", "mm")
def _matmul(scribe: Scribe, one: Any, other: Any) -> Any:
    return scribe.layer("MatMul", {}, one, other)


@operation("cat", "concat", "concatenate")
def _cat(scribe: Scribe, tensors: Sequence[Any], dim: int = 0) -> Any:
    parts = _several(scribe, tensors)
    axis = scribe.inner(parts[0], dim, "cat")
    return scribe.layer("Concat", {"axis": axis} if axis else {}, *parts)


@operation("stack")
def _stack(scribe: Scribe, tensors: Sequence[Any], dim: int = 0) -> Any:
    parts = _several(scribe, tensors)
    rank = len(scribe.shape(parts[0])) + 2
    axis = dim % rank if isinstance(dim, int) and -rank <= dim < rank else 0
    if axis == 0:
        raise scribe.refuse("stack must leave the batch, axis 0, alone")
    return scribe.layer("Stack", {"axis": axis - 1} if axis > 1 else {}, *parts)


def _several(scribe: Scribe, tensors: Any) -> list[Ref]:
    if not isinstance(tensors, list | tuple) or isinstance(tensors, Ref) or not tensors:
        raise scribe.refuse("needs a list of tensors")
    return [scribe.tensor(one) for one in tensors]


def _both(scribe: Scribe, type: str, one: Any, other: Any, *, neutral: float) -> Any:
    """A layer on two tensors; a number beside a tensor must change nothing."""
    if isinstance(one, Ref) and isinstance(other, Ref):
        return scribe.layer(type, {}, one, other)
    tensor, number = (one, other) if isinstance(one, Ref) else (other, one)
    if number == neutral and (isinstance(one, Ref) or type != "Subtract"):
        return tensor
    word = {"Add": "adds", "Subtract": "takes away", "Multiply": "multiplies by"}[type]
    raise scribe.refuse(f"no layer {word} a constant such as {number!r:.40}")
