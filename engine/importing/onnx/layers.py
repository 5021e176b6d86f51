"""Operators with weights, and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.importing.calls import Parameter
from engine.importing.onnx.call import Call, operator
from engine.importing.tape import Ref


@operator("Conv")
def _conv(call: Call) -> Any:
    axes = _rank(call)
    x, padding = _padded(call, call.get(0), axes)
    weight = _stored(call, 1)
    return call.do(
        f"conv{axes}d",
        x,
        weight,
        call.get(2),
        call.attribute("strides", [1] * axes),
        padding,
        call.attribute("dilations", [1] * axes),
        call.attribute("group", 1),
    )


@operator("ConvTranspose")
def _transposed(call: Call) -> Any:
    axes = _rank(call)
    pads = call.attribute("pads", [0] * 2 * axes)
    if list(pads[:axes]) != list(pads[axes:]) or call.attribute("output_shape"):
        raise call.scribe.refuse("ConvTranspose must have the same padding on both sides")
    return call.do(
        f"conv_transpose{axes}d",
        call.get(0),
        _stored(call, 1),
        call.get(2),
        call.attribute("strides", [1] * axes),
        list(pads[:axes]),
        call.attribute("output_padding", [0] * axes),
        call.attribute("group", 1),
        call.attribute("dilations", [1] * axes),
    )


@operator("Gemm")
def _gemm(call: Call) -> Any:
    weight, bias = _stored(call, 1), call.get(2)
    if call.attribute("transA", 0):
        raise call.scribe.refuse("Gemm with a transposed input has no layer")
    array = weight.array if call.attribute("transB", 0) else weight.array.T
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    weight = Parameter(weight.name, _scaled(array, alpha))
    if isinstance(bias, Parameter):
        row = (
            np.broadcast_to(bias.array.reshape(-1), (array.shape[0],))
            if bias.array.size
            in (
                1,
                array.shape[0],
            )
            else bias.array
        )
        bias = Parameter(bias.name, _scaled(np.ascontiguousarray(row), beta))
    return call.do("linear", call.get(0), weight, bias)


def _scaled(array: np.ndarray, factor: float) -> np.ndarray:
    return np.ascontiguousarray(array if factor == 1 else array * np.float32(factor))


@operator("MatMul")
def _matmul(call: Call) -> Any:
    first, second = call.get(0), call.get(1)
    if isinstance(second, Parameter):
        if second.array.ndim != 2:
            raise call.scribe.refuse("MatMul with stored numbers needs a matrix")
        array = np.ascontiguousarray(second.array.T)
        return call.do("linear", first, Parameter(second.name, array))
    return call.do("matmul", first, second)


@operator("BatchNormalization")
def _batch_norm(call: Call) -> Any:
    return call.do(
        "batch_norm",
        *(call.get(place) for place in range(5)),
        momentum=round(1 - call.attribute("momentum", 0.9), 6),
        eps=_short(call.attribute("epsilon", 1e-5)),
    )


@operator("InstanceNormalization")
def _instance_norm(call: Call) -> Any:
    eps = _short(call.attribute("epsilon", 1e-5))
    return call.do("instance_norm", call.get(0), call.get(1), call.get(2), eps=eps)


@operator("GroupNormalization")
def _group_norm(call: Call) -> Any:
    groups, eps = call.attribute("num_groups", 1), _short(call.attribute("epsilon", 1e-5))
    return call.do("group_norm", call.get(0), groups, call.get(1), call.get(2), eps)


@operator("LayerNormalization")
def _layer_norm(call: Call) -> Any:
    axis = call.scribe.inner(call.get(0), call.attribute("axis", -1), "LayerNormalization")
    shape = list(call.scribe.shape(call.get(0))[axis:])
    eps = _short(call.attribute("epsilon", 1e-5))
    return call.do("layer_norm", call.get(0), shape, call.get(1), call.get(2), eps)


@operator("RMSNormalization")
def _rms_norm(call: Call) -> Any:
    axis = call.scribe.inner(call.get(0), call.attribute("axis", -1), "RMSNormalization")
    shape = list(call.scribe.shape(call.get(0))[axis:])
    return call.do("rms_norm", call.get(0), shape, call.get(1), call.attribute("epsilon", 1e-5))


@operator("PRelu")
def _prelu(call: Call) -> Any:
    return call.do("prelu", call.get(0), _stored(call, 1))


@operator("Gather")
def _gather(call: Call) -> Any:
    data, places = call.get(0), call.get(1)
    axis = call.attribute("axis", 0)
    if isinstance(data, Parameter) and isinstance(places, Ref) and axis == 0:
        return call.do("embedding", data, places)
    index = call.sizes(1)
    scalar = not isinstance(places, Parameter) or places.array.ndim == 0
    if len(index) != 1 or not isinstance(index[0], int) or not scalar:
        raise call.scribe.refuse("Gather takes one place, or rows of a stored table")
    return call.do("select", data, axis, index[0])


@operator("MaxPool")
def _max_pool(call: Call) -> Any:
    kernel = call.attribute("kernel_shape", [])
    pads = call.attribute("pads", [0] * 2 * len(kernel))
    x = call.get(0)
    if list(pads[: len(kernel)]) != list(pads[len(kernel) :]):
        raise call.scribe.refuse("MaxPool must have the same padding on both sides")
    _refuse_auto(call)
    return call.do(
        f"max_pool{len(kernel)}d",
        x,
        kernel,
        call.attribute("strides", [1] * len(kernel)),
        list(pads[: len(kernel)]),
        call.attribute("dilations", [1] * len(kernel)),
        bool(call.attribute("ceil_mode", 0)),
    )


@operator("AveragePool")
def _average_pool(call: Call) -> Any:
    kernel = call.attribute("kernel_shape", [])
    pads = call.attribute("pads", [0] * 2 * len(kernel))
    if list(pads[: len(kernel)]) != list(pads[len(kernel) :]):
        raise call.scribe.refuse("AveragePool must have the same padding on both sides")
    _refuse_auto(call)
    return call.do(
        f"avg_pool{len(kernel)}d",
        call.get(0),
        kernel,
        call.attribute("strides", [1] * len(kernel)),
        list(pads[: len(kernel)]),
        bool(call.attribute("ceil_mode", 0)),
        bool(call.attribute("count_include_pad", 0)) or not any(pads),
    )


@operator("GlobalAveragePool")
def _global_average(call: Call) -> Any:
    axes = len(call.scribe.shape(call.get(0))) - 1
    return call.do(f"adaptive_avg_pool{axes}d", call.get(0), 1)


@operator("GlobalMaxPool")
def _global_max(call: Call) -> Any:
    axes = len(call.scribe.shape(call.get(0))) - 1
    return call.do(f"adaptive_max_pool{axes}d", call.get(0), 1)


def _rank(call: Call) -> int:
    axes = len(call.scribe.shape(call.get(0))) - 1
    if axes not in (1, 2, 3):
        raise call.scribe.refuse(f"{call.name} works on 1 to 3 axes; got {axes}")
    return axes


def _stored(call: Call, place: int) -> Parameter:
    found = call.get(place)
    if not isinstance(found, Parameter):
        raise call.scribe.refuse(f"{call.name} needs weights that are stored in the file")
    return found


def _refuse_auto(call: Call) -> None:
    auto = call.attribute("auto_pad", b"NOTSET")
    if auto not in (b"NOTSET", b"VALID", b""):
        raise call.scribe.refuse(f"{call.name} with auto_pad {auto!r:.20} has no counterpart")


def _padded(call: Call, x: Any, axes: int) -> tuple[Any, Any]:
    """The input, with a frame of its own where both sides differ, and the padding left."""
    auto = call.attribute("auto_pad", b"NOTSET")
    strides = call.attribute("strides", [1] * axes)
    if auto == b"SAME_UPPER" and all(one == 1 for one in strides):
        return x, "same"
    _refuse_auto(call)
    pads = list(call.attribute("pads", [0] * 2 * axes))
    begin, end = pads[:axes], pads[axes:]
    if begin == end:
        return x, begin
    frame = [width for pair in zip(reversed(begin), reversed(end), strict=True) for width in pair]
    return call.do("pad", x, frame), 0


def _short(number: float) -> float:
    """A number that was kept in 32 bits, as it was meant."""
    return float(f"{number:.6g}")
