"""A run that shows something, waits for a control, and shows it anew."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from engine.forms import Value
from engine.views import Frame

Steered = Generator[Frame, Mapping[str, Value] | None, None]


def steered(
    frames: Callable[[Mapping[str, Any]], Iterator[Frame]], controls: Mapping[str, Any]
) -> Steered:
    """Frames for the controls as they stand; begun again as soon as one is turned.

    Args:
        frames: Makes the frames for some controls; the last one waits.
        controls: Where they stand at first.
    """
    stands = dict(controls)
    while True:
        changes: Mapping[str, Value] | None = None
        for frame in frames(stands):
            changes = yield frame
            if changes:  # never finish what nobody wants any more
                break
        stands.update(changes or {})
