"""A lab in a terminal: `python -m ui.terminal_face optimisation.step_size rate=0.3`."""

from __future__ import annotations

import sys

from demos.shelf import find
from engine.forms import parse
from engine.words import describe


def main(id: str, *settings: str) -> None:
    """Run one lab to its end and say what it shows, a line a frame and a sentence a picture."""
    lab = find(id)
    frame = None
    for frame in lab.frames(**parse(settings)):
        facts = "  ".join(f"{name} {value:.4g}" for name, value in frame.facts.items())
        print(f"{frame.step:>5}/{frame.of}  {facts}")
    if frame is None:
        raise SystemExit(f"lab {id} showed no frame")
    for slot, view in frame.views.items():
        print(f"{slot}: {describe(view)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
