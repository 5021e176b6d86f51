"""Weights alone: a safetensors file, with the network in its header where it is ours."""

from __future__ import annotations

import json

import numpy as np

from engine.network.spec import MOST_TEXT, NetworkSpec

LONGEST_HEADER = 20_000_000


def read_tensors(content: bytes) -> tuple[dict[str, np.ndarray], NetworkSpec | None]:
    """The arrays in a safetensors file, and the network that it says it is of.

    Raises:
        ValueError: It is no such file; what its header claims is checked before it is believed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, LONGEST_HEADER):
        raise ValueError("this is no safetensors file: its header is cut off")
    try:
        header = json.loads(content[8 : 8 + length])
        told = header.get("__metadata__", {}).get("spec") if isinstance(header, dict) else None
        arrays = {
            name: tensor.float().numpy() if tensor.is_floating_point() else tensor.numpy()
            for name, tensor in load(content).items()
        }
    except (SafetensorError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise ValueError("this is no safetensors file: its header cannot be read") from None
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not bool(np.isfinite(array).all()):
            raise ValueError(f"tensor {name!r:.60}: must be finite; it holds NaN or infinity")
    spec = NetworkSpec.parse(told) if isinstance(told, str) and len(told) < MOST_TEXT else None
    return arrays, spec
