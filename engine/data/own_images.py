"""People's own pictures: a zip, a folder or snapshots, a folder's name for each class.

What is inside a zip is looked at before anything is unpacked; nothing is ever written under a name
that came with it. A picture that cannot be read is told by its name.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.data.dataset import DataSet, split
from engine.store.home import home

PREFIX = "images:"
SETTINGS = ("seed",)
LARGEST = 60_000_000  # bytes of a zip, or of all pictures together
LARGEST_FILE = 20_000_000  # bytes of one picture, unpacked
LARGEST_UNPACKED = 400_000_000  # bytes of all, as the zip says
TIGHTEST = 200  # times smaller than its content that a zip may make a large file
MOST_FILES = 10_000
MOST_PIXELS = 25_000_000  # of one picture as it came
MOST_NUMBERS = 60_000_000  # of all pictures as they will be
FEWEST = 8
MOST_CLASSES = 100
SIDES = (8, 128)  # pixels, either way
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
VALID = 0.2  # part set aside for validation
TOLD = 12  # names that are listed

Pixels = npt.NDArray[np.uint8]


@dataclass
class Found:
    """What was in some files.

    Attributes:
        pixels: Pictures, each `(side, side, channels)`.
        labels: The class of each.
        bad: Names of files that could not be read, each with why.
        passed: How many files were passed over because they belong to a machine, not a person.
    """

    pixels: list[Pixels] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    passed: int = 0


def look(files: Mapping[str, bytes] | bytes, side: int = 32, colour: bool = True) -> dict[str, Any]:
    """What is in a zip or in some files, as plain data; nothing is kept.

    Args:
        files: A zip's bytes, or name -> bytes, the class before the last slash of each name.
        side: Rows and columns that each picture gets.
        colour: Whether in colour, or else grey.

    Raises:
        ValueError: The whole must not be read; says why.
    """
    return _told(_read(files, side, colour))


def keep(
    files: Mapping[str, bytes] | bytes,
    side: int = 32,
    colour: bool = True,
    leave_out: bool = False,
) -> str:
    """Keep pictures; the words by which `load` finds them again.

    Args:
        files: See `look`.
        side: See `look`.
        colour: See `look`.
        leave_out: Whether files that cannot be read are left out; otherwise they are a mistake.

    Raises:
        ValueError: They cannot be learnt from; says why, and names the files.
    """
    found = _read(files, side, colour)
    if found.bad and not leave_out:
        listed = "; ".join(f"{name}: {why}" for name, why in found.bad[:TOLD])
        noun = "file" if len(found.bad) == 1 else "files"
        more = f" and {len(found.bad) - TOLD} more" if len(found.bad) > TOLD else ""
        raise ValueError(
            f"{len(found.bad)} {noun} cannot be read: {listed}{more}. Take them out, or leave "
            "them out here"
        )
    names = sorted(set(found.labels))
    if not 2 <= len(names) <= MOST_CLASSES:
        raise ValueError(
            f"the pictures must be of 2 to {MOST_CLASSES} classes, a folder each; "
            f"got {len(names)}" + (f" ({names[0]})" if len(names) == 1 else "")
        )
    if len(found.labels) < FEWEST:
        raise ValueError(f"there must be at least {FEWEST} pictures; got {len(found.labels)}")
    x = np.stack(found.pixels)
    y = np.array([names.index(label) for label in found.labels], dtype=np.int64)
    digest = hashlib.sha256(x.tobytes() + y.tobytes() + "\n".join(names).encode())
    digest.update(f"{len(found.bad)}".encode())
    name = digest.hexdigest()[:24]
    path = _folder() / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{name}.part.npz")
    np.savez(draft, x=x, y=y, names=np.array(names), left_out=np.array(len(found.bad)))
    draft.replace(path)
    return PREFIX + name


def kept(words: str, settings: Mapping[str, object]) -> DataSet:
    """The data set of uploaded pictures, by the words that `keep` gave.

    Raises:
        LookupError: There is no such upload any more.
        ValueError: A setting is unknown or out of range.
    """
    name = words.removeprefix(PREFIX)
    path = _folder() / f"{name}.npz"
    if not re.fullmatch(r"[0-9a-f]{24}", name) or not path.is_file():
        raise LookupError(f"no uploaded pictures {name!r:.40}; upload them again")
    unknown = next((key for key in settings if key not in SETTINGS), None)
    if unknown is not None:
        raise ValueError(f"uploaded pictures have no setting {unknown!r:.80}; only seed")
    seed = settings.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0; got {seed!r:.80}")
    with np.load(path, allow_pickle=False) as file:
        x, y, names, left_out = (file[key] for key in ("x", "y", "names", "left_out"))
    pictures = x.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    valid = max(1, round(VALID * len(x)))
    note = (
        f"{len(x)} pictures of your own, {x.shape[1]} x {x.shape[2]} pixels; {valid} are set aside "
        "for validation"
    )
    if int(left_out):
        note += f"; {int(left_out)} files that could not be read were left out"
    return split(words, pictures, y, tuple(map(str, names)), seed=seed, valid=valid, note=note)


def _told(found: Found) -> dict[str, Any]:
    return {
        "classes": dict(sorted(Counter(found.labels).items())),
        "bad": [[name, why] for name, why in found.bad[:TOLD]],
        "bad_in_all": len(found.bad),
        "passed": found.passed,
    }


def _read(files: Mapping[str, bytes] | bytes, side: int, colour: bool) -> Found:
    """All pictures, resized; what each file was."""
    if not SIDES[0] <= side <= SIDES[1]:
        raise ValueError(f"side must lie in [{SIDES[0]}, {SIDES[1]}] pixels; got {side}")
    found = Found()
    entries = _of_zip(files) if isinstance(files, bytes) else _of_files(files)
    channels = 3 if colour else 1
    for name, content in entries:
        path = PurePosixPath(name)
        if path.name.startswith(".") or path.name == "Thumbs.db" or "__MACOSX" in path.parts:
            found.passed += 1
            continue
        if len(path.parts) < 2:
            found.bad.append((name, "stands in no folder, so its class is not known"))
            continue
        try:
            pixels = picture(content, side, colour)
        except ValueError as error:
            found.bad.append((name, str(error)))
            continue
        found.pixels.append(pixels)
        found.labels.append(path.parts[-2][:60])
        if len(found.pixels) * side * side * channels > MOST_NUMBERS:
            raise ValueError(
                f"{len(found.pixels):,} pictures of {side} x {side} pixels are too many to hold; "
                "take smaller or fewer pictures, or grey ones"
            )
    return found


def _of_files(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    if len(files) > MOST_FILES:
        raise ValueError(f"there must be at most {MOST_FILES:,} files; got {len(files):,}")
    size = sum(map(len, files.values()))
    if size > LARGEST:
        raise ValueError(f"the files must have at most {LARGEST:,} bytes in all; got {size:,}")
    yield from sorted(files.items())


def _of_zip(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a zip's files; its own list is held against the limits first.

    Raises:
        ValueError: It is no zip, or holds more than it should; nothing was unpacked then.
    """
    if len(content) > LARGEST:
        raise ValueError(f"the zip must have at most {LARGEST:,} bytes; got {len(content):,}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse(entries)
            for entry in sorted(entries, key=lambda one: one.filename):
                with archive.open(entry) as file:
                    yield entry.filename, file.read(LARGEST_FILE + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(f"the zip is corrupt or of an unknown kind: {error}") from None


def _refuse(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Do nothing if a zip may be unpacked."""
    if len(entries) > MOST_FILES:
        raise ValueError(f"the zip must hold at most {MOST_FILES:,} files; got {len(entries):,}")
    size = sum(entry.file_size for entry in entries)
    if size > LARGEST_UNPACKED:
        raise ValueError(
            f"the zip must unpack to at most {LARGEST_UNPACKED:,} bytes; it says {size:,}"
        )
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise ValueError(f"{entry.filename!r:.80}: its name leads out of the zip")
        if entry.flag_bits & 1:
            raise ValueError(f"{entry.filename!r:.80}: is locked with a password; unlock the zip")
        if entry.file_size > LARGEST_FILE:
            raise ValueError(
                f"{entry.filename!r:.80}: must have at most {LARGEST_FILE:,} bytes; the zip says "
                f"{entry.file_size:,}"
            )
        packed = max(1, entry.compress_size)
        if entry.file_size > 1_000_000 and entry.file_size / packed > TIGHTEST:
            raise ValueError(
                f"{entry.filename!r:.80}: unpacks to {entry.file_size // packed:,} times its size; "
                "no picture does"
            )


def picture(content: bytes, side: int, colour: bool) -> Pixels:
    """A picture from its bytes, its middle cut to a square and resized: `(side, side, channels)`.

    Raises:
        ValueError: It is none that can be read; says why.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(content) > LARGEST_FILE:
        raise ValueError(f"must have at most {LARGEST_FILE:,} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the number of pixels is looked at below
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                wide, high = opened.size
                if wide * high > MOST_PIXELS:
                    raise ValueError(f"has {wide} x {high} pixels, more than {MOST_PIXELS:,}")
                opened.draft("RGB", (2 * side, 2 * side))  # a JPEG need not be read in full size
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except Image.DecompressionBombError:  # Pillow's own limit, far above ours
        raise ValueError(f"has more than {MOST_PIXELS:,} pixels") from None
    except (OSError, SyntaxError, EOFError) as error:
        known = "PNG, JPEG, BMP, GIF or WebP"
        why = "is no picture" if isinstance(error, UnidentifiedImageError) else "is damaged"
        raise ValueError(f"{why}: it must be {known}") from None
    white = Image.new("RGBA", upright.size, "white")
    flat = Image.alpha_composite(white, upright).convert("RGB" if colour else "L")
    small = ImageOps.fit(flat, (side, side), Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.uint8).reshape(side, side, 3 if colour else 1)


def _folder() -> Path:
    return home() / "data" / "own"
