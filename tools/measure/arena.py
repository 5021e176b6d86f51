"""How soon the Attack page answers a slider: from the new budget to the frame that shows it."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch

from engine.attack.study import study
from engine.network.templates import spec_of
from engine.training.run import train
from tools.measure import Row

TURNS = 15
GOAL = 150.0  # [ms]


def rows() -> list[Row]:
    """The median over turns of the slider, FGSM and PGD with 20 steps, one thread."""
    torch.set_num_threads(1)
    found = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for _ in train(spec_of("lenet-digits"), "digits", folder=folder, epochs=2):
            pass
        for method in ("fgsm", "pgd"):
            took = _turns(str(folder), method)
            found.append(
                Row(
                    f"Attack page, ε turned, {method}",
                    f"{took:.0f} ms",
                    f"< {GOAL:.0f} ms",
                    took < GOAL,
                    "8 × 8 digits; in the worker, without the socket",
                )
            )
    return found


def _turns(folder: str, method: str) -> float:
    """Median time from a new budget to its first frame [ms]."""
    run = study(folder, method=method)
    frame = next(run)
    while not frame.waits:
        frame = run.send(None)
    times = []
    for turn in range(TURNS):
        begun = time.perf_counter()
        run.send({"epsilon": 0.05 + 0.011 * turn})
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)
