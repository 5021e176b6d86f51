"""How much a playground allows its runs; each number can be set in the environment."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _twice_the_cores() -> int:
    return max(2, 2 * (os.cpu_count() or 1))


class Limits(BaseSettings):
    """The numbers; `PLAYGROUND_MAX_RUNS=8` in the environment sets `max_runs`, and so on.

    Attributes:
        max_runs: How many runs may compute at once; more wait in a queue.
        max_workers: How many processes there may be, with those of paused and waiting runs.
        max_queue: How many runs may wait for their turn.
        frames_per_second: How often a watched run shows itself at most [1/s].
        unwatched_frames_per_second: How often one does that nobody watches, for its recording.
        unwatched_minutes: After how long without a watcher a run is paused, and after how much
            longer it is ended [min].
        crowded_seconds: How long a run may compute unwatched while others wait for a place [s].
        run_minutes: How long one run may compute [min].
        memory_gib: How much memory a worker may hold [GiB]; 0 leaves it to the system.
        stop_seconds: How long a stopped run may take to save its state before it is killed [s].
        recording_frames: How many frames of a run are kept for looking back.
        recording_mib: How much memory they may take [MiB].
        ended_runs: How many ended runs stay in memory; older ones only on disk.
        call_workers: How many processes answer `call`.
        spares: How many warm processes wait where none can be forked.
        workers: How they begin: forked from a preloaded process, or as warm spares; `auto`
            forks on Linux without a GPU.
    """

    model_config = SettingsConfigDict(env_prefix="PLAYGROUND_", extra="ignore", frozen=True)

    max_runs: int = Field(default_factory=_twice_the_cores, ge=1)
    max_workers: int = Field(default=64, ge=1)
    max_queue: int = Field(default=200, ge=0)
    frames_per_second: float = Field(default=30.0, gt=0)
    unwatched_frames_per_second: float = Field(default=5.0, gt=0)
    unwatched_minutes: float = Field(default=10.0, gt=0)
    crowded_seconds: float = Field(default=3.0, gt=0)
    run_minutes: float = Field(default=240.0, gt=0)
    memory_gib: float = Field(default=4.0, ge=0)
    stop_seconds: float = Field(default=10.0, gt=0)
    recording_frames: int = Field(default=200, ge=2)
    recording_mib: float = Field(default=16.0, gt=0)
    ended_runs: int = Field(default=300, ge=1)
    call_workers: int = Field(default=2, ge=1)
    spares: int = Field(default=2, ge=1)
    workers: Literal["auto", "fork", "spare"] = "auto"

    def forks(self) -> bool:
        """Whether workers are forked from a preloaded process."""
        if self.workers != "auto":
            return self.workers == "fork"
        # A forked process cannot use a GPU that its parent has touched; asking PyTorch would
        # touch it, so the drivers' device files are looked at.
        gpu = any(Path(device).exists() for device in ("/dev/nvidia0", "/dev/kfd"))
        return sys.platform == "linux" and not gpu


@functools.cache
def limits() -> Limits:
    """The limits of this process, read from its environment once."""
    return Limits()
