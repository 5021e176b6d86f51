"""Activations."""

from __future__ import annotations

from typing import Any

from engine.importing.calls import Operation, Scribe, operation

_PLAIN = {
    "relu": "ReLU",
    "relu_": "ReLU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu6": "ReLU6",
    "silu": "SiLU",
    "silu_": "SiLU",
    "mish": "Mish",
    "hardswish": "Hardswish",
    "hardswish_": "Hardswish",
    "hardsigmoid": "Hardsigmoid",
    "selu": "SELU",
    "softsign": "Softsign",
    "tanhshrink": "Tanhshrink",
    "logsigmoid": "LogSigmoid",
    "log_sigmoid": "LogSigmoid",
}


def _plain(type: str) -> Operation:
    def made(scribe: Scribe, x: Any, inplace: bool = False) -> Any:
        return scribe.layer(type, {}, x)

    return made


for _name, _type in _PLAIN.items():
    operation(_name)(_plain(_type))


@operation("leaky_relu", "leaky_relu_")
def _leaky(scribe: Scribe, x: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return scribe.layer("LeakyReLU", _changed(0.01, negative_slope=negative_slope), x)


@operation("elu", "elu_")
def _elu(scribe: Scribe, x: Any, alpha: float = 1.0, *_rest: Any, **_more: Any) -> Any:
    return scribe.layer("ELU", _changed(1.0, alpha=alpha), x)


@operation("celu")
def _celu(scribe: Scribe, x: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return scribe.layer("CELU", _changed(1.0, alpha=alpha), x)


@operation("gelu")
def _gelu(scribe: Scribe, x: Any, approximate: str = "none") -> Any:
    return scribe.layer("GELU", _changed("none", approximate=approximate), x)


@operation("softplus")
def _softplus(scribe: Scribe, x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    params = {**_changed(1.0, beta=beta), **_changed(20.0, threshold=threshold)}
    return scribe.layer("Softplus", params, x)


@operation("hardtanh", "hardtanh_", "clamp", "clip")
def _hardtanh(
    scribe: Scribe,
    x: Any,
    min_val: float | None = -1.0,
    max_val: float | None = 1.0,
    inplace: bool = False,
    **named: Any,
) -> Any:
    low, high = named.get("min", min_val), named.get("max", max_val)
    if low == 0 and high == 6:
        return scribe.layer("ReLU6", {}, x)
    if low == 0 and (high is None or (high == max_val == 1.0 and "min" in named)):
        return scribe.layer("ReLU", {}, x)
    if low is None or high is None:
        raise scribe.refuse("clamp needs both limits, or a lower limit of 0")
    return scribe.layer("Hardtanh", {"min_val": float(low), "max_val": float(high)}, x)


@operation("softshrink")
def _softshrink(scribe: Scribe, x: Any, lambd: float = 0.5) -> Any:
    return scribe.layer("Softshrink", _changed(0.5, lambd=lambd), x)


@operation("hardshrink")
def _hardshrink(scribe: Scribe, x: Any, lambd: float = 0.5) -> Any:
    return scribe.layer("Hardshrink", _changed(0.5, lambd=lambd), x)


@operation("threshold", "threshold_")
def _threshold(scribe: Scribe, x: Any, threshold: float, value: float, *_rest: Any) -> Any:
    return scribe.layer("Threshold", {"threshold": threshold, "value": value}, x)


@operation("glu")
def _glu(scribe: Scribe, x: Any, dim: int = -1) -> Any:
    return scribe.layer("GLU", _changed(-1, dim=_dim(scribe, x, dim)), x)


@operation("softmax")
def _softmax(scribe: Scribe, x: Any, dim: int = -1, *_rest: Any, **_more: Any) -> Any:
    return scribe.layer("Softmax", _changed(-1, dim=_dim(scribe, x, dim)), x)


@operation("log_softmax")
def _log_softmax(scribe: Scribe, x: Any, dim: int = -1, *_rest: Any, **_more: Any) -> Any:
    return scribe.layer("LogSoftmax", _changed(-1, dim=_dim(scribe, x, dim)), x)


@operation("softmin")
def _softmin(scribe: Scribe, x: Any, dim: int = -1, *_rest: Any, **_more: Any) -> Any:
    return scribe.layer("Softmin", _changed(-1, dim=_dim(scribe, x, dim)), x)


def _dim(scribe: Scribe, x: Any, dim: int) -> int:
    """The last axis as -1, any other from the front."""
    axis = scribe.axis(x, dim)
    return -1 if axis == len(scribe.shape(x)) else axis


def _changed(default: object, **one: Any) -> dict[str, Any]:
    """The parameter, if it is not at its default."""
    return {name: value for name, value in one.items() if value != default}
