"""Starting worker processes, waiting for them, and making sure that none is left behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[2]


@contextmanager
def team(size: int, steps: int, seed: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Worker processes that train together; whatever happens, they end with the block."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(size), str(Path(folder) / "store"), str(steps), str(seed)]
        module = [sys.executable, "-m", "engine.parallel.worker"]
        with _started([[*module, str(rank), *words] for rank in range(size)], [{}] * size) as team:
            yield team


@contextmanager
def scripted(text: str, size: int = 1) -> Iterator[list[subprocess.Popen[str]]]:
    """A script's processes, told who they are as torchrun tells them; they end with the block."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        path = Path(folder) / "train.py"
        path.write_text(text, encoding="utf-8")
        free.bind(("127.0.0.1", 0))  # a port that nobody uses
        port = str(free.getsockname()[1])
        free.close()
        known = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(size)}
        who = [known | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]
        with _started([[sys.executable, str(path)]] * size, who) as processes:
            yield processes


@contextmanager
def _started(
    commands: list[list[str]], environments: list[dict[str, str]]
) -> Iterator[list[subprocess.Popen[str]]]:
    common = os.environ | {
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo" if sys.platform == "linux" else "lo0",
        "PYTHONPATH": str(HOME),
    }
    started: list[subprocess.Popen[str]] = []
    try:
        for command, own in zip(commands, environments, strict=True):
            started.append(
                subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                    env=common | own,
                )
            )  # fmt: skip
        yield started
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.communicate()


def wait(workers: list[subprocess.Popen[str]], seconds: float = 60.0) -> Any:
    """What the first worker printed as JSON, once all have ended.

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
    return json.loads(texts[0])
