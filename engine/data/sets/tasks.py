"""Small tasks on sequences, each of which asks a network for one ability.

All but parity are told to a network that writes what comes next; places whose answer cannot be
known are not judged.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

from engine.data.dataset import IGNORED, DataSet, datasets, split
from engine.forms import Slider

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
SIGNS = (*"abcdefgh", "|")
DIGITS = tuple("0123456789+=")
VALID = 0.2  # part set aside for validation

Size = Annotated[int, Slider(200, 50_000, log=True, help="More samples")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]
Symbols = Annotated[int, Slider(2, 60, help="Longer sequences, so more to remember")]


@datasets.add("copy", shape=[20], classes=list(SIGNS), kind="text")
def copy(symbols: Symbols = 10, size: Size = 4000, seed: Seed = 0) -> DataSet:
    """Say again what stood before the bar: abca|abca.

    Source: Graves, Wayne & Danihelka (2014), Neural Turing machines.
    """
    drawn = np.random.default_rng(seed).integers(len(SIGNS) - 1, size=(size, symbols))
    return _after_bar("copy", drawn, drawn, seed)


@datasets.add("reverse", shape=[20], classes=list(SIGNS), kind="text")
def reverse(symbols: Symbols = 10, size: Size = 4000, seed: Seed = 0) -> DataSet:
    """Say backwards what stood before the bar: abcd|dcba.

    Source: Grefenstette et al. (2015), Learning to transduce with unbounded memory.
    """
    drawn = np.random.default_rng(seed).integers(len(SIGNS) - 1, size=(size, symbols))
    return _after_bar("reverse", drawn, drawn[:, ::-1], seed)


@datasets.add("induction", shape=[32], classes=list(LETTERS), kind="text")
def induction(
    shortest: Annotated[int, Slider(2, 15, help="The shortest period")] = 6,
    longest: Annotated[int, Slider(2, 26, help="The longest period")] = 15,
    length: Annotated[int, Slider(8, 256, help="Longer sequences")] = 32,
    size: Size = 8000,
    seed: Seed = 0,
) -> DataSet:
    """A word of random letters, said again and again; its length differs from sample to sample.

    No letter comes twice in a word, so a place is known as soon as the word begins again. Only the
    second half is judged. With one fixed period a network could count places instead of looking.

    Source: Olsson et al. (2022), In-context learning and induction heads.
    """
    if not shortest <= longest <= length // 2:
        raise ValueError(
            "induction: shortest ≤ longest ≤ length / 2 must hold; got "
            f"{shortest}, {longest} and {length}"
        )
    random = np.random.default_rng(seed)
    words = random.permuted(np.tile(np.arange(len(LETTERS)), (size, 1)), axis=1)
    period = random.integers(shortest, longest + 1, size=(size, 1))
    full = np.take_along_axis(words, np.arange(length + 1) % period, axis=1)
    x, y = full[:, :-1], full[:, 1:].copy()
    y[:, : length // 2] = IGNORED
    note = (
        f"{size:,} words of {shortest} to {longest} different letters, repeated to {length}; "
        "the second half is judged"
    )
    return _told("induction", x, y, LETTERS, LETTERS, seed, note)


@datasets.add("addition", shape=[11], classes=list(DIGITS), kind="text")
def addition(
    digits: Annotated[int, Slider(1, 6, help="Longer numbers")] = 3,
    size: Size = 8000,
    seed: Seed = 0,
) -> DataSet:
    """Sums, written with the lowest digit first so that the carry runs with the reading: 52+81=331.

    Source: Zaremba & Sutskever (2014), Learning to execute.
    """
    random = np.random.default_rng(seed)
    numbers = random.integers(10**digits, size=(size, 2))
    one, other, total = (
        n[:, None] // 10 ** np.arange(places) % 10
        for n, places in (
            (numbers[:, 0], digits),
            (numbers[:, 1], digits),
            (numbers.sum(1), digits + 1),
        )
    )
    plus, equals = (np.full((size, 1), DIGITS.index(sign)) for sign in "+=")
    full = np.hstack([one, plus, other, equals, total])
    y = full[:, 1:].copy()
    y[:, : 2 * digits + 1] = IGNORED
    note = f"{size:,} sums of numbers of {digits} digits, lowest digit first; the sum is judged"
    return _told("addition", full[:, :-1], y, DIGITS, DIGITS, seed, note)


@datasets.add("parity", shape=[20], classes=["even", "odd"], kind="text")
def parity(
    length: Annotated[int, Slider(4, 200, help="Longer sequences")] = 20,
    size: Size = 4000,
    seed: Seed = 0,
) -> DataSet:
    """At every place: is the number of ones so far even or odd?

    Source: Minsky & Papert (1969), Perceptrons.
    """
    bits = np.random.default_rng(seed).integers(2, size=(size, length))
    note = f"{size:,} sequences of {length} coin tosses; every place is judged"
    return _told("parity", bits, bits.cumsum(1) % 2, ("0", "1"), ("even", "odd"), seed, note)


def _after_bar(name: str, before: np.ndarray, after: np.ndarray, seed: int) -> DataSet:
    """`before | after`, of which what follows the bar is judged: both `(n, symbols)`."""
    size, symbols = before.shape
    bar = np.full((size, 1), SIGNS.index("|"))
    full = np.hstack([before, bar, after])
    y = full[:, 1:].copy()
    y[:, :symbols] = IGNORED
    note = f"{size:,} sequences of {symbols} symbols and a bar; what follows the bar is judged"
    return _told(name, full[:, :-1], y, SIGNS, SIGNS, seed, note)


def _told(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    vocabulary: tuple[str, ...],
    classes: tuple[str, ...],
    seed: int,
    note: str,
) -> DataSet:
    valid = round(VALID * len(x))
    return split(name, x, y, classes, seed=seed, valid=valid, vocabulary=vocabulary, note=note)
