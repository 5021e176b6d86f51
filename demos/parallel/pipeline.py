"""A pipeline and its bubble.

Cut a network into `P` stages, a device each: while one works, the others wait. So cut the batch,
too, into `M` micro-batches that follow each other as on an assembly line. Filling and draining the
line leaves idle time, the *bubble*: `(P − 1)/(M + P − 1)` of all device time. GPipe does all
forward passes first and must keep every micro-batch until its backward pass; *1F1B* alternates, has
the same bubble, and keeps no more than `P`. The gradients are those of the whole batch.

**Try:** raise M and watch the gaps close; then switch to 1F1B and look at what must be kept.

Source: Huang et al. (2019), GPipe: efficient training of giant neural networks;
Narayanan et al. (2019), PipeDream: generalized pipeline parallelism.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import Choice, Claim, Frames, Question, Slider, below, interactive, lab, near, same
from engine.parallel.pipeline import Pass, bubble, kept, schedule
from engine.views import Bars, Curve, Frame, Span, Timeline, View

KINDS = ("GPipe", "1F1B")


def formula(stages: int, micros: int) -> float:
    """The bubble as published: `(P − 1)/(M + P − 1)`."""
    return (stages - 1) / (micros + stages - 1)


def make(stages: int) -> list[nn.Module]:
    """A tanh network of 8 numbers a layer, a layer a stage, in double precision."""
    torch.manual_seed(stages)
    return [nn.Sequential(nn.Linear(8, 8), nn.Tanh()).double() for _ in range(stages)]


def loss(y: Tensor, batch: int) -> Tensor:
    """A share of the batch's mean loss: shares of micro-batches add up to the whole."""
    return (y**2).sum() / batch


def pipelined(parts: list[nn.Module], x: Tensor, passes: list[Pass], micros: int) -> None:
    """Go through the schedule pass by pass; gradients add up in the stages' parameters."""
    fed: dict[tuple[int, int], Tensor] = {}  # what went into a stage, kept for the way back
    out: dict[tuple[int, int], Tensor] = {}
    slope: dict[tuple[int, int], Tensor] = {}
    cut = x.chunk(micros)
    for one in passes:
        here = one.stage, one.micro
        if not one.backward:
            given = out[one.stage - 1, one.micro] if one.stage else cut[one.micro]
            fed[here] = given.detach().requires_grad_()  # as if sent to another device
            out[here] = parts[one.stage](fed[here])
        elif one.stage == len(parts) - 1:
            loss(out[here], len(x)).backward()
            slope[here] = _slope(fed[here])
        else:
            out[here].backward(slope[one.stage + 1, one.micro])
            slope[here] = _slope(fed[here])


def _slope(x: Tensor) -> Tensor:
    if x.grad is None:
        raise ValueError("a pipeline's stage must have had its backward pass")
    return x.grad


def gradient_gap(stages: int, micros: int, passes: list[Pass]) -> float:
    """Largest distance of the pipeline's gradients to those of one pass with the whole batch."""
    parts, x = make(stages), torch.randn(4 * micros, 8, dtype=torch.float64)
    pipelined(parts, x, passes, micros)
    ours = [p.grad for part in parts for p in part.parameters() if p.grad is not None]
    whole = nn.Sequential(*make(stages))
    loss(whole(x), len(x)).backward()
    theirs = [p.grad for p in whole.parameters() if p.grad is not None]
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


@lab(
    covers=["pipeline-parallelism"],
    seconds=1,
    tries={
        "No micro-batches: one works, three wait": {"stages": 4, "micros": 1},
        "32 micro-batches": {"stages": 4, "micros": 32},
        "1F1B keeps less": {"stages": 4, "micros": 12, "kind": "1F1B"},
    },
    question=Question(
        "4 stages, 4 micro-batches. Which share of the devices' time is idle?",
        ("0 %", "25 %", "43 %", "75 %"),
        2,
        "Filling and draining takes P − 1 = 3 of M + P − 1 = 7 turns.",
    ),
    needs=["model-parallelism"],
)
def run(
    stages: Annotated[int, Slider(2, 8, live=True, help="A longer line, a larger bubble")] = 4,
    micros: Annotated[int, Slider(1, 32, live=True, help="Finer pieces, a smaller bubble")] = 4,
    kind: Annotated[str, Choice(KINDS, live=True)] = "GPipe",
    backward: Annotated[
        float, Slider(1, 3, live=True, unit="forward passes", help="Slower backward passes")
    ] = 2.0,
) -> Frames:
    """The timetable of all devices, the bubble, and what each device must keep."""
    yield from interactive(picture, stages=stages, micros=micros, kind=kind, backward=backward)


def picture(stages: int, micros: int, kind: str, backward: float) -> Frame:
    """Everything for one setting of the controls."""
    passes = schedule(stages, micros, kind == "1F1B", backward)
    spans = [
        Span(
            f"device {one.stage + 1}", one.start, one.end, str(one.micro + 1),
            "backward" if one.backward else "forward",
        )
        for one in sorted(passes, key=lambda one: one.backward)
    ]  # fmt: skip
    m = np.arange(1, 33)
    other = schedule(stages, micros, kind != "1F1B", backward)
    names = tuple(f"device {stage + 1}" for stage in range(stages))
    stored = {
        name: np.array([kept(one, stage) for stage in range(stages)], dtype=float)
        for name, one in ((kind, passes), (KINDS[kind == "GPipe"], other))
    }
    views: dict[str, View] = {
        "line": Timeline(
            names, tuple(spans), "time [forward passes]", f"{kind}: which micro-batch is where"
        ),
        "bubble": Curve(
            m, {f"{stages} stages": 100 * np.array([formula(stages, k) for k in range(1, 33)])},
            "micro-batches M", "idle [%]", marks={"here": micros},
            title="the bubble (P − 1)/(M + P − 1)",
        ),
        "kept": Bars(
            names, stored, ylabel="micro-batches", title="how many a device must keep at once"
        ),
    }  # fmt: skip
    facts = {
        "bubble, from the timetable [%]": 100 * bubble(passes),
        "bubble by the formula [%]": 100 * formula(stages, micros),
        "time [forward passes]": max(one.end for one in passes),
        "gradients − whole batch's": gradient_gap(stages, micros, passes),
    }
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """The timetable's bubble is the formula's, and its gradients those of the whole batch."""
    worst, gap = 0.0, 0.0
    for stages, micros in ((2, 1), (2, 8), (4, 4), (4, 32), (8, 3), (8, 16)):
        for alternating in (False, True):
            passes = schedule(stages, micros, alternating)
            worst = max(worst, abs(bubble(passes) - formula(stages, micros)))
            gap = max(gap, gradient_gap(stages, micros, passes))
            most = max(kept(passes, stage) for stage in range(stages))
            if (stages, micros) == (4, 32):
                told = f"{KINDS[alternating]}, P = 4, M = 32: micro-batches kept at most"
                yield same(told, most, 4 if alternating else 32)
    yield below("Bubble of the timetable − formula, 12 settings", worst, 1e-12)
    yield near("P = M = 4: bubble [%]", 100 * bubble(schedule(4, 4)), 42.9, 0.05)
    yield near("P = 4, M = 32: bubble [%]", 100 * bubble(schedule(4, 32)), 8.6, 0.05)
    yield below("Gradients of the pipeline − those of the whole batch, 12 settings", gap, 1e-10)
