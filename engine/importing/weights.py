"""Weights brought to a network that is there already."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.network.build import build
from engine.network.spec import NetworkSpec


def fitting(
    spec: NetworkSpec, stored: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray] | None, str]:
    """The arrays a network needs, by its own names; or None, and why not.

    What a network only counts with (how many batches a norm has seen) may be absent.
    """
    found: dict[str, np.ndarray] = {}
    for name, tensor in build(spec).state_dict().items():
        if name in stored:
            if tuple(stored[name].shape) != tuple(tensor.shape):
                shapes = f"{tuple(tensor.shape)}; got {tuple(stored[name].shape)}"
                return None, f"{name} must have shape {shapes}"
            found[name] = stored[name]
        elif name.endswith("num_batches_tracked"):
            found[name] = np.array(0, np.int64)
        else:
            return None, f"there is no {name}"
    return found, ""
