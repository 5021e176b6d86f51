"""How long a network takes here and now, measured on request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from engine.network.build import build
from engine.network.trace import trace

MOST_MEMORY = 2_000_000_000  # bytes of activations a batch may take


def timing(spec: Mapping[str, Any], batch: int = 32, rounds: int = 5) -> dict[str, float]:
    """Shortest time of a forward and of a backward pass over one batch [s], on one thread.

    Args:
        spec: The network.
        batch: How many examples go through at once.
        rounds: How often it is tried.

    Raises:
        ValueError: The network does not work, or the batch would not fit into memory.
    """
    network = build(spec)
    traced = trace(network.spec)
    needed = batch * sum(s.memory for one in traced.measured.values() for s in one.outputs)
    if not 1 <= batch <= 4_096 or needed > MOST_MEMORY:
        raise ValueError(
            f"a batch must have 1 to 4,096 examples and at most {MOST_MEMORY / 1e9:g} GB of "
            f"activations; got {batch} with {needed / 1e9:.2g} GB; take a smaller batch"
        )
    inputs = []
    for path in traced.plan.inputs:
        (signal,) = traced.measured[path].outputs
        whole = signal.kind == "token"
        kind = torch.int64 if whole else torch.float32
        inputs.append(torch.zeros(batch, *signal.shape, dtype=kind))
    forward: list[float] = []
    backward: list[float] = []
    for _ in range(max(1, min(rounds, 100))):
        seconds, results = _clock(lambda: network(*inputs))
        forward.append(seconds)
        several = results.values() if isinstance(results, dict) else [results]
        loss = sum((one.float().sum() for one in several), torch.zeros(()))
        if loss.requires_grad:
            backward.append(_clock(loss.backward)[0])
    return {"batch": batch, "forward": min(forward), "backward": min(backward, default=0.0)}


def _clock(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result
