"""A run that has a worker, and what the board must remember of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from engine.jobs.limits import Limits
from engine.jobs.processes import Worker
from engine.jobs.pump import Channel
from engine.jobs.run import Run


@dataclass(eq=False)
class Seat:
    """One run, its worker and the line between them.

    Attributes:
        unwatched: Since when nobody watches, on the monotonic clock; None while somebody does.
        held: Whether the board paused it, rather than a visitor.
        computed: How long it has computed so far [s].
        deadline: When its worker is killed if it has not ended, or None.
        lost: When its worker's line broke, or None.
        ending: Why the board ends it, told with its end; "" where a visitor did.
    """

    run: Run
    worker: Worker
    channel: Channel
    unwatched: float | None = field(default_factory=time.monotonic)
    held: bool = False
    computed: float = 0.0
    deadline: float | None = None
    lost: float | None = None
    ending: str = ""

    @property
    def computing(self) -> bool:
        """Whether it takes one of the places for running runs."""
        return self.run.state == "running" and not self.held and self.deadline is None

    def idle(self, now: float) -> float:
        """For how long nobody has watched [s]."""
        return 0.0 if self.unwatched is None else now - self.unwatched

    def overdue(self, now: float, limits: Limits) -> str:
        """Why it must be ended now, or ""."""
        if self.computed > limits.run_minutes * 60:
            return f"Stopped after computing for {limits.run_minutes:g} min, the most for one run."
        patience = limits.unwatched_minutes * 60
        patience *= {"waiting": 1.0, "paused": 2.0}.get(self.run.state, float("inf"))
        return "Ended because nobody watched for a while." if self.idle(now) > patience else ""
