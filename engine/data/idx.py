"""The IDX format of MNIST: four bytes of magic, the sizes, then one byte a number.

Source: LeCun, Cortes & Burges (1998), The MNIST database of handwritten digits.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

LARGEST = 64_000_000  # bytes; the largest file of MNIST has 47,040,016


def read(path: Path) -> npt.NDArray[np.uint8]:
    """The array in an IDX file, packed with gzip or not.

    Raises:
        ValueError: The file is corrupt or too large; says at which byte.
    """
    content = _content(path)
    if len(content) < 4:
        raise ValueError(f"{path.name}: an IDX file has 4 bytes of magic; got {len(content)} bytes")
    for place, (got, wanted) in enumerate(zip(content, (0, 0, 8), strict=False)):
        if got != wanted:
            raise ValueError(
                f"{path.name}: byte {place} of an IDX file of unsigned bytes must be {wanted}; "
                f"got {got}. Is it another kind of file?"
            )
    axes = content[3]
    if not 1 <= axes <= 4:
        raise ValueError(f"{path.name}: byte 3, the number of axes, must be 1 to 4; got {axes}")
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError(f"{path.name}: the {axes} sizes end at byte {start}; got {len(content)}")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", axes, offset=4))
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path.name}: the sizes {shape} at bytes 4 to {start - 1} ask for "
            f"{math.prod(shape)} bytes of data; got {len(content) - start}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path: Path) -> bytes:
    """All bytes of a file, unpacked; never more than `LARGEST`."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            unpacked = gzip.GzipFile(fileobj=file) if packed else file
            content = unpacked.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"{path.name}: the gzip data break off or are corrupt near byte {file.tell()}: "
                f"{error}"
            ) from error
    if len(content) > LARGEST:
        raise ValueError(f"{path.name}: must hold at most {LARGEST} bytes")
    return content
