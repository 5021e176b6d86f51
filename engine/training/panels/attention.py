"""The heads while they form: who looks at whom in one validation sample that stays the same."""

from __future__ import annotations

import time

import numpy as np
import torch

from engine.attention.pictures import overview
from engine.attention.subject import Stream, Subject
from engine.attention.watch import look
from engine.training.panels import Memory, looking, panels
from engine.training.session import Session
from engine.views import View

SHARE = 0.05  # of the time that may go into this picture


@panels.add("attention", place=2, shown=True)
def attention(session: Session, memory: Memory) -> View | None:
    """Every head of every layer on the first validation sample."""
    if not memory.setdefault("any", True):
        return None
    if time.monotonic() < memory.get("next", 0.0):
        kept: View = memory["view"]
        return kept
    begun = time.monotonic()
    inputs = session.data.inputs(session.data.valid_x[:1])
    with looking(session) as module:
        layers = look(module, inputs).layers
    if not layers:
        memory["any"] = False
        return None
    streams = tuple(_places(one) for one in inputs)
    memory["view"] = overview(Subject(session.module, inputs, streams), layers, -1)
    memory["next"] = time.monotonic() + (time.monotonic() - begun) / SHARE
    made: View = memory["view"]
    return made


def _places(x: torch.Tensor) -> Stream:
    """An input's places, by number."""
    count = x.shape[1] if x.ndim < 4 else 0
    return Stream(tuple(map(str, range(count))), np.zeros(0, dtype=np.int64))
