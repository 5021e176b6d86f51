"""The ledger of topics: what the curriculum has promised, and how much of it is there."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent.parent / "docs" / "ledger.csv"


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the ledger.

    Attributes:
        id: What labs name in `covers`.
        wave: In which wave it is due: 1, 2 or 3.
        chapter: Its chapter of the field, `"04 Optimisation and the training loop"`.
        topic: Its title.
        claim: What its lab must reproduce.
        seconds: How long that may take on one core [s].
    """

    id: str
    wave: int
    chapter: str
    topic: str
    claim: str
    seconds: float


@functools.cache
def ledger() -> dict[str, Topic]:
    """Topic id -> topic, in the order of the ledger."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        topics = [
            Topic(
                r["id"],
                int(r["wave"]),
                r["chapter"],
                r["topic"],
                r["claim"],
                float(r["seconds"] or 0),
            )
            for r in rows
        ]
    return {topic.id: topic for topic in topics}
