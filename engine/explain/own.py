"""What a visitor brings along: a picture, a row of a table or a sentence, as one line of text.

A control of a run holds plain values, so that nothing needs a place on the server: a picture
comes scaled to the model's size, 8 bits a number, in base64.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import warnings
from typing import Any

import numpy as np
import torch

from engine.models.inputs import Given

MOST_BYTES = 12 * 2**20  # of a picture's file
MOST_PIXELS = 24_000_000  # what is decoded at most: 72 MB of numbers
MOST_NUMBERS = 250_000  # of a model's input
LONGEST = 360_000  # characters of the line
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
LIGHT = 0.6  # a rim brighter than this is taken for paper


def picture(data: bytes, shape: list[int], words: str = "your picture") -> str:
    """A picture's file as the input of a model, in one line.

    The middle square is cut out and scaled. For a model of grey pictures dark ink on light paper
    is turned round, because its data have light ink on black.

    Args:
        data: The file: PNG, JPEG, WEBP, GIF or BMP.
        shape: The model's input, (channels, rows, columns).
        words: What it is called.

    Raises:
        ValueError: It is no such file, or too large, or the model takes no pictures; says what
            fits instead.
    """
    channels, rows, columns = _fits(shape)
    image = _opened(data)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.convert("L" if channels == 1 else "RGB").crop(
        (left, top, left + side, top + side)
    )
    small = np.asarray(square.resize((columns, rows)), dtype=np.uint8)
    array = small[None] if channels == 1 else small.transpose(2, 0, 1)
    if channels == 1 and _rim(array[0]) > LIGHT * 255:
        array, words = 255 - array, f"{words}, turned to light on black"
    coded = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return json.dumps({"kind": "picture", "words": words, "shape": list(shape), "data": coded})


def row(values: list[float], words: str = "your row") -> str:
    """A row of a table in the model's own units, in one line."""
    return json.dumps({"kind": "row", "words": words, "values": values})


def sentence(text: str) -> str:
    """A sentence, in one line."""
    return json.dumps({"kind": "text", "text": text})


def read(line: str, shape: tuple[int, ...], vocabulary: tuple[str, ...] = ()) -> Given:
    """What the line stands for, as an input of a model.

    Raises:
        ValueError: It does not fit the model; says what does.
    """
    try:
        found: dict[str, Any] = json.loads(line)
        kind = found["kind"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError("yours: is not something this page has written; bring it again") from None
    match kind:
        case "picture":
            return Given(_picture(found, shape), None, str(found.get("words", "your picture"))[:80])
        case "row":
            return Given(_row(found.get("values"), shape), None, "your row")
        case "text":
            return Given(_text(str(found.get("text", "")), shape, vocabulary), None, "your words")
    raise ValueError(f"yours: must be a picture, a row or a text; got {kind!r:.40}")


def _fits(shape: list[int]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError(
            f"your picture: the model takes samples of shape {shape}, no pictures; "
            f"{'edit a row' if len(shape) == 1 else 'choose a test sample'} instead"
        )
    channels, rows, columns = shape
    if channels not in (1, 3):
        raise ValueError(
            f"your picture: the model takes {channels} channels; a picture has 1 (grey) or 3 "
            f"(colour). Choose a test sample instead"
        )
    if channels * rows * columns > MOST_NUMBERS:
        raise ValueError(f"your picture: the model's input is over {MOST_NUMBERS:,} numbers")
    return channels, rows, columns


def _opened(data: bytes) -> Any:
    """The picture, its size looked at before anything of it is decoded."""
    from PIL import Image, UnidentifiedImageError

    if len(data) > MOST_BYTES:
        raise ValueError(
            f"your picture: the file may have {MOST_BYTES >> 20} MB; it has "
            f"{len(data) / 2**20:.0f}. Save it smaller"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        raise ValueError(f"your picture: must be a file of kind {', '.join(FORMATS)}") from None
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise ValueError(
            f"your picture: {image.width} × {image.height} are {pixels / 1e6:.0f} million pixels; "
            f"at most {MOST_PIXELS // 10**6} million fit, such as 6000 × 4000. Scale it down first"
        )
    try:
        image.load()
    except (OSError, ValueError, SyntaxError):
        raise ValueError("your picture: the file is broken or cut off; save it again") from None
    return image


def _rim(grey: np.ndarray) -> float:
    """The mean of a picture's edge, `(rows, columns)` to a grey level."""
    edges = (grey[0], grey[-1], grey[:, 0], grey[:, -1])
    return float(np.concatenate(edges).mean())


def _picture(found: dict[str, Any], shape: tuple[int, ...]) -> torch.Tensor:
    if tuple(found.get("shape", ())) != shape:
        raise ValueError(
            f"yours: the picture was cut to {found.get('shape')}; this model takes {list(shape)}. "
            f"Bring it again"
        )
    try:
        raw = np.frombuffer(base64.b64decode(str(found["data"]), validate=True), dtype=np.uint8)
        x = torch.from_numpy(raw.astype(np.float32) / 255).reshape(1, *shape)
    except (KeyError, ValueError, RuntimeError, binascii.Error):
        raise ValueError("yours: the picture is damaged; bring it again") from None
    return x


def _row(values: object, shape: tuple[int, ...]) -> torch.Tensor:
    flat = int(np.prod(shape))
    if not isinstance(values, list) or len(values) != flat or len(shape) > 2:
        got = len(values) if isinstance(values, list) else "none"
        raise ValueError(f"your row: must have {flat} numbers, one a column; got {got}")
    try:
        x = torch.tensor([float(value) for value in values], dtype=torch.float32)
    except (TypeError, ValueError):
        raise ValueError("your row: every cell must be a number") from None
    if not bool(x.isfinite().all()):
        raise ValueError("your row: every cell must be a finite number")
    return x.reshape(1, *shape)


def _text(text: str, shape: tuple[int, ...], vocabulary: tuple[str, ...]) -> torch.Tensor:
    import engine.data.tokens as tokens  # here: only models of text need it

    if not vocabulary:
        raise ValueError("your words: this model does not read text; choose a test sample instead")
    if not text.strip():
        raise ValueError("your words: type a few words first, for instance: " + " ".join(
            vocabulary[1:4]
        ))  # fmt: skip
    numbers = tokens.encode(text, vocabulary)
    (length,) = shape
    if len(numbers) > length:
        raise ValueError(
            f"your words: the model reads {length} tokens at most; these are {len(numbers)}"
        )
    fill = vocabulary.index(tokens.NOTHING) if tokens.NOTHING in vocabulary else 0
    return torch.tensor([numbers + [fill] * (length - len(numbers))])
