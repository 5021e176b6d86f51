"""Writes a lab that already passes the battery: `make new id=optimisation.my_idea`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HOME = Path(__file__).parent.parent / "demos"

TEMPLATE = '''"""{title}.

One paragraph: the idea with its formula, `y = sin(f x)`, and what to look at.

**Try:** double the frequency and count the waves.

Source: Author (year), Title.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Slider, interactive, lab, near
from engine.views import Array, Curve, Frame


def wave(x: Array, frequency: float) -> Array:
    """The sine of `frequency` times x, `(n,)`."""
    return np.asarray(np.sin(frequency * x))


@lab(
    covers=[],  # ids of docs/ledger.csv, where it makes some real
    seconds=1,
    tries={{"Twice as fast": {{"frequency": 2.0}}}},
)
def run(
    frequency: Annotated[float, Slider(0.1, 10.0, live=True, help="More waves")] = 1.0,
) -> Frames:
    """Draw the wave; it follows the control."""
    yield from interactive(picture, frequency=frequency)


def picture(frequency: float) -> Frame:
    """The wave over one turn."""
    x = np.linspace(0, 2 * np.pi, 200)
    curve = Curve(x, {{"sine": wave(x, frequency)}}, xlabel="angle [rad]", title="a wave")
    return Frame(1, 1, {{"wave": curve}}, {{"waves in a turn": frequency}})


def check() -> Iterator[Claim]:
    """The wave is back where it began after a turn."""
    end = wave(np.array([2 * np.pi]), 1.0)[0]
    yield near("The sine of a full turn", float(end), 0.0, 1e-12)
'''


def main() -> int:
    """Write the file; the exit status."""
    id = sys.argv[1] if len(sys.argv) > 1 else ""
    if not re.fullmatch(r"[a-z][a-z_]*\.[a-z][a-z0-9_]*", id):
        print(f"id must be chapter.name in small letters; got {id!r}", file=sys.stderr)
        return 2
    chapter, name = id.split(".")
    folder, file = HOME / chapter, HOME / chapter / f"{name}.py"
    if file.exists():
        print(f"{file} is there already", file=sys.stderr)
        return 2
    folder.mkdir(exist_ok=True)
    if not (folder / "__init__.py").exists():
        title = chapter.replace("_", " ").capitalize()
        (folder / "__init__.py").write_text(f'"""{title}."""\n\nORDER = 50\n', encoding="utf-8")
    title = name.replace("_", " ").capitalize()
    text = TEMPLATE.format(title=title)
    file.write_text(text, encoding="utf-8")
    print(f"wrote {file}; now: make lab id={id}, and write its claim")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
