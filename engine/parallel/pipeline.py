"""Who works when in a pipeline: schedules of forward and backward passes, and how long they take.

A network is cut into stages, a batch into micro-batches. A stage works on one thing at a time, in
a fixed order; a forward pass waits for the stage before, a backward pass for the stage behind.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of a micro-batch through a stage; `start` and `end` in forward passes of time."""

    stage: int
    micro: int
    backward: bool
    start: float
    end: float


def order(stage: int, stages: int, micros: int, one_f_one_b: bool) -> list[tuple[int, bool]]:
    """What a stage does, as (micro-batch, whether backward).

    GPipe goes forward with all and then backward with all; 1F1B goes backward as soon as it can,
    so that no stage ever keeps more than `stages − stage` micro-batches.

    Source: Huang et al. (2019), GPipe; Narayanan et al. (2019), PipeDream.
    """
    forward = [(micro, False) for micro in range(micros)]
    back = [(micro, True) for micro in range(micros)]
    if not one_f_one_b:
        return forward + back
    ahead = min(stages - stage - 1, micros)
    both = [one for pair in zip(forward[ahead:], back, strict=False) for one in pair]
    return forward[:ahead] + both + back[micros - ahead :]


def schedule(
    stages: int, micros: int, one_f_one_b: bool = False, backward: float = 2.0
) -> list[Pass]:
    """Every pass with its time, sorted by start.

    Args:
        stages: How many stages, each on a device of its own.
        micros: How many micro-batches.
        one_f_one_b: Whether stages alternate; otherwise GPipe.
        backward: How long a backward pass takes; a forward pass takes 1.
    """
    left = [order(stage, stages, micros, one_f_one_b) for stage in range(stages)]
    free, ended = [0.0] * stages, dict[tuple[int, int, bool], float]()
    done: list[Pass] = []
    while any(left):
        for stage in range(stages):
            while left[stage]:
                micro, back = left[stage][0]
                waits = _before(stage, micro, back, stages)
                if any(one not in ended for one in waits):
                    break
                start = max([free[stage], *(ended[one] for one in waits)])
                end = start + (backward if back else 1.0)
                free[stage] = ended[stage, micro, back] = end
                done.append(Pass(stage, micro, back, start, end))
                left[stage].pop(0)
    return sorted(done, key=lambda one: (one.start, one.stage))


def _before(stage: int, micro: int, back: bool, stages: int) -> list[tuple[int, int, bool]]:
    if back:
        return [(stage + 1, micro, True)] if stage + 1 < stages else [(stage, micro, False)]
    return [(stage - 1, micro, False)] if stage else []


def bubble(passes: list[Pass]) -> float:
    """Share of all devices' time in which they have nothing to do."""
    devices = len({one.stage for one in passes})
    whole = max(one.end for one in passes) - min(one.start for one in passes)
    return 1 - sum(one.end - one.start for one in passes) / (devices * whole)


def kept(passes: list[Pass], stage: int) -> int:
    """How many micro-batches a stage keeps at most between their two passes."""
    now = most = 0
    for one in sorted(passes, key=lambda one: one.start):
        if one.stage == stage:
            now += -1 if one.backward else 1
            most = max(most, now)
    return most
