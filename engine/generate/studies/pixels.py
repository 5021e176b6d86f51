"""Watch a model draw pixel by pixel: the odds of each, what it sees, and your rows completed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from engine.forms import Choice, Drawing, Pick, Slider, Text, Value
from engine.generate.kept import open_kept
from engine.generate.studies.pixels_desk import IMAGES, Desk, Wish
from engine.views import Frame

Begins = Literal["nothing", "your drawing", "a true image"]


def study(
    model: str,
    *,
    begin: Annotated[
        Begins, Choice(get_args(Begins), live=True, help="What the first rows are taken from")
    ] = "nothing",
    moment: Annotated[
        float, Slider(0.0, 1.0, live=True, help="Later while it draws, pixel by pixel")
    ] = 1.0,
    drawing: Annotated[
        list[float],
        Drawing(28, 28, when="begin=your drawing", help="Paint; the model finishes the rest"),
    ] = [],  # noqa: B006 - never changed
    rows: Annotated[
        float,
        Slider(
            0.0,
            1.0,
            live=True,
            when="begin=your drawing|a true image",
            help="More of the image is given",
        ),
    ] = 0.5,
    sample: Annotated[
        int, Slider(0, 999, live=True, when="begin=a true image", help="Another true image")
    ] = 0,
    label: Annotated[
        str, Text(80, live=True, help="For a model that is told classes: which; any: all in turn")
    ] = "any",
    temperature: Annotated[
        float, Slider(0.0, 2.0, live=True, help="Bolder; 0 always takes the likeliest shade")
    ] = 1.0,
    pick: Annotated[int, Pick(IMAGES, "samples", help="Click an image to look at its pixels")] = 0,
    pixel: Annotated[
        int,
        Pick(4096, "picture", help="Click a pixel: its odds, and what it looks at; 0: the newest"),
    ] = 0,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other draws")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Draw, a frame a row; then scrub, click and wait.

    Args:
        model: A file, a run's folder, or the name of a ready model.
        begin: What the first rows are taken from.
        moment: Up to which part of all pixels the images are shown.
        drawing: What was painted.
        rows: Which part of the rows is given.
        sample: Number of the true image.
        label: Name of a class.
        temperature: Divides the scores of the shades.
        pick: The image whose pixels are shown.
        pixel: Number of the pixel looked at, row by row.
        seed: Fixes the draws.

    Yields:
        A frame for every row that is drawn; the last one waits.

    Raises:
        LookupError: There is no such model, or what it learnt from is no longer there.
        ValueError: It does not draw pixel by pixel, or the file is corrupt.
    """
    desk = Desk(*open_kept(model))
    wish = Wish(begin, moment, tuple(drawing), rows, sample, label, temperature, pick, pixel, seed)
    while True:
        changes: Mapping[str, Any] | None = None
        for frame in desk.frames(wish):
            changes = yield frame
            if changes:
                break
        wish = _changed(wish, changes or {})


def _changed(wish: Wish, changes: Mapping[str, Any]) -> Wish:
    """The wish with some controls turned; a pixel stays picked while only others are looked at."""
    new = dict(changes)
    if "drawing" in new:
        new["drawing"] = tuple(new["drawing"])
    if "moment" in new and "pixel" not in new:
        new["pixel"] = 0
    return replace(wish, **new)
