"""Sentences of whole words by small grammars whose right answer is known."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from engine.data.dataset import IGNORED, DataSet, datasets, split
from engine.data.tokens import NOTHING
from engine.forms import Slider

VALID = 0.2  # part set aside for validation
BEGIN, END = "⟨", "⟩"

GOOD = ("brilliant", "charming", "good", "moving", "wonderful")
BAD = ("awful", "boring", "dull", "poor", "terrible")
THINGS = ("acting", "ending", "film", "music", "story")
REVIEW = 13  # words of the longest review
REVIEW_WORDS = (NOTHING, "the", "was", "not", "very", "but", *THINGS, *GOOD, *BAD)

NOUNS = {  # English -> French, and whether it is feminine
    "book": ("livre", 0),
    "car": ("voiture", 1),
    "cat": ("chat", 0),
    "dog": ("chien", 0),
    "horse": ("cheval", 0),
    "house": ("maison", 1),
    "mouse": ("souris", 1),
    "street": ("rue", 1),
}
COLOURS = {
    "black": ("noir", "noire"),
    "blue": ("bleu", "bleue"),
    "green": ("vert", "verte"),
    "white": ("blanc", "blanche"),
}
VERBS = {"finds": "trouve", "likes": "aime", "sees": "voit", "wants": "veut"}
ARTICLES = {"a": ("un", "une"), "the": ("le", "la")}
SOURCE, TARGET = 7, 8  # words of the longest sentence; a mark of begin or end is added in French
PAIR_WORDS = (
    *(NOTHING, BEGIN, END, *ARTICLES, *COLOURS, *NOUNS, *VERBS),
    *(word for pair in (*ARTICLES.values(), *COLOURS.values()) for word in pair),
    *(word for word, _ in NOUNS.values()),
    *VERBS.values(),
)

Size = Annotated[int, Slider(200, 50_000, log=True, help="More samples")]
Seed = Annotated[int, Slider(0, 999, help="Another draw of the same kind")]


@datasets.add("reviews", shape=[REVIEW], classes=["bad", "good"], kind="text")
def reviews(size: Size = 3000, seed: Seed = 0) -> DataSet:
    """Tiny film reviews: not turns a judgement round, and what follows a but is what counts."""
    random = np.random.default_rng(seed)
    made = [review(random) for _ in range(size)]
    x = numbered([words for words, _ in made], REVIEW, REVIEW_WORDS)
    y = np.array([good for _, good in made])
    note = f"{size:,} reviews by a grammar; filled up with {NOTHING} to {REVIEW} words"
    classes = ("bad", "good")
    valid = round(VALID * size)
    return split(
        "reviews", x, y, classes, seed=seed, valid=valid, vocabulary=REVIEW_WORDS, note=note
    )


@datasets.add("translation", shape=[SOURCE + TARGET], classes=list(PAIR_WORDS), kind="text")
def translation(size: Size = 4000, seed: Seed = 0) -> DataSet:
    """English to French in small: colours change places with nouns and agree with them.

    Two inputs: the English sentence, and the French one so far; each place of the French one is
    asked for its next word.
    """
    random = np.random.default_rng(seed)
    pairs = [pair(random) for _ in range(size)]
    source = numbered([english for english, _ in pairs], SOURCE, PAIR_WORDS)
    written = numbered([[BEGIN, *french] for _, french in pairs], TARGET, PAIR_WORDS)
    wanted = numbered([[*french, END] for _, french in pairs], TARGET, PAIR_WORDS)
    y = np.where(wanted == PAIR_WORDS.index(NOTHING), IGNORED, wanted)
    note = (
        f"{size:,} pairs by a grammar: {SOURCE} words of English, then {TARGET} of French; "
        f"filled up with {NOTHING}, which is not judged"
    )
    return split(
        "translation",
        np.hstack([source, written]),
        y,
        PAIR_WORDS,
        seed=seed,
        valid=round(VALID * size),
        vocabulary=PAIR_WORDS,
        parts=(SOURCE, TARGET),
        note=note,
    )


def review(random: np.random.Generator) -> tuple[list[str], int]:
    """A review's words, and whether it speaks well of the film (1) or not (0)."""
    words: list[str] = []
    good = 0
    for part in range(1 + int(random.integers(2))):
        not_, very, good = (int(random.integers(2)) for _ in range(3))
        praise = GOOD if good != not_ else BAD  # "not boring" is good
        words += ["but"] * part + ["the", THINGS[random.integers(len(THINGS))], "was"]
        words += ["not"] * not_ + ["very"] * very + [praise[random.integers(len(praise))]]
    return words, good


def pair(random: np.random.Generator) -> tuple[list[str], list[str]]:
    """An English sentence and its French translation."""
    english: list[str] = []
    french: list[str] = []
    for verb in (False, True):
        if verb:
            word = list(VERBS)[random.integers(len(VERBS))]
            english.append(word)
            french.append(VERBS[word])
        article = list(ARTICLES)[random.integers(len(ARTICLES))]
        noun = list(NOUNS)[random.integers(len(NOUNS))]
        called, gender = NOUNS[noun]
        colour = [list(COLOURS)[random.integers(len(COLOURS))]] * int(random.integers(2))
        english += [article, *colour, noun]
        french += [ARTICLES[article][gender], called, *(COLOURS[c][gender] for c in colour)]
    return english, french


def numbered(texts: list[list[str]], length: int, vocabulary: tuple[str, ...]) -> np.ndarray:
    """Texts as numbers of their words, filled up with the first word: `(n, length)`."""
    numbers = {word: number for number, word in enumerate(vocabulary)}
    found = np.zeros((len(texts), length), dtype=np.int64)
    for row, words in zip(found, texts, strict=True):
        row[: len(words)] = [numbers[word] for word in words]
    return found
