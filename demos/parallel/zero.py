"""Will it fit? Sharing out the memory.

Training with Adam in mixed precision holds `16 Ψ` bytes for `Ψ` parameters: weights (2) and
gradients (2) in 16 bits, and the optimiser's 32-bit copy, mean and variance (12). Plain data
parallelism keeps all of it on each of `N` devices. ZeRO shares out: stage 1 the optimiser state
(`4Ψ + 12Ψ/N`), stage 2 the gradients too (`2Ψ + 14Ψ/N`), stage 3, PyTorch's FSDP, the weights as
well (`16Ψ/N`). What a device lacks it fetches when it is needed and then forgets.

**Try:** find the largest model that fits on 64 devices of 80 GB, stage by stage.

Source: Rajbhandari et al. (2020), ZeRO: memory optimizations toward training trillion parameter
models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, below, interactive, lab, near
from engine.optimisers import Memory, adam
from engine.views import Curve, Frame, Matrix, Note, Span, Timeline, View

BYTES = {"weights": 2.0, "gradients": 2.0, "optimiser state": 12.0}  # for each parameter
STAGES = ("0: nothing shared", "1: optimiser", "2: and gradients", "3: and weights")
SENT = (2, 2, 2, 3)  # numbers a device sends in a step, in units of Ψ (section 7 of the paper)


def memory(billions: float, devices: int, stage: int) -> dict[str, float]:
    """Gigabytes on each device by what they hold; a stage shares out its kind and those before."""
    shared = {"optimiser state": stage >= 1, "gradients": stage >= 2, "weights": stage >= 3}
    return {
        name: size * billions / (devices if shared[name] else 1) for name, size in BYTES.items()
    }


def total(billions: float, devices: int, stage: int) -> float:
    """The same added up [GB]."""
    return sum(memory(billions, devices, stage).values())


def shared_adam(devices: int, steps: int) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Adam with its state shared out, and Adam as always: both weights, and state sizes."""
    torch.manual_seed(0)
    w = whole = torch.randn(1000, dtype=torch.float64)
    target, keep, state = torch.randn_like(w), [Memory() for _ in range(devices)], Memory()
    for _ in range(steps):
        g = 2 * (w - target)  # every device knows it after an all-reduce
        pieces = zip(w.chunk(devices), g.chunk(devices), keep, strict=True)
        moved = [adam(*piece, learning_rate=0.1) for piece in pieces]  # each its own shard
        w, keep = torch.cat([part for part, _ in moved]), [m for _, m in moved]  # all-gather
        whole, state = adam(whole, 2 * (whole - target), state, learning_rate=0.1)
    return w, whole, [len(torch.as_tensor(m.m)) for m in keep]


@lab(
    covers=["zero-sharding"],
    seconds=1,
    tries={
        "The paper's example": {"billions": 7.5, "devices": 64},
        "Eight devices of 24 GB": {"billions": 7.0, "devices": 8, "room": 24.0},
        "A trillion parameters": {"billions": 1000.0, "devices": 1024, "room": 32.0},
    },
    question=Question(
        "7.5 billion parameters in 16 bits are 15 GB. What does plain training with Adam need?",
        ("15 GB", "30 GB", "60 GB", "120 GB"),
        3,
        "Gradients are as large again, and the optimiser keeps three 32-bit numbers a parameter.",
    ),
    needs=["data-parallelism", "adam"],
)
def run(
    billions: Annotated[
        float, Slider(0.1, 1000, log=True, live=True, unit="10⁹", help="A larger model")
    ] = 7.5,
    devices: Annotated[int, Slider(1, 1024, log=True, live=True, help="More devices")] = 64,
    room: Annotated[
        float, Slider(8, 192, live=True, unit="GB", help="More memory on each device")
    ] = 80.0,
) -> Frames:
    """Memory of a device by stage and by what it holds; what fits, and what it costs to send."""
    yield from interactive(picture, billions=billions, devices=devices, room=room)


def picture(billions: float, devices: int, room: float) -> Frame:
    """Everything for one setting of the controls."""
    spans, totals = [], [total(billions, devices, stage) for stage in range(4)]
    for stage, name in enumerate(STAGES):
        end = 0.0
        for kind, size in memory(billions, devices, stage).items():
            spans.append(Span(name, end, end + size, f"{size:.3g} GB", kind))
            end += size
    spans.append(Span("one device has", 0.0, room, f"{room:.0f} GB", "room"))
    fits = [name for name, need in zip(STAGES, totals, strict=True) if need <= room]
    n = np.unique(np.geomspace(1, 1024, 41).round())
    lines = {
        name: np.array([total(billions, int(k), stage) for k in n])
        for stage, name in enumerate(STAGES)
    }
    told = f"From stage **{fits[0]}** on it fits." if fits else "It **does not fit**, even shared."
    largest = np.array(
        [[room / total(1.0, devices, s), 2.0 * SENT[s] * billions] for s in range(4)]
    )
    views: dict[str, View] = {
        "memory": Timeline(
            (*STAGES, "one device has"), tuple(spans), "memory of a device [GB]",
            f"{billions:g} billion parameters on {devices} devices",
        ),
        "devices": Curve(
            n, {**lines, "room": np.full(len(n), room)}, "devices", "memory of a device [GB]",
            log=True, logx=True, marks={"here": devices}, title="more devices help what is shared",
        ),
        "price": Matrix(
            largest, STAGES, ("largest model that fits [10⁹]", "sent by a device a step [GB]"),
            numbers=True, title="what it gains and what it costs",
        ),
        "fits": Note(
            f"{told} Activations come on top; they hang on the batch.", "does it fit?",
            "good" if fits else "bad",
        ),
    }  # fmt: skip
    facts = {f"stage {stage} [GB]": need for stage, need in enumerate(totals)}
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """The paper's figure 1: 120, 31.4, 16.6 and 1.9 GB; and sharing changes no result."""
    for stage, gigabytes in enumerate((120.0, 31.4, 16.6, 1.9)):
        told = f"7.5 billion parameters, 64 devices, stage {stage} [GB]"
        yield near(told, total(7.5, 64, stage), gigabytes, 0.1)
    w, whole, sizes = shared_adam(devices=4, steps=20)
    yield below("Adam with shared state − Adam, 20 steps", float((w - whole).abs().max()), 0.0)
    yield near("Part of the state that one of 4 devices keeps", max(sizes) / 1000, 0.25, 0)
