"""Shakespeare's plays as the playground ships them: by characters, and by pieces of words."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated

import numpy as np

from engine.data import pieces
from engine.data.dataset import DataSet, datasets, split
from engine.data.sets.text import VALID, Length, Seed, windows
from engine.forms import Slider

TEXTS = Path(__file__).parents[1] / "texts"
LETTERS = tuple("\n !&',-.:;?ABCDEFGHIJKLMNOPQRSTUVWYabcdefghijklmnopqrstuvwxyz")
PIECES: tuple[str, ...] = tuple(
    json.loads((TEXTS / "plays.pieces.json").read_text(encoding="utf-8"))
)
Part = Annotated[int, Slider(5_000, 160_000, log=True, help="More text, so longer epochs")]


@datasets.add("plays", shape=[64], classes=list(LETTERS), kind="text")
def plays(length: Length = 64, characters: Part = 160_000, seed: Seed = 0) -> DataSet:
    """The beginning of Shakespeare's plays, character by character; always at hand.

    Source: Shakespeare (1623), First Folio; as cut by Karpathy (2015), char-rnn.
    """
    text = _text()[: characters + 1]
    note = (
        f"Shakespeare, {len(text):,} characters in windows of {length}; each place is asked for "
        "the next character"
    )
    return windows("plays", text, LETTERS, length, seed, note)


@datasets.add("plays_pieces", shape=[64], classes=list(PIECES), kind="text")
def plays_pieces(length: Length = 64, characters: Part = 160_000, seed: Seed = 0) -> DataSet:
    """The same in 512 pieces of words, learnt by byte pair encoding: more text in a window.

    Source: Sennrich, Haddow & Birch (2016), Neural machine translation of rare words with subword
    units.
    """
    read = np.array(_numbers(characters))
    count = (len(read) - 1) // length
    x = read[: count * length].reshape(count, length)
    y = read[1 : count * length + 1].reshape(count, length)
    note = (
        f"Shakespeare, {characters:,} characters as {len(read):,} of {len(PIECES)} pieces of words "
        f"in windows of {length}; each place is asked for the next piece"
    )
    valid = max(1, round(VALID * count))
    return split("plays_pieces", x, y, PIECES, seed=seed, valid=valid, vocabulary=PIECES, note=note)


@functools.cache
def _text() -> str:
    return (TEXTS / "plays.txt").read_text(encoding="utf-8")


@functools.lru_cache(maxsize=4)
def _numbers(characters: int) -> list[int]:
    number = {piece: place for place, piece in enumerate(PIECES)}
    return [number[piece] for piece in pieces.cut(_text()[:characters], PIECES)]
