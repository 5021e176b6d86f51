"""The curriculum's cards, opened once by a worker and kept."""

from __future__ import annotations

import functools

from demos.catalog import Shelf
from engine.jobs import call


@functools.cache
def shelf() -> Shelf:
    """All labs as cards; the first call takes a worker a second or two."""
    opened: Shelf = call("demos.catalog:catalog", {}, seconds=120)
    return opened
