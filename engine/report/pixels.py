"""Numbers as the colours of a picture's pixels, and a picture as text for a page."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt

from engine import palette
from engine.views import Scale, Tiles

Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]


def coloured(values: Floats, scale: Scale, most: float | None = None) -> Bytes:
    """A map's pixels, `(rows, columns)` to `(rows, columns, 3)`.

    Args:
        values: The numbers; NaN is drawn like the lowest.
        scale: How they become colours.
        most: The magnitude of full colour on a signed scale; the largest there is if None.
    """
    if scale == "signed":
        return signed(values, most)
    if scale == "classes":
        table = np.array([_rgb(colour) for colour in palette.CLASSES])
        found: Bytes = table[np.nan_to_num(values).astype(int) % len(table)].astype(np.uint8)
        return found
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    level = np.nan_to_num((values - low) / max(high - low, 1e-12)).clip(0, 1)
    if scale == "grey":
        return np.repeat((255 * level).astype(np.uint8)[..., None], 3, axis=-1)
    stops = np.array([_rgb(colour) for colour in palette.VIRIDIS])
    at = np.linspace(0, 1, len(stops))
    mixed = [np.interp(level, at, stops[:, part]) for part in range(3)]
    return np.stack(mixed, axis=-1).astype(np.uint8)


def signed(values: Floats, most: float | None = None) -> Bytes:
    """Blue above zero, orange below, white at zero, `(rows, columns, 3)`."""
    values = np.nan_to_num(values)
    most = float(np.abs(values).max(initial=0.0)) if most is None else most
    share = np.clip(values / max(most, 1e-12), -1, 1)[..., None]
    colour = np.where(share > 0, _rgb(palette.POSITIVE), _rgb(palette.NEGATIVE))
    mixed: Bytes = (255 + np.abs(share) * (colour - 255.0)).astype(np.uint8)
    return mixed


def tile(image: Floats, view: Tiles) -> Bytes:
    """One picture of many, `(rows, columns)` or with three colours, to `(rows, columns, 3)`."""
    if image.ndim == 3:
        return (255 * np.clip(image, 0, 1)).astype(np.uint8)
    shared = float(np.abs(view.images).max()) if view.shared else None
    return coloured(image, view.scale, shared)


def png(pixels: Bytes) -> str:
    """A picture as an address that holds it whole."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _rgb(colour: str) -> npt.NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)
