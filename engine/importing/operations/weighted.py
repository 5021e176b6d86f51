"""Functions that are handed weights: layers with something to learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.importing.calls import Operation, Parameter, Scribe, operation
from engine.importing.operations.pooling import one

_AXES = (1, 2, 3)


def held(scribe: Scribe, **tensors: Any) -> dict[str, np.ndarray]:
    """The arrays of the parameters that are there; the layer is called as their owner."""
    found: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, Parameter):
            raise scribe.refuse("needs weights that are stored in the file, not computed")
        found[name] = tensor.array
        owner, _, last = tensor.name.rpartition(".")
        if owner and last == name:
            scribe.path = owner
    return found


def _bias(weights: dict[str, np.ndarray]) -> dict[str, Any]:
    return {} if "bias" in weights else {"bias": False}


def _convolution(axes: int) -> Operation:
    def made(
        scribe: Scribe,
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        weights = held(scribe, weight=weight, bias=bias)
        shape = weights["weight"].shape
        if len(shape) != axes + 2:
            raise scribe.refuse(f"a convolution's weights must have {axes + 2} axes; got {shape}")
        params: dict[str, Any] = {"out_channels": shape[0], "kernel_size": one(shape[2:])}
        usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        for name, value in given.items():
            if one(value) != usual[name]:
                params[name] = one(value)
        return scribe.layer(f"Conv{axes}d", params | _bias(weights), x, weights=weights)

    return made


def _transposed(axes: int) -> Operation:
    def made(
        scribe: Scribe,
        x: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        weights = held(scribe, weight=weight, bias=bias)
        shape = weights["weight"].shape
        if len(shape) != axes + 2:
            raise scribe.refuse(f"a convolution's weights must have {axes + 2} axes; got {shape}")
        params: dict[str, Any] = {"out_channels": shape[1] * groups, "kernel_size": one(shape[2:])}
        usual = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1}
        given = {
            "stride": stride,
            "padding": padding,
            "output_padding": output_padding,
            "groups": groups,
            "dilation": dilation,
        }
        for name, value in given.items():
            if one(value) != usual[name]:
                params[name] = one(value)
        return scribe.layer(f"ConvTranspose{axes}d", params | _bias(weights), x, weights=weights)

    return made


for _axes in _AXES:
    operation(f"conv{_axes}d")(_convolution(_axes))
    operation(f"conv_transpose{_axes}d")(_transposed(_axes))


@operation("linear")
def _linear(scribe: Scribe, x: Any, weight: Any, bias: Any = None) -> Any:
    weights = held(scribe, weight=weight, bias=bias)
    if weights["weight"].ndim != 2:
        raise scribe.refuse("a linear map's weights must have 2 axes")
    params = {"out_features": weights["weight"].shape[0], **_bias(weights)}
    return scribe.layer("Linear", params, x, weights=weights)


@operation("batch_norm")
def _batch_norm(
    scribe: Scribe,
    x: Any,
    weight: Any = None,
    bias: Any = None,
    running_mean: Any = None,
    running_var: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    cudnn_enabled: bool = False,
) -> Any:
    weights = held(
        scribe, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var
    )
    params: dict[str, Any] = {} if abs(eps - 1e-5) < 1e-12 else {"eps": eps}
    params |= {} if abs(momentum - 0.1) < 1e-6 else {"momentum": momentum}
    params |= {} if weight is not None else {"affine": False}
    if running_mean is None:
        params["track_running_stats"] = False
    else:
        weights["num_batches_tracked"] = np.array(0, np.int64)
    axes = max(1, len(scribe.shape(x)) - 1)
    return scribe.layer(f"BatchNorm{axes}d", params, x, weights=weights)


@operation("layer_norm")
def _layer_norm(
    scribe: Scribe,
    x: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    cudnn_enable: bool = False,
) -> Any:
    weights = held(scribe, weight=weight, bias=bias)
    params: dict[str, Any] = {}
    if len(normalized_shape) > 1:
        params["normalized_shape"] = list(normalized_shape)
    params |= {} if abs(eps - 1e-5) < 1e-12 else {"eps": eps}
    params |= {} if weight is not None else {"elementwise_affine": False}
    params |= {"bias": False} if weight is not None and bias is None else {}
    return scribe.layer("LayerNorm", params, x, weights=weights)


@operation("rms_norm")
def _rms_norm(
    scribe: Scribe, x: Any, normalized_shape: Any, weight: Any = None, eps: Any = None
) -> Any:
    weights = held(scribe, weight=weight)
    params: dict[str, Any] = {} if eps is None else {"eps": eps}
    if len(normalized_shape) > 1:
        params["normalized_shape"] = list(normalized_shape)
    params |= {} if weight is not None else {"elementwise_affine": False}
    return scribe.layer("RMSNorm", params, x, weights=weights)


@operation("group_norm")
def _group_norm(
    scribe: Scribe,
    x: Any,
    num_groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = False,
) -> Any:
    weights = held(scribe, weight=weight, bias=bias)
    params: dict[str, Any] = {"num_groups": num_groups}
    params |= {} if abs(eps - 1e-5) < 1e-12 else {"eps": eps}
    params |= {} if weight is not None else {"affine": False}
    return scribe.layer("GroupNorm", params, x, weights=weights)


@operation("instance_norm")
def _instance_norm(
    scribe: Scribe,
    x: Any,
    weight: Any = None,
    bias: Any = None,
    running_mean: Any = None,
    running_var: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    cudnn_enabled: bool = False,
) -> Any:
    if running_mean is not None or running_var is not None:
        raise scribe.refuse("instance norm with kept statistics has no counterpart")
    weights = held(scribe, weight=weight, bias=bias)
    params: dict[str, Any] = {} if weight is None else {"affine": True}
    params |= {} if abs(eps - 1e-5) < 1e-12 else {"eps": eps}
    axes = max(1, len(scribe.shape(x)) - 1)
    return scribe.layer(f"InstanceNorm{axes}d", params, x, weights=weights)


@operation("embedding")
def _embedding(
    scribe: Scribe,
    weight: Any,
    indices: Any,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    weights = held(scribe, weight=weight)
    if weights["weight"].ndim != 2:
        raise scribe.refuse("an embedding's weights must have 2 axes")
    rows, columns = weights["weight"].shape
    params: dict[str, Any] = {"num_embeddings": rows, "embedding_dim": columns}
    params |= {"padding_idx": padding_idx} if padding_idx >= 0 else {}
    return scribe.layer("Embedding", params, indices, weights=weights)


@operation("prelu")
def _prelu(scribe: Scribe, x: Any, weight: Any) -> Any:
    weights = held(scribe, weight=weight)
    weights["weight"] = weights["weight"].reshape(-1)
    count = weights["weight"].size
    return scribe.layer("PReLU", {"num_parameters": count} if count > 1 else {}, x, weights=weights)
