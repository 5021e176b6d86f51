"""Schedules by name: `schedule(done) -> factor` of the learning rate.

`done` is the part of the planned steps that is behind, in [0, 1]. Warming up is apart from them:
the first part of a run rises in a straight line whatever follows.
"""

from __future__ import annotations

from engine.tables import Table

schedules = Table("schedule", "engine.training.schedules")


def factor(name: str, done: float, warmup: float) -> float:
    """What the learning rate is multiplied with.

    Args:
        name: Of an entry.
        done: The part of the planned steps that is behind, in [0, 1].
        warmup: The part of the run in which the rate rises from nothing.
    """
    if done < warmup:
        return done / warmup
    rest = (done - warmup) / (1 - warmup) if warmup < 1 else 1.0
    value: float = schedules.find(name).function(min(1.0, max(0.0, rest)))
    return value
