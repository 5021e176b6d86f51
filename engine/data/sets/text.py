"""Running text, read character by character: each place is asked for the next one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np

from engine.data.dataset import DataSet, datasets, split
from engine.data.download import fetch
from engine.forms import Slider
from engine.store.home import home

Length = Annotated[int, Slider(8, 512, log=True, help="Longer windows, so more to look back on")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]
Characters = Annotated[int, Slider(5_000, 1_000_000, log=True, help="More text, so longer epochs")]

ANIMALS = ("bear", "cat", "crow", "dog", "frog", "goat", "hen", "owl")
MANNERS = ("hungry", "old", "quiet", "red", "sly", "small")
DEEDS = ("dance", "dream", "hide", "sing", "sleep", "wait")
PLACES = ("by the gate", "in the barn", "near the river", "on the hill", "under the tree")
CALLS = ("come back", "go home", "good night", "look up", "who is there")
SPEECH = 0.25  # part of the sentences in which somebody says something
LETTERS = tuple('\n ",.abcdefghijklmnopqrstuvwxyz')

VALID = 0.1  # part of the windows set aside for validation

SHAKESPEARE = "tinyshakespeare.txt"
SHAKESPEARE_SOURCES = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
)
SHAKESPEARE_CHECKSUM = "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SHAKESPEARE_BYTES = 1_115_394
TIME_MACHINE = "timemachine.txt"
TIME_MACHINE_SOURCES = ("http://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",)
TIME_MACHINE_CHECKSUM = "sha1:090b5e7e70c295757f55df93cb0a180b9691891a"  # as d2l.ai lists it
TIME_MACHINE_BYTES = 400_000
PLAIN_LETTERS = tuple(" abcdefghijklmnopqrstuvwxyz")
SHAKESPEARE_LETTERS = tuple("\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@datasets.add("stories", shape=[64], classes=list(LETTERS), kind="text")
def stories(length: Length = 64, characters: Characters = 240_000, seed: Seed = 0) -> DataSet:
    """Tiny animal stories by a grammar of our own, character by character.

    One or two animals decide whether the verb ends in s, and a quotation mark wants its partner.
    """
    random = np.random.default_rng(seed)
    text = ""
    while len(text) <= characters:
        pieces = [sentence(random) for _ in range(1_000)]
        text += "".join(piece + ("\n" if n % 5 == 4 else " ") for n, piece in enumerate(pieces))
    note = (
        f"{characters:,} characters by a grammar of uniform choices, in windows of {length}; "
        "each place is asked for the next character"
    )
    return windows("stories", text[: characters + 1], LETTERS, length, seed, note)


@datasets.add(
    "shakespeare", shape=[64], classes=list(SHAKESPEARE_LETTERS), kind="text", download=True
)
def shakespeare(length: Length = 64, characters: Characters = 300_000, seed: Seed = 0) -> DataSet:
    """Plays of Shakespeare, character by character, from your folder or downloaded once.

    Source: Shakespeare (1623), First Folio; as cut by Karpathy (2015), char-rnn.
    """
    path = _text(SHAKESPEARE, SHAKESPEARE_SOURCES, SHAKESPEARE_CHECKSUM, SHAKESPEARE_BYTES)
    text = path.read_text(encoding="utf-8")
    note = (
        f"Shakespeare, the first {min(characters, len(text)):,} of {len(text):,} characters, in "
        f"windows of {length}; each place is asked for the next character"
    )
    return windows("shakespeare", text[: characters + 1], SHAKESPEARE_LETTERS, length, seed, note)


@datasets.add("time_machine", shape=[64], classes=list(PLAIN_LETTERS), kind="text", download=True)
def time_machine(length: Length = 64, characters: Characters = 160_000, seed: Seed = 0) -> DataSet:
    """A novel in small letters and spaces alone, character by character; downloaded once.

    Source: Wells (1895), The time machine; as Zhang et al. (2023), Dive into deep learning, cut it.
    """
    path = _text(TIME_MACHINE, TIME_MACHINE_SOURCES, TIME_MACHINE_CHECKSUM, TIME_MACHINE_BYTES)
    read = re.sub("[^A-Za-z]+", " ", path.read_text(encoding="utf-8")).strip().lower()
    note = (
        f"The time machine, the first {min(characters, len(read)):,} of {len(read):,} characters "
        f"in small letters, in windows of {length}; each place is asked for the next character"
    )
    return windows("time_machine", read[: characters + 1], PLAIN_LETTERS, length, seed, note)


def sentence(random: np.random.Generator) -> str:
    """One sentence of the stories."""
    one = random.integers  # every choice is uniform, so the entropy of a sentence is known
    animal = ANIMALS[one(len(ANIMALS))]
    if random.random() < SPEECH:
        return f'"{CALLS[one(len(CALLS))]}", says the {animal}.'
    manner, deed = MANNERS[one(len(MANNERS))], DEEDS[one(len(DEEDS))]
    place = PLACES[one(len(PLACES))]
    if one(2):
        return f"two {manner} {animal}s {deed} {place}."
    return f"the {manner} {animal} {deed}s {place}."


def windows(
    name: str, text: str, letters: tuple[str, ...], length: int, seed: int, note: str
) -> DataSet:
    """A text cut into windows that do not overlap; the answer at a place is the next character."""
    numbers = {letter: number for number, letter in enumerate(letters)}
    read = np.array([numbers[letter] for letter in text])
    count = (len(read) - 1) // length
    x = read[: count * length].reshape(count, length)
    y = read[1 : count * length + 1].reshape(count, length)
    valid = max(1, round(VALID * count))
    return split(name, x, y, letters, seed=seed, valid=valid, vocabulary=letters, note=note)


def _text(name: str, sources: Sequence[str], checksum: str, largest: int) -> Path:
    """A file of text, from below `PLAYGROUND_DATA` or downloaded once."""
    folder = os.environ.get("PLAYGROUND_DATA")
    found = sorted(Path(folder).glob(f"**/{name}")) if folder else []
    if found:
        return found[0]
    try:
        return fetch(sources, home() / "data" / name, checksum=checksum, largest=largest)
    except LookupError as error:
        raise LookupError(
            f"{error}. Set PLAYGROUND_DATA to a folder with {name}, take the data set "
            "stories, or bring a text of your own"
        ) from None
