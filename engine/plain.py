"""Frames and views as plain JSON data, for command lines and programs that read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(thing: Any) -> Any:
    """Dataclasses, arrays, tuples and mappings as what JSON knows; NaN and infinities as null.

    A dataclass becomes an object of its fields with its class's name under `kind`.
    """
    if is_dataclass(thing) and not isinstance(thing, type):
        content = {f.name: plain(getattr(thing, f.name)) for f in fields(thing)}
        return {"kind": type(thing).__name__, **content}
    if isinstance(thing, np.ndarray):
        return plain(thing.tolist())
    if isinstance(thing, Mapping):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(one) for one in thing]
    if isinstance(thing, np.generic):
        return plain(thing.item())
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else None
    return thing
