"""Letters and digits drawn from free fonts: images that come with their makers' leave.

The fonts are those that come with matplotlib (DejaVu, STIX and Computer Modern: free to use, to
embed and to draw from). Each glyph is drawn large, turned, slanted and moved a little, then made
small, so that no two are alike.
"""

from __future__ import annotations

import functools
import importlib.util
import string
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from engine.data.dataset import DataSet, datasets, split
from engine.forms import Slider

FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
    "cmb10.ttf",
)
LARGE = 3  # times the size at which a glyph is drawn before it is made small
SIGNS = {"digits": string.digits, "capitals": string.ascii_uppercase}


@datasets.add("glyphs", shape=[1, 28, 28], classes=list(string.digits), kind="image")
def glyphs(
    signs: Literal["digits", "capitals"] = "digits",
    size: Annotated[int, Slider(500, 20_000, log=True, help="More images")] = 5000,
    pixels: Annotated[int, Slider(8, 64, help="Larger images")] = 28,
    turn: Annotated[float, Slider(0.0, 25.0, unit="°", help="Turned and slanted further")] = 8.0,
    seed: Annotated[int, Slider(0, 999, help="Another draw of the same kind")] = 0,
) -> DataSet:
    """Printed digits or letters in fourteen free typefaces, each a little turned and moved."""
    random = np.random.default_rng(seed)
    words = SIGNS[signs]
    y = np.arange(size) % len(words)
    x = np.stack([_drawn(words[number], pixels, turn, random) for number in y])
    note = (
        f"{size} images drawn from the {len(FONTS)} free typefaces that come with matplotlib "
        f"(DejaVu, STIX, Computer Modern), turned and slanted by up to {turn:g}°; a fifth is set "
        "aside"
    )
    valid = size // 5
    return split("glyphs", x[:, None], y, tuple(words), seed=seed, valid=valid, note=note)


def _drawn(
    sign: str, pixels: int, turn: float, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """One glyph, `(pixels, pixels)` in [0, 1], white on black, its middle near the image's."""
    side = LARGE * pixels
    height = round(side * random.uniform(0.68, 0.82))
    font = _font(str(random.choice(FONTS)), height)
    image = Image.new("L", (side, side))
    middle = side / 2 + random.uniform(-0.04, 0.04, 2) * side
    left, top, right, bottom = font.getbbox(sign)
    corner = (middle[0] - (left + right) / 2, middle[1] - (top + bottom) / 2)
    ImageDraw.Draw(image).text(corner, sign, fill=255, font=font)
    angle, slant = np.deg2rad(random.uniform(-turn, turn, 2))
    # from a place of the new image to one of the old: turn about the middle, then slant
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array([[cosine, sine], [-sine, cosine]]) @ np.array([[1, np.tan(slant)], [0, 1]])
    shift = np.full(2, side / 2) - matrix @ np.full(2, side / 2)
    values = (*matrix[0], shift[0], *matrix[1], shift[1])
    turned = image.transform(
        (side, side), Image.Transform.AFFINE, values, Image.Resampling.BILINEAR
    )
    small = turned.resize((pixels, pixels), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / np.float32(255)


@functools.lru_cache(maxsize=1024)
def _font(name: str, height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_folder() / name), height)


@functools.cache
def _folder() -> Path:
    """Where matplotlib keeps its fonts; found without importing it, which takes a second.

    Raises:
        LookupError: matplotlib is not installed.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        raise LookupError("glyphs: needs the fonts of matplotlib: pip install matplotlib")
    return Path(found.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf"
