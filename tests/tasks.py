"""Tiny runs and functions for the tests of the jobs, found by workers as `tests.tasks:name`."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from engine.forms import Slider
from engine.views import Curve, Frame, Note


def count(of: int):
    """Count; one yield a number."""
    for step in range(1, of + 1):
        yield Frame(step, of, {}, {"n": step})


def thunks(of: int):
    """Count, making frames only when asked; tells how many were made."""
    made = [0]
    for step in range(1, of + 1):

        def show(step=step):
            made[0] += 1
            return Frame(step, of, {}, {"made": made[0]})

        yield show


def forever(rate: Annotated[float, Slider(0.0, 1.0, live=True)] = 0.5, quiet: bool = False):
    """Count for ever and show the live control."""
    step = 0
    while True:
        step += 1
        changes = yield Frame(step, 10**9, {"note": Note(f"rate {rate}")}, {"rate": rate})
        rate = (changes or {}).get("rate", rate)
        time.sleep(0.001)


def random_walk(seed: int, steps: int):
    """A curve from a seed."""
    walk = np.random.default_rng(seed).normal(size=steps).cumsum()
    for step in range(1, steps + 1):
        yield Frame(step, steps, {"walk": Curve(np.arange(step), {"y": walk[:step]})})


def waits(shift: Annotated[float, Slider(-1.0, 1.0, live=True)] = 0.0):
    """A picture that waits for its control."""
    drawn = 0
    while True:
        drawn += 1
        changes = yield Frame(1, 1, {}, {"shift": shift, "drawn": drawn}, waits=True)
        shift = (changes or {}).get("shift", shift)


def saves(folder: Path, of: int):
    """Count with a checkpoint after every number; goes on from one."""
    kept = folder / "checkpoint.json"
    begun = json.loads(kept.read_text())["step"] if kept.exists() else 0
    for step in range(begun + 1, of + 1):
        draft = folder / "checkpoint.new"
        draft.write_text(json.dumps({"step": step}))
        draft.replace(kept)
        yield Frame(step, of, {}, {"begun": begun, "pid": os.getpid()})
        time.sleep(0.001)


def keeps_on_stop(folder: Path):
    """Count for ever; writes its checkpoint only when it is stopped."""
    step = 0
    try:
        while True:
            step += 1
            yield Frame(step, 10**9, {})
    finally:
        (folder / "checkpoint.json").write_text(json.dumps({"step": step}))


def stubborn():
    """Shows one frame and then never ends, not even when it is stopped."""
    try:
        yield Frame(0, 1, {})
    finally:
        while True:
            time.sleep(0.01)


def refuses(word: str):
    """Fails with a word for people."""
    yield Frame(0, 1, {})
    raise ValueError(f"refuses: word must be 'please'; got {word!r}")


def breaks():
    """Fails with a fault of its own."""
    yield Frame(0, 1, {})
    raise ZeroDivisionError("by zero")


def greedy(gib: float):
    """Takes so much memory at once."""
    yield Frame(0, 1, {})
    big = np.ones(int(gib * 2**27))
    yield Frame(1, 1, {}, {"sum": float(big.sum())})


def greedy_tensor(gib: float):
    """Takes so much memory at once, with PyTorch."""
    import torch

    yield Frame(0, 1, {})
    big = torch.ones(int(gib * 2**28))
    yield Frame(1, 1, {}, {"sum": float(big.sum())})


def no_frames():
    """Yields what is no frame."""
    yield "a word"


def sends_a_tensor():
    """Puts into a frame what only a worker can hold."""
    import torch

    yield Frame(1, 1, {}, {"loss": torch.ones(())})


def give_a_tensor():
    """Returns what only a worker can hold."""
    import torch

    return torch.ones(2)


def add(a: float, b: float) -> dict[str, Any]:
    """A sum and who computed it."""
    return {"sum": a + b, "pid": os.getpid()}


def refuse() -> None:
    """Refuses."""
    raise LookupError("there is no such thing; try another")


def fault() -> None:
    """Has a fault."""
    raise ZeroDivisionError("by zero")


def die() -> None:
    """Takes its process with it."""
    os._exit(7)


def sleep() -> None:
    """Takes longer than anybody waits."""
    time.sleep(3600)


def fill(gib: float) -> float:
    """Takes so much memory at once."""
    return float(np.ones(int(gib * 2**27)).sum())
