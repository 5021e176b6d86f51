"""Starting worker processes, waiting for them, and making sure that none is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).parents[2]


@dataclass(frozen=True)
class Told:
    """What the workers found.

    Attributes:
        weights: `(64, 10)` as nested lists.
        losses: Mean loss of every step [nat].
    """

    weights: list[list[float]]
    losses: list[float]


@contextmanager
def team(size: int, steps: int, seed: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Worker processes that train together; whatever happens, they end with the block."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
        "PYTHONPATH": str(HOME),
    }
    with tempfile.TemporaryDirectory() as folder:
        words = [str(size), str(Path(folder) / "store"), str(steps), str(seed)]
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "engine.parallel.worker", str(rank), *words],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
            )
            for rank in range(size)
        ]  # fmt: skip
        try:
            yield workers
        finally:
            for worker in workers:
                worker.kill()
            for worker in workers:
                worker.communicate()


def wait(workers: list[subprocess.Popen[str]], seconds: float = 60.0) -> Told:
    """What the first worker told, once all have ended.

    Raises:
        ValueError: A worker failed, or did not end in time; says how.
    """
    until = time.monotonic() + seconds
    texts: list[str] = []
    for rank, worker in enumerate(workers):
        try:
            text, trouble = worker.communicate(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"worker {rank}: must end within {seconds:g} s; it did not; run again"
            ) from None
        if worker.returncode:
            last = (trouble.strip().splitlines() or ["no word"])[-1]
            raise ValueError(f"worker {rank}: must end well; got {last:.200}; run again")
        texts.append(text)
    told = json.loads(texts[0])
    return Told(told["weights"], told["losses"])
