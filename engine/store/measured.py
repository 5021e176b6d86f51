"""What a kept run measured on its way: its curves, read from the checkpoint without its weights."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from engine.training.history import History

_LARGEST = 64 * 2**20  # bytes of a header; a run's is below one MiB


def history(folder: Path) -> History | None:
    """The curves of a run; None where none are kept, as of a model that was imported."""
    state = _state(folder / "checkpoint.safetensors")
    try:
        return History(**state["history"]) if state else None
    except (KeyError, TypeError):
        return None


def _state(path: Path) -> dict[str, Any] | None:
    """What the checkpoint's header says beside names and shapes of tensors.

    A safetensors file begins with the length of its header, `uint64`, and the header's JSON.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _LARGEST else {}
        found = json.loads(header["__metadata__"]["state"])
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None
    return found if isinstance(found, dict) else None
