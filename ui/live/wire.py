"""Views to binary messages; the other half is `ui/frontend/src/live/wire.ts`.

A message is `uint32 header length | header JSON, padded with spaces | arrays`; docs/architecture.md
says what the header holds. Only views that changed travel, of a curve that grew only the tail,
and pictures as bytes. What a view consists of is read from its dataclass, so a new kind of view
needs nothing here.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.views import Array, Curve, Frame, Tiles, View

_HEADER = (
    "run", "state", "place", "step", "of", "facts", "waits", "leap", "version", "failure", "notice",
    "speed", "live", "resumable",
)  # fmt: skip
_ALIGN = 8
_NAN = 255  # the byte that stands for NaN; 0 to 254 are levels
_TOP = 254
_DIGITS = 7  # of floats in the header: as many as the arrays' single precision has


def encode(info: Mapping[str, Any], frame: Frame | None, previous: Frame | None) -> bytes:
    """One message.

    Args:
        info: What `Run.info` says.
        frame: The newest frame, or None before the first.
        previous: The frame that the receiver has; None makes the message complete.
    """
    arrays = _Arrays()
    views = frame.views if frame else {}
    known = previous.views if previous else {}
    changed = {
        slot: message
        for slot, view in views.items()
        if (message := _change(view, known.get(slot), arrays)) is not None
    }
    header = {name: _json(info.get(name)) for name in _HEADER}
    header |= {"views": changed, "slots": list(views)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % _ALIGN)
    return len(text).to_bytes(4, "little") + text + arrays.data


def decode(message: bytes) -> dict[str, Any]:
    """The header of a message with every array in its place.

    Raises:
        ValueError: It is no such message.
    """
    length = int.from_bytes(message[:4], "little")
    if len(message) < 4 + length:
        raise ValueError(f"a message of {4 + length} bytes or more must follow; got {len(message)}")
    start = 4 + length

    def restore(entry: dict[str, Any]) -> Any:
        return _array(message, start, entry) if "$" in entry and "type" in entry else entry

    header: dict[str, Any] = json.loads(message[4:start], object_hook=restore)
    return header


def merge(known: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    """The views after a message, by slot: those it brings laid over those there were."""
    views: dict[str, Any] = {}
    for slot in message["slots"]:
        view = message["views"].get(slot, known.get(slot))
        if view.get("grow"):
            old = known[slot]
            lines = {
                k: np.concatenate([old["lines"][k], tail]) for k, tail in view["lines"].items()
            }
            view = {**old, "x": np.concatenate([old["x"], view["x"]]), "lines": lines}
        views[slot] = view
    return views


def _change(view: View, known: View | None, arrays: _Arrays) -> dict[str, Any] | None:
    """What the receiver must be told to have this view; None if it has it."""
    if known is not None and _same(view, known):
        return None
    if isinstance(view, Curve) and isinstance(known, Curve) and _grew(view, known):
        begin = len(known.x)
        tails = {name: arrays.put(line[begin:]) for name, line in view.lines.items()}
        return {"kind": "Curve", "grow": True, "x": arrays.put(view.x[begin:]), "lines": tails}
    return _object(_apart(view), arrays)


def _grew(curve: Curve, known: Curve) -> bool:
    count = len(known.x)
    return (
        0 < count <= len(curve.x)
        and list(curve.lines) == list(known.lines)
        and _same(curve.x[:count], known.x)
        and all(_same(curve.lines[name][:count], line) for name, line in known.lines.items())
        and all(
            _same(getattr(curve, field.name), getattr(known, field.name))
            for field in dataclasses.fields(Curve)
            if field.name not in {"x", "lines"}
        )
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two values of views are the same, bit by bit for arrays (so NaN equals NaN)."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        alike = one.shape == other.shape and one.dtype == other.dtype
        return bool(alike and one.tobytes() == other.tobytes())
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if dataclasses.is_dataclass(one):
        names = (field.name for field in dataclasses.fields(one))
        return all(_same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _object(thing: Any, arrays: _Arrays) -> dict[str, Any]:
    """A dataclass as JSON: its fields and its class's name."""
    fields = {
        field.name: _value(getattr(thing, field.name), arrays, field.metadata.get("wire") == "byte")
        for field in dataclasses.fields(thing)
    }
    # Parts of views (nodes, edges, spans) may have a field `kind` of their own.
    return fields if "kind" in fields else {"kind": type(thing).__name__, **fields}


def _value(value: Any, arrays: _Arrays, as_bytes: bool = False) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return arrays.put_bytes(value) if as_bytes else arrays.put(value)
    if dataclasses.is_dataclass(value):
        return _object(value, arrays)
    if isinstance(value, Mapping):
        return {str(key): _value(one, arrays) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(one, arrays) for one in value]
    return _json(value)


def _json(value: Any) -> Any:
    """Plain data with floats as long as they mean something; NaN and infinities as null."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_json(one) for one in value]
    return value


def _apart(view: View) -> View:
    """Tiles that have a scale each, brought to the same range, so that bytes suffice for all."""
    if not isinstance(view, Tiles) or view.shared or view.images.ndim != 3 or not view.images.size:
        return view
    images = view.images.astype(np.float32)
    finite = np.isfinite(images)
    low = np.min(images, (1, 2), keepdims=True, where=finite, initial=np.inf)
    high = np.max(images, (1, 2), keepdims=True, where=finite, initial=-np.inf)
    if view.scale == "signed":  # zero stays zero
        low, high = np.zeros_like(low), np.maximum(-low, high)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        span = np.where(high > low, high - low, 1)
        return dataclasses.replace(view, images=(images - np.where(finite.any(), low, 0)) / span)


class _Arrays:
    """The arrays of a message, one behind the other, each at a multiple of 8 bytes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def put(self, array: Array) -> dict[str, Any]:
        """Add whole numbers as 32-bit integers and others in single precision."""
        whole = array.dtype.kind in "iub" and (array.dtype.itemsize < 4 or _small(array))
        with np.errstate(over="ignore"):  # what single precision cannot hold becomes infinite
            data = array.astype("<i4" if whole else "<f4")
        return {**self._add(data), "type": "i4" if whole else "f4"}

    def put_bytes(self, array: Array) -> dict[str, Any]:
        """Add a picture in 255 levels between its least and its greatest number."""
        finite = np.isfinite(array)
        known = array[finite]  # whole numbers and truths have no infinity to begin a search with
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        span = high - low
        if not math.isfinite(span) or span <= 0:
            levels = np.where(array > low, _TOP, 0).astype(np.float64)
        else:
            with np.errstate(invalid="ignore"):
                levels = np.rint((array.astype(np.float64) - low) * (_TOP / span)).clip(0, _TOP)
        levels[np.isnan(array)] = _NAN
        return {
            **self._add(levels.astype(np.uint8)),
            "type": "u1",
            "low": _json(low),
            "high": _json(high),
        }

    def _add(self, data: Array) -> dict[str, Any]:
        offset = len(self.data)
        self.data += data.tobytes()
        self.data += bytes(-len(self.data) % _ALIGN)
        return {"$": offset, "n": int(data.size), "shape": list(data.shape)}


def _small(array: Array) -> bool:
    limit = 2**31
    return not array.size or bool(-limit <= array.min() and array.max() < limit)


def _array(message: bytes, start: int, entry: Mapping[str, Any]) -> Array:
    kind = np.dtype("<" + entry["type"])
    data: Array = np.frombuffer(message, kind, entry["n"], start + entry["$"])
    if entry["type"] == "u1":
        low, high = entry["low"], entry["high"]
        levels = low + data.astype(np.float64) * ((high - low) / _TOP)
        data = np.where(data == _NAN, np.nan, levels).astype(np.float32)
    return data.reshape(entry["shape"])
