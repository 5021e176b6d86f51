"""What stands on the Explain page, to take home: PNG, SVG and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from html import escape

import numpy as np
import numpy.typing as npt
import streamlit as st

from engine.jobs import Run
from engine.report.pixels import png as address
from engine.report.pixels import signed, tile
from engine.views import Bars, Curve, Frame, Matrix, Tiles, Tokens, View

SIDE = 224  # of a map in the picture [px]
LINE = 22  # room for a caption [px]
GAP = 12
Floats = npt.NDArray[np.float64]


def popover(run: Run, name: str) -> None:
    """Three buttons; each file is made when it is asked for, of what is shown then."""
    file = "".join(sign if sign.isalnum() else "-" for sign in name.lower()).strip("-") or "model"
    with st.popover("Download", icon=":material/download:"):
        kinds = (
            ("PNG", png, "image/png"),
            ("SVG", svg, "image/svg+xml"),
            ("CSV", table, "text/csv"),
        )
        for kind, make, mime in kinds:
            st.download_button(
                kind,
                _later(make, run),
                f"{file}-explained.{kind.lower()}",
                mime,
                on_click="ignore",
                width="stretch",
                key=f"explain.take.{kind}",
            )


def _later(make: Callable[[Frame | None], str | bytes], run: Run) -> Callable[[], str | bytes]:
    """Makes the file of what the run shows when it is asked for."""
    return lambda: make(run.latest)


def png(frame: Frame | None) -> bytes:
    """The pictures of a frame side by side, with their captions."""
    from PIL import Image, ImageDraw

    tiles = pictures(frame)
    across = max(1, min(4, len(tiles)))
    down = max(1, -(-len(tiles) // across))
    size = (GAP + across * (SIDE + GAP), GAP + down * (SIDE + LINE + GAP))
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    for index, (caption, picture) in enumerate(tiles):
        left, top = _corner(index, across)
        image = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.NEAREST)
        sheet.paste(image, (left, top))
        pen.text((left, top + SIDE + 4), _latin(caption)[:40], fill="#333333")
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def svg(frame: Frame | None) -> str:
    """The same as a drawing that can be enlarged; a pixel of a map stays a square."""
    tiles = pictures(frame)
    across = max(1, min(4, len(tiles)))
    down = max(1, -(-len(tiles) // across))
    width, height = GAP + across * (SIDE + GAP), GAP + down * (SIDE + LINE + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/>'
    ]
    for index, (caption, picture) in enumerate(tiles):
        left, top = _corner(index, across)
        parts.append(
            f'<image x="{left}" y="{top}" width="{SIDE}" height="{SIDE}" '
            f'preserveAspectRatio="none" style="image-rendering:pixelated" '
            f'href="{address(picture)}"/>'
            f'<text x="{left}" y="{top + SIDE + 15}" fill="#333">{escape(caption)}</text>'
        )
    return "".join([*parts, "</svg>"])


def table(frame: Frame | None) -> str:
    """The numbers: a line for every place of every map, and of every bar, line and word."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["picture", "name", "row", "column", "value"])
    for slot, view in (frame.views if frame else {}).items():
        for name, values in _numbers(view):
            for place, value in np.ndenumerate(values):
                row, column = place if len(place) == 2 else (0, *place)
                writer.writerow([slot, name, row, column, f"{float(value):.9g}"])
    return out.getvalue()


def pictures(frame: Frame | None) -> list[tuple[str, npt.NDArray[np.uint8]]]:
    """Every picture of a frame with its caption, `(rows, columns, 3)` bytes."""
    found = []
    for slot, view in (frame.views if frame else {}).items():
        if isinstance(view, Tiles):
            for index, image in enumerate(view.images):
                caption = view.captions[index] if index < len(view.captions) else slot
                found.append((caption, tile(image, view)))
        elif slot == "maps":
            for name, values in _numbers(view):
                found.append((name, signed(np.atleast_2d(values))))
    return found


def _numbers(view: View) -> list[tuple[str, Floats]]:
    match view:
        case Tiles():
            names = [*view.captions, *[""] * len(view.images)]
            return [(names[i], image) for i, image in enumerate(view.images) if image.ndim == 2]
        case Bars():
            return list(view.series.items())
        case Curve():
            return list(view.lines.items())
        case Tokens():
            return [(" ".join(view.tokens), view.weights)] if len(view.weights) else []
        case Matrix():
            return [("", view.values)]
    return []


def _corner(index: int, across: int) -> tuple[int, int]:
    left = GAP + (index % across) * (SIDE + GAP)
    return left, GAP + (index // across) * (SIDE + LINE + GAP)


def _latin(text: str) -> str:
    """Signs that the built-in letters have."""
    known = text.replace("≈", "~").replace("²", "2").replace("±", "+-")
    return known.encode("latin-1", "replace").decode("latin-1")
