"""Pooling, averages and dropout."""

from __future__ import annotations

from typing import Any

from engine.importing.calls import Operation, Scribe, operation


def one(sizes: Any) -> Any:
    """One number where all are the same."""
    if isinstance(sizes, list | tuple):
        return sizes[0] if len(set(sizes)) == 1 else list(sizes)
    return sizes


def _max_pool(axes: int) -> Operation:
    def made(
        scribe: Scribe,
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        if return_indices:
            raise scribe.refuse("max pooling here gives no indices")
        params = _window(kernel_size, stride, padding, ceil_mode)
        params |= {"dilation": one(dilation)} if one(dilation) != 1 else {}
        return scribe.layer(f"MaxPool{axes}d", params, x)

    return made


def _avg_pool(axes: int) -> Operation:
    def made(
        scribe: Scribe,
        x: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        if divisor_override is not None:
            raise scribe.refuse("average pooling here has no divisor of its own")
        params = _window(kernel_size, stride, padding, ceil_mode)
        params |= {} if count_include_pad else {"count_include_pad": False}
        return scribe.layer(f"AvgPool{axes}d", params, x)

    return made


def _window(kernel: Any, stride: Any, padding: Any, ceil_mode: bool) -> dict[str, Any]:
    size, step = one(kernel), one(stride) if stride not in (None, []) else None
    params: dict[str, Any] = {"kernel_size": size}
    params |= {"stride": step} if step is not None and step != size else {}
    params |= {"padding": one(padding)} if one(padding) != 0 else {}
    return params | ({"ceil_mode": True} if ceil_mode else {})


def _adaptive(type: str) -> Operation:
    def made(scribe: Scribe, x: Any, output_size: Any) -> Any:
        size = one(output_size)
        return scribe.layer(type, {"output_size": size} if size != 1 else {}, x)

    return made


for _axes in (1, 2, 3):
    operation(f"max_pool{_axes}d")(_max_pool(_axes))
    operation(f"avg_pool{_axes}d")(_avg_pool(_axes))
    operation(f"adaptive_avg_pool{_axes}d")(_adaptive(f"AdaptiveAvgPool{_axes}d"))
    operation(f"adaptive_max_pool{_axes}d")(_adaptive(f"AdaptiveMaxPool{_axes}d"))


@operation("mean")
def _mean(scribe: Scribe, x: Any, dim: Any = None, keepdim: bool = False, **_more: Any) -> Any:
    if dim is None:
        raise scribe.refuse("mean needs axes; a mean over all would mix the batch")
    shape = scribe.shape(x)
    dims = dim if isinstance(dim, list | tuple) else [dim]
    axes = sorted(scribe.inner(x, one, "mean") for one in dims)
    x, shape, axes = _before_flattening(scribe, x, axes)
    if axes == list(range(1, len(shape))) and axes:
        pooled = scribe.layer("GlobalAvgPool", {}, x)
    else:
        pooled = scribe.layer("Mean", {"axes_to_average": axes}, x)
    if not keepdim:
        return pooled
    wanted = [1 if place in axes else size for place, size in enumerate(shape)]
    scribe.path = ""
    return scribe.layer("Reshape", {"shape": wanted}, pooled)


def _before_flattening(
    scribe: Scribe, x: Any, axes: list[int]
) -> tuple[Any, tuple[int, ...], list[int]]:
    """Where all places are written in one axis to be averaged, the image they were."""
    leaf, shape = scribe.tape.leaves[scribe.tensor(x).leaf], scribe.shape(x)
    if axes == [1] and len(shape) == 2 and leaf.type in ("Flatten", "Reshape"):
        before = scribe.shape(leaf.sources[0])
        if len(before) > 2 and before[0] == shape[0]:
            return leaf.sources[0], before, list(range(1, len(before)))
    return x, shape, axes


@operation("amax", "max")
def _amax(scribe: Scribe, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    dims = dim if isinstance(dim, list | tuple) else [dim]
    axes = sorted(scribe.inner(x, one, "max") for one in dims)
    x, _, axes = _before_flattening(scribe, x, axes)
    if axes != list(range(1, len(scribe.shape(x)))) or keepdim:
        raise scribe.refuse("the largest is taken over all axes but batch and channels only")
    return scribe.layer("GlobalMaxPool", {}, x)


def _dropout(type: str) -> Operation:
    def made(scribe: Scribe, x: Any, p: float = 0.5, *_rest: Any, **_more: Any) -> Any:
        return scribe.layer(type, {"p": float(p)} if p != 0.5 else {}, x)

    return made


operation("dropout", "dropout_")(_dropout("Dropout"))
operation("dropout1d")(_dropout("Dropout1d"))
operation("dropout2d", "feature_dropout")(_dropout("Dropout2d"))
operation("dropout3d")(_dropout("Dropout3d"))
operation("alpha_dropout")(_dropout("AlphaDropout"))
