"""Stories with words left out: what stands around a blank tells what it was."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from engine.data.dataset import IGNORED, DataSet, datasets, split
from engine.data.sets.text import ANIMALS, CALLS, DEEDS, MANNERS, PLACES, sentence
from engine.data.tokens import NOTHING
from engine.forms import Slider

BLANK = "▢"
LENGTH = 20  # words of two sentences at most
VALID = 0.2
KEPT, OTHER = 0.1, 0.1  # of the chosen places: shown as they are, and as some other word
_ENDINGS = (*(f"{one}s" for one in ANIMALS), *(f"{one}s" for one in DEEDS))
WORDS = (
    *(NOTHING, BLANK, ".", ",", '"'),
    *dict.fromkeys(
        word
        for text in ("the two says", *ANIMALS, *MANNERS, *DEEDS, *_ENDINGS, *PLACES, *CALLS)
        for word in text.split()
    ),
)
Size = Annotated[int, Slider(200, 50_000, log=True, help="More samples")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]


@datasets.add("blanks", shape=[LENGTH], classes=list(WORDS), kind="text")
def blanks(
    size: Size = 6000,
    share: Annotated[float, Slider(0.05, 0.5, help="More words left out")] = 0.15,
    seed: Seed = 0,
) -> DataSet:
    """Two sentences with some words left out; only those are asked for, from both sides.

    Of the chosen words most become a blank, some another word, some stay: so the network must
    have an opinion of every place. At least one is chosen in each sample.

    Source: Devlin et al. (2019), BERT: Pre-training of deep bidirectional transformers.
    """
    random = np.random.default_rng(seed)
    number = {word: place for place, word in enumerate(WORDS)}
    full = np.zeros((size, LENGTH), dtype=np.int64)
    for row in full:
        told = [number[word] for word in words(f"{sentence(random)} {sentence(random)}")]
        row[: len(told)] = told
    real = full != number[NOTHING]
    order = np.where(real, random.random(full.shape), 2.0)
    chosen = (order < share) | (order == order.min(axis=1, keepdims=True))
    fate = random.random(full.shape)
    x = np.where(chosen & (fate >= KEPT + OTHER), number[BLANK], full)
    others = random.integers(2, len(WORDS), full.shape)
    x = np.where(chosen & (fate < OTHER), others, x)
    y = np.where(chosen, full, IGNORED)
    note = (
        f"{size:,} pairs of sentences by a grammar, {share:.0%} of the words chosen: of these "
        f"{1 - KEPT - OTHER:.0%} left out, {OTHER:.0%} another word, {KEPT:.0%} as they were"
    )
    valid = round(VALID * size)
    return split("blanks", x, y, WORDS, seed=seed, valid=valid, vocabulary=WORDS, note=note)


def words(text: str) -> list[str]:
    """A text's words; each sign of punctuation is one by itself."""
    for sign in '.,"':
        text = text.replace(sign, f" {sign} ")
    return text.split()
