"""Something to show a network while it is looked at."""

from __future__ import annotations

import torch

from engine.network.spec import NetworkSpec

BATCH = 2


def examples(spec: NetworkSpec, batch: int = BATCH) -> tuple[torch.Tensor, ...]:
    """One batch for each input, the same every time."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for node in spec.nodes:
        if node.type == "Input":
            shape = (batch, *node.params.get("shape", ()))
            if node.params.get("dtype") == "token":
                below = min(int(node.params.get("vocabulary") or 2), 1_000)
                found.append(torch.randint(0, below, shape, generator=generator))
            else:
                found.append(torch.randn(shape, generator=generator))
    return tuple(found)
