"""A run's past: some of its steps are kept whole, evenly spread, so that one can go back to them.

A kept step is a checkpoint like any other, in the folder `steps` of its run. There are at most
`MOST`, and no more than `LARGEST` of them together; when there are too many, every other one goes
and the spacing doubles, as with the points of the curves.
"""

from __future__ import annotations

import time
from pathlib import Path

from engine.store.home import run_folder
from engine.training import checkpoint
from engine.training.session import Session

MOST = 60
LARGEST = 96 * 2**20  # bytes
SHARE = 0.03  # of the run's time that keeping may take
_FOLDER = "steps"


class Keeper:
    """Keeps steps of one run.

    Attributes:
        every: Steps between two that are kept, at least.
    """

    def __init__(self, folder: Path, session: Session) -> None:
        self._folder = folder / _FOLDER
        self._steps = kept(folder)
        self.every = max(1, session.steps // MOST)
        self._cost = 0.0  # of the last writing [s]
        self._kept = 0.0  # when that was, on the monotonic clock

    def look(self, session: Session) -> None:
        """Keep the step that the session has reached, if it is due."""
        if self._steps and session.step - self._steps[-1] < self.every:
            return
        if time.monotonic() - self._kept < self._cost / SHARE:
            return
        self.keep(session)

    def keep(self, session: Session) -> None:
        """Keep it, due or not."""
        if self._steps and session.step <= self._steps[-1]:
            return
        begun = time.monotonic()
        session.route.settle(session.optimizer, session.settings)
        path = _path(self._folder, session.step)
        checkpoint.write_state(path, session.module, session.optimizer, session.state())
        self._steps.append(session.step)
        most = max(2, min(MOST, LARGEST // max(1, path.stat().st_size)))
        while len(self._steps) > most:
            self._thin()
        self._kept = time.monotonic()
        self._cost = self._kept - begun

    def _thin(self) -> None:
        """Let every other one go, but neither the first nor the last."""
        self.every *= 2
        for step in self._steps[1:-1:2]:
            _path(self._folder, step).unlink(missing_ok=True)
        self._steps = self._steps[:1] + self._steps[2:-1:2] + self._steps[-1:]


def kept(folder: Path) -> list[int]:
    """The steps that are kept in a run's folder, rising."""
    return sorted(int(path.stem) for path in (folder / _FOLDER).glob("*.safetensors"))


def place(run: str, step: int) -> Path:
    """The checkpoint of a kept step.

    Raises:
        LookupError: The run has not kept it; says which steps it has.
    """
    folder = run_folder(run)
    steps = kept(folder)
    if step not in steps:
        told = ", ".join(map(str, steps[:: max(1, len(steps) // 10)])) or "none at all"
        raise LookupError(f"step {step} of this run is not kept; it has {told}")
    return _path(folder / _FOLDER, step)


def _path(folder: Path, step: int) -> Path:
    return folder / f"{step:09d}.safetensors"
