"""Byte pair encoding: pieces of words, learnt from a text by joining what stands together most.

Begin with single characters. Count every pair of neighbours inside of words, join the most
frequent pair into a new piece, and count again, until there are enough pieces. A text is cut in
the same way: of all neighbours that make a piece, the one that was learnt first is joined first.
A word's space belongs to the word, so that a text is exactly its pieces, one after the other.

Source: Sennrich, Haddow & Birch (2016), Neural machine translation of rare words with subword
units.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

Pair = tuple[str, str]

_WORD = re.compile(r" ?\S+|\s")


def learn(text: str, size: int) -> tuple[str, ...]:
    """The pieces of a text: its characters, then what was joined, in that order.

    Args:
        text: What is counted.
        size: How many pieces at most; fewer where nothing stands together twice.

    Raises:
        ValueError: There are more characters than pieces allowed.
    """
    characters = sorted(set(text))
    if size < len(characters):
        raise ValueError(f"pieces: there are {len(characters)} characters already; got {size}")
    counted = _Counted(text)
    pieces = dict.fromkeys(characters)
    while len(pieces) < size and (best := counted.most_frequent()):
        counted.join(best)
        pieces["".join(best)] = None
    return tuple(pieces)


class _Counted:
    """The different words of a text as parts, and how often each pair of neighbours is there."""

    def __init__(self, text: str) -> None:
        counted = Counter(_WORD.findall(text))
        self._words, self._often = [list(word) for word in counted], list(counted.values())
        self._pairs: Counter[Pair] = Counter()
        self._where: defaultdict[Pair, set[int]] = defaultdict(set)
        for number in range(len(self._words)):
            self._count(number, 1)

    def most_frequent(self) -> Pair | None:
        """The pair that is there most often, of equal ones the last by alphabet; None if once."""
        if not self._pairs:
            return None
        best = max(self._pairs, key=lambda pair: (self._pairs[pair], pair))
        return best if self._pairs[best] > 1 else None

    def join(self, pair: Pair) -> None:
        """Make the pair one part wherever it is."""
        for number in self._where.pop(pair):
            self._count(number, -1)
            self._words[number] = _joined(self._words[number], pair)
            self._count(number, 1)
        self._pairs = +self._pairs  # without those that are gone

    def _count(self, number: int, sign: int) -> None:
        for pair in itertools.pairwise(self._words[number]):
            self._pairs[pair] += sign * self._often[number]
            if sign > 0:
                self._where[pair].add(number)


def cut(text: str, pieces: Sequence[str]) -> list[str]:
    """A text as pieces; a character that is none stays as it is."""
    rank = _ranks(tuple(pieces))
    return [piece for word in _WORD.findall(text) for piece in _cut_word(word, rank)]


class _Ranks(dict[str, int]):
    """Piece -> when it was learnt, with a memory of the words cut so far."""

    def __init__(self, pieces: Sequence[str]) -> None:
        super().__init__((piece, place) for place, piece in enumerate(pieces))
        self.words: dict[str, list[str]] = {}


@functools.lru_cache(maxsize=8)
def _ranks(pieces: tuple[str, ...]) -> _Ranks:
    return _Ranks(pieces)


def _cut_word(word: str, rank: _Ranks) -> list[str]:
    if word in rank.words:
        return rank.words[word]
    parts = list(word)
    while True:
        near = [pair for pair in itertools.pairwise(parts) if "".join(pair) in rank]
        if not near:
            break
        parts = _joined(parts, min(near, key=lambda pair: rank["".join(pair)]))
    rank.words[word] = parts
    return parts


def _joined(parts: list[str], pair: Pair) -> list[str]:
    """The parts with every such pair of neighbours made one, from left to right."""
    made: list[str] = []
    place = 0
    while place < len(parts):
        if tuple(parts[place : place + 2]) == pair:
            made.append("".join(pair))
            place += 2
        else:
            made.append(parts[place])
            place += 1
    return made
