"""Why a layer does not work, in words and with the arithmetic in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.network.registry import Layer, layer, words
from engine.network.shapes import Failed, Signal, Window, arithmetic


def explain(
    type: str, params: Mapping[str, Any], failed: Failed, incoming: Sequence[tuple[str, Signal]]
) -> str:
    """One sentence: the cause in numbers, and what flows in from where.

    Args:
        type: The layer's type.
        params: Its parameters.
        failed: What went wrong.
        incoming: For each edge into it, where it comes from and what flows.
    """
    cause = _cause(type, params, failed, incoming)
    if failed.field:
        return cause
    flows = " and ".join(f"{source} gives {words(signal.shape)}" for source, signal in incoming)
    return f"{cause} ({flows})" if flows else cause


def _cause(
    type: str, params: Mapping[str, Any], failed: Failed, incoming: Sequence[tuple[str, Signal]]
) -> str:
    if failed.field:
        source, signal = incoming[0]
        return (
            f"{failed.field} is {params.get(failed.field)}, but {source} gives "
            f"{arithmetic(signal.shape)}: {failed.found} come in where "
            f"{params.get(failed.field)} are expected"
        )
    try:
        chosen = layer(type, params)
    except (ValueError, LookupError):
        return failed.text
    for look in (_window_too_large, _uneven_groups, _uneven_heads, _no_tokens):
        if text := look(chosen, [signal for _, signal in incoming]):
            return text
    return failed.text


def too_large(chosen: Layer, incoming: Sequence[Signal]) -> list[tuple[int, int, int, int, int]]:
    """Axes on which a window does not fit: axis, size, padding, reach of the kernel, places."""
    if chosen.reach != "window" or not incoming:
        return []
    sizes = incoming[0].shape[1:]
    window, padding = window_of(chosen, len(sizes))
    if padding is None or len(sizes) != len(chosen.axes or ()) - 1:
        return []
    found = []
    for axis, (size, kernel, dilation, pad) in enumerate(
        zip(sizes, window.kernel, window.dilation, padding, strict=True)
    ):
        reach = dilation * (kernel - 1) + 1
        if (places := size + 2 * pad - reach + 1) < 1:
            found.append((axis, size, pad, reach, places))
    return found


def window_of(chosen: Layer, axes: int) -> tuple[Window, tuple[int, ...] | None]:
    """A layer's window as its parameters say, and its padding unless that is a word."""

    def each(name: str, default: int) -> tuple[int, ...]:
        value = getattr(chosen, name, default)
        value = default if value is None else value
        sizes = list(value) if isinstance(value, list) else [value] * axes
        return tuple((sizes + [default] * axes)[:axes])

    given = getattr(chosen, "padding", 0)
    padding = None if isinstance(given, str) else each("padding", 0)
    return Window(each("kernel_size", 1), each("stride", 1), each("dilation", 1)), padding


def _window_too_large(chosen: Layer, incoming: Sequence[Signal]) -> str:
    for _, size, pad, reach, places in too_large(chosen, incoming):
        kernel = "the pooling window" if "Pool" in type(chosen).__name__ else "the kernel"
        return (
            f"{kernel} of {reach} does not fit into {words(incoming[0].shape[1:])} with padding "
            f"{pad}: {size} + 2·{pad} − {reach} + 1 = {places} places".replace("= -", "= −")
        )
    return ""


def _uneven_groups(chosen: Layer, incoming: Sequence[Signal]) -> str:
    parts = getattr(chosen, "groups", None) or getattr(chosen, "num_groups", None)
    if not parts or not incoming or not incoming[0].shape:
        return ""
    channels = incoming[0].shape[0]
    for count, what in ((channels, "channels"), (getattr(chosen, "out_channels", 0), "filters")):
        if count % parts:
            quotient = f"{count} / {parts} = {count / parts:.4g}"
            return f"{count} {what} cannot be split into {parts} groups: {quotient}"
    return ""


def _no_tokens(chosen: Layer, incoming: Sequence[Signal]) -> str:
    if chosen.reads == "token" and incoming and incoming[0].kind == "float":
        return "looks up tokens, which are whole numbers, but numbers with fractions come in"
    return ""


def _uneven_heads(chosen: Layer, incoming: Sequence[Signal]) -> str:
    heads = next((h for n in ("num_heads", "nhead", "heads") if (h := getattr(chosen, n, 0))), 0)
    if not heads or not incoming or not incoming[0].shape:
        return ""
    features = incoming[0].shape[-1]
    if chosen.category == "Attention" and features % heads:
        quotient = f"{features} / {heads} = {features / heads:.4g}"
        return f"{features} features cannot be shared evenly by {heads} heads: {quotient}"
    return ""
