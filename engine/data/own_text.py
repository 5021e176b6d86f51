"""People's own texts: kept by their checksum, read character by character."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from engine.data.dataset import DataSet
from engine.data.sets.text import windows
from engine.store.home import home

LARGEST = 5_000_000  # bytes
SHORTEST = 1_000  # characters
MOST_LETTERS = 200  # different characters that get a token of their own
RARE = "□"
"""Stands for all characters that are too rare."""
PREFIX = "text:"
SETTINGS = ("length", "seed")


def keep(content: bytes) -> str:
    """Keep an uploaded text; the words by which `load` finds it again.

    Raises:
        ValueError: It is no text to learn from; says why.
    """
    read(content)
    name = hashlib.sha256(content).hexdigest()[:24]
    path = home() / "data" / "own" / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_bytes(content)
    draft.replace(path)
    return PREFIX + name


def kept(words: str, settings: Mapping[str, object]) -> DataSet:
    """The data set of an uploaded text, by the words that `keep` gave.

    Raises:
        LookupError: There is no such upload any more.
        ValueError: A setting is unknown or out of range.
    """
    name = words.removeprefix(PREFIX)
    path = home() / "data" / "own" / f"{name}.txt"
    if not re.fullmatch(r"[0-9a-f]{24}", name) or not path.is_file():
        raise LookupError(f"no uploaded text {name!r:.40}; upload it again")
    return made(path.read_bytes(), words, settings)


def read_file(path: Path, length: int) -> DataSet:
    """The text in a file on this machine; for command lines, never for names from the web."""
    with path.open("rb") as file:
        return made(file.read(LARGEST + 1), path.stem, {"length": length})


def made(content: bytes, name: str, settings: Mapping[str, object]) -> DataSet:
    """A text's windows, each place asked for the next character.

    Args:
        content: The file.
        name: What the data set is called.
        settings: `length` of a window and `seed` of the split.
    """
    text = read(content)
    length, seed = (_whole(settings, key, usual) for key, usual in (("length", 64), ("seed", 0)))
    unknown = next((key for key in settings if key not in ("length", "seed")), None)
    if unknown is not None:
        raise ValueError(f"an uploaded text has no setting {unknown!r:.80}; only length and seed")
    most = min(512, (len(text) - 1) // 2)
    if not 2 <= length <= most:
        raise ValueError(f"length must lie in [2, {most}]; got {length}")
    counted = Counter(text).most_common()
    letters = tuple(sorted(letter for letter, _ in counted[:MOST_LETTERS]))
    note = f"{len(text):,} characters, {len(letters)} different ones, in windows of {length}"
    if len(counted) > MOST_LETTERS:
        rare = {ord(letter): RARE for letter, _ in counted[MOST_LETTERS - 1 :]}
        text = text.translate(rare)
        letters = tuple(sorted(set(text)))
        note += f"; the {len(rare)} rarest are all read as {RARE}"
    return windows(name, text, letters, length, seed, f"{note}; next character at each place")


def read(content: bytes) -> str:
    """An uploaded file as text, with plain line ends.

    Raises:
        ValueError: It is too large, too short or no text.
    """
    if len(content) > LARGEST:
        raise ValueError(f"a text must have at most {LARGEST:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"a text must be in UTF-8; byte {error.start} is not: save it as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise ValueError("a text must hold no zero bytes; is it another kind of file?")
    if len(text) < SHORTEST:
        raise ValueError(
            f"a text must have at least {SHORTEST:,} characters to learn from; got {len(text):,}"
        )
    return text


def _whole(settings: Mapping[str, object], key: str, usual: int) -> int:
    value = settings.get(key, usual)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key} must be a whole number from 0; got {value!r:.80}")
    return value
