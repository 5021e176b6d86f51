"""Whose run is next: every owner gets as many places as the others before anybody gets more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from engine.jobs.run import Run


def fair_order(waiting: Sequence[Run], computing: Iterable[Run]) -> list[Run]:
    """The waiting runs in the order in which they get places.

    Args:
        waiting: In the order in which they came.
        computing: Those that have a place already.
    """
    places = Counter(run.owner for run in computing)
    keyed = []
    for number, run in enumerate(waiting):
        keyed.append((places[run.owner], number, run))
        places[run.owner] += 1
    return [run for _, _, run in sorted(keyed, key=lambda one: one[:2])]
