"""Operators on tensors without weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.importing.calls import BATCH, Parameter
from engine.importing.onnx.call import Call, Operator, operator

_PLAIN = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Selu": "selu",
    "Softsign": "softsign",
    "Softplus": "softplus",
    "HardSwish": "hardswish",
    "Mish": "mish",
}


def _plainly(name: str) -> Operator:
    def made(call: Call) -> Any:
        return call.do(name, call.get(0))

    return made


for _name, _torch in _PLAIN.items():
    operator(_name)(_plainly(_torch))


@operator("LeakyRelu")
def _leaky(call: Call) -> Any:
    return call.do("leaky_relu", call.get(0), _short(call.attribute("alpha", 0.01)))


@operator("Elu")
def _elu(call: Call) -> Any:
    return call.do("elu", call.get(0), _short(call.attribute("alpha", 1.0)))


@operator("Celu")
def _celu(call: Call) -> Any:
    return call.do("celu", call.get(0), _short(call.attribute("alpha", 1.0)))


@operator("Gelu")
def _gelu(call: Call) -> Any:
    return call.do("gelu", call.get(0), call.attribute("approximate", b"none").decode())


@operator("HardSigmoid")
def _hard_sigmoid(call: Call) -> Any:
    alpha, beta = call.attribute("alpha", 0.2), call.attribute("beta", 0.5)
    if abs(alpha - 1 / 6) > 1e-6 or beta != 0.5:
        raise call.scribe.refuse("HardSigmoid must be x / 6 + 1/2, cut to [0, 1]")
    return call.do("hardsigmoid", call.get(0))


@operator("Clip")
def _clip(call: Call) -> Any:
    low = call.attribute("min", call.number(1))
    high = call.attribute("max", call.number(2))
    return call.do("clamp", call.get(0), low, high)


@operator("Softmax", "LogSoftmax")
def _softmax(call: Call) -> Any:
    name = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[call.name]
    return call.do(name, call.get(0), call.attribute("axis", -1))


@operator("Dropout")
def _dropout(call: Call) -> Any:
    return call.do("dropout", call.get(0), call.number(1, call.attribute("ratio", 0.5)))


@operator("Add", "Sum")
def _add(call: Call) -> Any:
    found = call.get(0)
    for place in range(1, len(call.inputs)):
        found = _added(call, found, call.get(place))
    return found


def _added(call: Call, one: Any, other: Any) -> Any:
    tensor, stored = (other, one) if isinstance(one, Parameter) else (one, other)
    if not isinstance(stored, Parameter):
        return call.do("add", one, other)
    leaf = call.scribe.tape.leaves[call.scribe.tensor(tensor).leaf]
    fits = leaf.params.get("out_features", leaf.params.get("out_channels"))
    array = stored.array
    trailing = array.shape[1:] if leaf.type.startswith("Conv") else array.shape[:-1]
    alone = leaf.type in ("Linear", "Conv1d", "Conv2d", "Conv3d") and "bias" not in leaf.weights
    if alone and array.size == fits and all(size == 1 for size in trailing):
        if call.scribe.tape.outputs_used(tensor):
            raise call.scribe.refuse("a bias is added to what is used elsewhere, too")
        params = {name: value for name, value in leaf.params.items() if name != "bias"}
        weights = {**leaf.weights, "bias": np.ascontiguousarray(array.reshape(-1))}
        call.scribe.tape.change(tensor.leaf, params=params, weights=weights)
        return tensor
    if not array.any():
        return tensor
    raise call.scribe.refuse("no layer adds stored numbers to a tensor")


@operator("Sub")
def _sub(call: Call) -> Any:
    return call.do("sub", *_numbers(call))


@operator("Mul")
def _mul(call: Call) -> Any:
    pair = call.get(0), call.get(1)
    if any(isinstance(one, Parameter) and one.array.size > 1 for one in pair):
        return call.do("mul", *pair)
    return call.do("mul", *_numbers(call))


@operator("Div")
def _div(call: Call) -> Any:
    return call.do("div", *_numbers(call))


@operator("Max")
def _max(call: Call) -> Any:
    return call.do("maximum", call.get(0), call.get(1))


def _numbers(call: Call) -> list[Any]:
    """Both inputs, stored ones that are the same everywhere as that number."""
    found: list[Any] = []
    for one in (call.get(0), call.get(1)):
        if isinstance(one, Parameter):
            values = np.unique(one.array[:1_000_000])
            if values.size != 1:
                raise call.scribe.refuse(f"no layer does {call.name} with stored numbers")
            found.append(values[0].item())
        else:
            found.append(one[0] if isinstance(one, list) and len(one) == 1 else one)
    return found


@operator("Concat")
def _concat(call: Call) -> Any:
    return call.do("cat", list(call.inputs), call.attribute("axis", 0))


@operator("Flatten")
def _flatten(call: Call) -> Any:
    if call.attribute("axis", 1) != 1:
        raise call.scribe.refuse("Flatten must begin at axis 1")
    rank = len(call.scribe.shape(call.get(0)))
    return call.get(0) if rank == 1 else call.do("flatten", call.get(0), 1)


@operator("Reshape")
def _reshape(call: Call) -> Any:
    sizes, shape = call.sizes(1), (BATCH, *call.scribe.shape(call.get(0)))
    wanted: list[Any] = []
    for place, size in enumerate(sizes):
        copied = size == 0 and not call.attribute("allowzero", 0)
        if copied and place >= len(shape):
            raise call.scribe.refuse("Reshape copies an axis that is not there")
        wanted.append(shape[place] if copied else size)
    if wanted and wanted[0] == call.scribe.batch:
        wanted[0] = BATCH
    return call.do("reshape", call.get(0), wanted)


@operator("Transpose")
def _transpose(call: Call) -> Any:
    rank = len(call.scribe.shape(call.get(0))) + 1
    return call.do("permute", call.get(0), list(call.attribute("perm", range(rank)[::-1])))


@operator("Squeeze")
def _squeeze(call: Call) -> Any:
    return call.do("squeeze", call.get(0), call.axes(1))


@operator("Unsqueeze")
def _unsqueeze(call: Call) -> Any:
    found = call.get(0)
    for axis in sorted(call.axes(1) or []):
        found = call.do("unsqueeze", found, axis)
    return found


@operator("Split")
def _split(call: Call) -> Any:
    axis, count = call.attribute("axis", 0), len(call.outputs)
    sizes = call.attribute("split") or (call.sizes(1) if call.get(1) is not None else None)
    if sizes is None:
        return call.do("chunk", call.get(0), count, axis)
    return call.do("split", call.get(0), list(sizes), axis)


@operator("Slice")
def _slice(call: Call) -> Any:
    starts = call.attribute("starts") or call.sizes(1)
    ends = call.attribute("ends") or call.sizes(2)
    axes = call.axes(3, range(len(starts))) or []
    steps = call.sizes(4) if call.get(4) is not None else [1] * len(starts)
    found = call.get(0)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=False):
        found = call.do("slice", found, axis, start, end, step)
    return found


@operator("Pad")
def _pad(call: Call) -> Any:
    pads = list(call.attribute("pads") or call.sizes(1))
    rank = len(call.scribe.shape(call.get(0))) + 1
    axes = call.axes(3, range(rank)) or []
    widths = {
        axis % rank: (a, b)
        for axis, a, b in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=False)
    }
    if any(widths.get(0, (0, 0))):
        raise call.scribe.refuse("Pad must leave the batch alone")
    used = [axis for axis, pair in widths.items() if any(pair)]
    if not used:
        return call.get(0)
    frame = [w for axis in range(rank - 1, min(used) - 1, -1) for w in widths.get(axis, (0, 0))]
    mode = {b"constant": "constant", b"reflect": "reflect", b"edge": "replicate"}.get(
        call.attribute("mode", b"constant")
    )
    if mode is None:
        raise call.scribe.refuse("Pad of this mode has no layer")
    return call.do("pad", call.get(0), frame, mode, call.number(2, 0.0))


@operator("ReduceMean")
def _mean(call: Call) -> Any:
    axes = call.axes(1)
    return call.do("mean", call.get(0), axes, bool(call.attribute("keepdims", 1)))


@operator("ReduceMax")
def _reduce_max(call: Call) -> Any:
    return call.do("amax", call.get(0), call.axes(1), bool(call.attribute("keepdims", 1)))


@operator("DepthToSpace")
def _pixels(call: Call) -> Any:
    if call.attribute("mode", b"DCR") != b"CRD":
        raise call.scribe.refuse("DepthToSpace must be of mode CRD, torch's pixel shuffle")
    return call.do("pixel_shuffle", call.get(0), call.attribute("blocksize"))


@operator("Resize", "Upsample")
def _resize(call: Call) -> Any:
    mode = call.attribute("mode", b"nearest").decode()
    place = 2 if call.name == "Resize" else 1
    scales = call.sizes(place) if call.get(place) is not None else []
    sizes = call.sizes(3) if not scales and call.get(3) is not None else None
    rank = len(call.scribe.shape(call.get(0)))
    torch_mode = {"nearest": "nearest", "linear": {2: "linear", 3: "bilinear"}.get(rank, "")}
    if not torch_mode.get(mode):
        raise call.scribe.refuse(f"Resize of mode {mode:.20} has no layer")
    corners = call.attribute("coordinate_transformation_mode", b"half_pixel") == b"align_corners"
    named: dict[str, Any] = {"mode": torch_mode[mode]}
    named |= {"align_corners": True} if corners else {}
    if sizes is not None:
        return call.do("interpolate", call.get(0), size=sizes[2:], **named)
    return call.do("interpolate", call.get(0), scale_factor=scales[2:], **named)


def _short(number: float) -> float:
    return float(f"{number:.6g}")
