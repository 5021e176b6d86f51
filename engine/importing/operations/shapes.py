"""The same numbers in other axes, or a part of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from engine.importing.calls import BATCH, Batch, Scribe, operation


@operation("contiguous", "clone", "detach", "float", "alias", "to", "type_as", "lift_fresh_copy")
def _same(scribe: Scribe, x: Any, *_rest: Any, **_more: Any) -> Any:
    return scribe.tensor(x)


@operation("flatten")
def _flatten(scribe: Scribe, x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    start, end = scribe.axis(x, start_dim), scribe.axis(x, end_dim)
    last = len(scribe.shape(x))
    if start == 0:
        raise scribe.refuse("flatten must leave the batch, axis 0, alone: flatten(x, 1)")
    if start == end:
        return scribe.tensor(x)
    params = {"start_dim": start} if start != 1 else {}
    return scribe.layer("Flatten", params | ({"end_dim": end} if end != last else {}), x)


@operation("reshape", "view", "_unsafe_view")
def _reshape(scribe: Scribe, x: Any, *sizes: Any, **named: Any) -> Any:
    given = named.get("shape", named.get("size", sizes))
    wanted = list(given[0]) if len(given) == 1 and isinstance(given[0], list | tuple) else [*given]
    shape = scribe.shape(x)
    first, rest = (wanted[0], wanted[1:]) if wanted else (None, [])
    if not all(isinstance(size, int) and size >= -1 for size in rest):
        raise scribe.refuse(f"reshape must keep the batch first; got {wanted!r:.80}")
    total = math.prod(shape)
    if first == -1 and (-1 in rest or math.prod(rest) != total):
        raise scribe.refuse(f"reshape must keep the batch as it is; got {wanted!r:.80}")
    if not (isinstance(first, Batch) or first == -1):
        raise scribe.refuse(f"reshape must begin with the batch, x.shape[0]; got {wanted!r:.80}")
    if not rest:
        raise scribe.refuse("reshape must leave an axis besides the batch")
    known = math.prod(size for size in rest if size != -1)
    filled = [total // known if size == -1 and known else size for size in rest]
    if tuple(filled) == shape:
        return scribe.tensor(x)
    if len(rest) == 1:
        return scribe.layer("Flatten", {}, x)
    return scribe.layer("Reshape", {"shape": rest}, x)


@operation("unflatten")
def _unflatten(scribe: Scribe, x: Any, dim: int, sizes: Sequence[int]) -> Any:
    axis = scribe.inner(x, dim, "unflatten") + 1
    params = {"unflattened_size": list(sizes)}
    return scribe.layer("Unflatten", params | ({"dim": axis} if axis != 1 else {}), x)


@operation("permute")
def _permute(scribe: Scribe, x: Any, *dims: Any) -> Any:
    wanted = dims[0] if len(dims) == 1 and isinstance(dims[0], list | tuple) else dims
    order = [scribe.axis(x, dim) for dim in wanted]
    if sorted(order) != list(range(len(scribe.shape(x)) + 1)) or order[0] != 0:
        raise scribe.refuse(f"permute must keep the batch first; got {list(wanted)!r:.60}")
    if order == sorted(order):
        return scribe.tensor(x)
    return scribe.layer("Permute", {"order": [axis - 1 for axis in order[1:]]}, x)


@operation("transpose", "swapaxes")
def _transpose(scribe: Scribe, x: Any, dim0: int, dim1: int) -> Any:
    order = list(range(len(scribe.shape(x)) + 1))
    a, b = scribe.axis(x, dim0), scribe.axis(x, dim1)
    order[a], order[b] = order[b], order[a]
    return _permute(scribe, x, *order)


@operation("unsqueeze")
def _unsqueeze(scribe: Scribe, x: Any, dim: int) -> Any:
    shape = [1, *scribe.shape(x)]
    place = dim if dim >= 0 else dim + len(shape) + 1
    if not 1 <= place <= len(shape):
        raise scribe.refuse("unsqueeze must leave the batch, axis 0, alone")
    wanted = [*shape[1:place], 1, *shape[place:]]
    return scribe.layer("Reshape", {"shape": wanted}, x)


@operation("squeeze")
def _squeeze(scribe: Scribe, x: Any, dim: Any = None) -> Any:
    shape = scribe.shape(x)
    dims = list(range(1, len(shape) + 1)) if dim is None else dim
    axes = [scribe.inner(x, one, "squeeze") for one in (dims if isinstance(dims, list) else [dims])]
    wanted = [size for place, size in enumerate(shape) if place not in axes or size != 1]
    if tuple(wanted) == shape:
        return scribe.tensor(x)
    if not wanted:
        raise scribe.refuse("squeeze must leave an axis besides the batch")
    return scribe.layer("Flatten" if len(wanted) == 1 else "Reshape", _shape(wanted), x)


def _shape(wanted: list[int]) -> dict[str, Any]:
    return {} if len(wanted) == 1 else {"shape": wanted}


@operation("chunk")
def _chunk(scribe: Scribe, x: Any, chunks: int, dim: int = 0) -> Any:
    axis = scribe.inner(x, dim, "chunk")
    length = scribe.shape(x)[axis]
    if not isinstance(chunks, int) or chunks < 1 or length % chunks:
        raise scribe.refuse(f"chunk must cut {length} into equal parts; got {chunks!r:.20}")
    made = scribe.layer("Split", _parts(chunks, axis), x)
    return made if chunks > 1 else (made,)


@operation("split", "split_with_sizes")
def _split(scribe: Scribe, x: Any, split_size: Any, dim: int = 0) -> Any:
    axis = scribe.inner(x, dim, "split")
    length = scribe.shape(x)[axis]
    sizes = split_size if isinstance(split_size, list | tuple) else [split_size]
    same = all(isinstance(size, int) and size == sizes[0] and size > 0 for size in sizes)
    if not same or length % sizes[0] or len(sizes) not in (1, length // sizes[0]):
        raise scribe.refuse(f"split must cut {length} into equal parts; got {split_size!r:.40}")
    made = scribe.layer("Split", _parts(length // sizes[0], axis), x)
    return made if isinstance(made, tuple) and length != sizes[0] else (made,)


def _parts(parts: int, axis: int) -> dict[str, Any]:
    return {"parts": parts, **({"axis": axis} if axis else {})}


@operation("select")
def _select(scribe: Scribe, x: Any, dim: int, index: int) -> Any:
    axis = scribe.inner(x, dim, "select")
    params = {**({"axis": axis} if axis else {}), **({"index": index} if index else {})}
    return scribe.layer("Select", params, x)


@operation("slice")
def _slice(
    scribe: Scribe,
    x: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Any:
    first = start or 0
    if scribe.axis(x, dim) == 0:
        if first == 0 and (end is None or end >= 2**31) and step == 1:
            return scribe.tensor(x)
        raise scribe.refuse("a slice must leave the batch, axis 0, alone")
    axis = scribe.inner(x, dim, "slice")
    length = scribe.shape(x)[axis]
    stop = None if end is None or end >= length else end
    if first == 0 and stop is None and step == 1:
        return scribe.tensor(x)
    usual = {"axis": 0, "start": 0, "stop": None, "step": 1}
    params = {"axis": axis, "start": first, "stop": stop, "step": step}
    return scribe.layer("Slice", {k: v for k, v in params.items() if v != usual[k]}, x)


@operation("pad", "constant_pad_nd")
def _pad(
    scribe: Scribe, x: Any, pad: Sequence[int], mode: Any = "constant", value: Any = None
) -> Any:
    if isinstance(mode, int | float):  # constant_pad_nd's value
        mode, value = "constant", mode
    params: dict[str, Any] = {"padding": list(pad)}
    params |= {"mode": mode} if mode != "constant" else {}
    return scribe.layer("Pad", params | ({"value": float(value)} if value else {}), x)


@operation("size")
def _size(scribe: Scribe, x: Any, dim: int | None = None) -> Any:
    sizes = (BATCH, *scribe.shape(x))
    return sizes if dim is None else sizes[scribe.axis(x, dim)]


@operation("dim", "ndimension")
def _rank(scribe: Scribe, x: Any) -> int:
    return len(scribe.shape(x)) + 1


@operation("channel_shuffle")
def _shuffle(scribe: Scribe, x: Any, groups: int) -> Any:
    return scribe.layer("ChannelShuffle", {"groups": groups} if groups != 2 else {}, x)


@operation("pixel_shuffle")
def _pixel_shuffle(scribe: Scribe, x: Any, upscale_factor: int) -> Any:
    return scribe.layer("PixelShuffle", {"upscale_factor": upscale_factor}, x)


@operation("pixel_unshuffle")
def _pixel_unshuffle(scribe: Scribe, x: Any, downscale_factor: int) -> Any:
    return scribe.layer("PixelUnshuffle", {"downscale_factor": downscale_factor}, x)


@operation("interpolate")
def _interpolate(
    scribe: Scribe,
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    params: dict[str, Any] = {} if size is None else {"size": _one(size)}
    if size is None and scale_factor is not None:
        params["scale_factor"] = float(_one(scale_factor))
    params |= {"mode": mode} if mode != "nearest" else {}
    params |= {"align_corners": align_corners} if align_corners is not None else {}
    return scribe.layer("Upsample", params, x)


def _one(sizes: Any) -> Any:
    """One number where all are the same."""
    if isinstance(sizes, list | tuple):
        return sizes[0] if len(set(sizes)) == 1 else list(sizes)
    return sizes
