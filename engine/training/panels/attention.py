"""The heads while they form: who looks at whom in one validation sample that stays the same."""

from __future__ import annotations

import numpy as np
import torch

from engine.attention.pictures import overview
from engine.attention.subject import Stream, Subject
from engine.attention.watch import look
from engine.training.panels import Memory, looking, panels
from engine.training.session import Session
from engine.views import View


@panels.add("attention", place=2, shown=True, share=0.05)
def attention(session: Session, memory: Memory) -> View | None:
    """Every head of every layer on the first validation sample."""
    del memory
    inputs = session.data.inputs(session.data.valid_x[:1])
    with looking(session) as module:
        layers = look(module, inputs).layers
    if not layers:
        return None
    streams = tuple(_places(one) for one in inputs)
    return overview(Subject(session.module, inputs, streams), layers, -1)


def _places(x: torch.Tensor) -> Stream:
    """An input's places, by number."""
    count = x.shape[1] if x.ndim < 4 else 0
    return Stream(tuple(map(str, range(count))), np.zeros(0, dtype=np.int64))
