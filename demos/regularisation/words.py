"""New words for old sentences: augmenting text.

A sentence can be varied too. EDA drops words or swaps two of them: the words stay the ones already
known. A paraphrase, or *back-translation* there and back through another language, says the same in
other words, and so brings words that no training sentence had. A classifier that has learnt from 20
reviews with one half of the synonyms must read reviews written with the other half: only the detour
helps, for several English words meet in one foreign word. (Data and dictionary are synthetic.)

**Try:** type a sentence with "good" or "terrible" in it, and send it through the pivot a few times.

Source: Sennrich, Haddow & Birch (2016), Improving neural machine translation models with
monolingual data; Wei & Zou (2019), EDA: easy data augmentation techniques.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Choice, Claim, Frames, Question, Slider, Text, above, below, interactive, lab
from engine.views import Array, Bars, Frame, Table, Tokens, View

PIVOT = {  # German word -> English words that it stands for: the first half trains, all are tested
    "gut": ("good", "nice", "fine", "decent"),
    "großartig": ("great", "superb", "wonderful", "terrific"),
    "liebte": ("loved", "enjoyed", "adored", "cherished"),
    "schlecht": ("bad", "poor", "lousy", "weak"),
    "furchtbar": ("awful", "horrible", "terrible", "dreadful"),
    "hasste": ("hated", "disliked", "loathed", "despised"),
}
GERMAN = {word: german for german, words in PIVOT.items() for word in words}
SIDES = {"good": ("gut", "großartig", "liebte"), "bad": ("schlecht", "furchtbar", "hasste")}
TOPICS = ("film", "plot", "music", "cast", "ending", "story")
WAYS = ("none", "EDA", "pivot")
COPIES = 10


def review(random: np.random.Generator, side: str, turn: int, unseen: bool) -> list[str]:
    """The synthetic review number `turn`, with synonyms of the training half or the unseen one.

    Topics and opinions take turns, so that only the opinion tells the side.
    """
    german = SIDES[side][turn % 3]
    word = str(random.choice(PIVOT[german][2:] if unseen else PIVOT[german][:2]))
    topic = TOPICS[turn % len(TOPICS)]
    if german in ("liebte", "hasste"):
        return ["i", "really", word, "the", topic]
    return ["the", topic, "was", "really", word]


def eda(words: list[str], random: np.random.Generator, strength: float) -> list[str]:
    """Drop each word with that chance, then swap two."""
    kept = [word for word in words if random.random() >= strength] or words[:1]
    a, b = random.integers(0, len(kept), 2)
    kept[a], kept[b] = kept[b], kept[a]
    return kept


def pivot(words: list[str], random: np.random.Generator, strength: float) -> list[str]:
    """To German and back; a word comes back as any of those it stands for, with that chance."""
    said = []
    for word in words:
        there = random.random() < strength and word in GERMAN
        said.append(str(random.choice(PIVOT[GERMAN[word]])) if there else word)
    return said


def varied(words: list[str], how: str, random: np.random.Generator, strength: float) -> list[str]:
    """One augmented sentence."""
    if how == "none":
        return list(words)
    return (eda if how == "EDA" else pivot)(list(words), random, strength)


def evidence(sentences: list[list[str]], sides: list[str]) -> dict[str, float]:
    """Naive Bayes: for each word `log P(word | good) − log P(word | bad)`, one added to counts."""
    known = sorted({word for words in sentences for word in words})
    counts = {side: dict.fromkeys(known, 1.0) for side in SIDES}
    for words, side in zip(sentences, sides, strict=True):
        for word in words:
            counts[side][word] += 1
    good, bad = (sum(counts[side].values()) for side in ("good", "bad"))
    return {w: float(np.log(counts["good"][w] / good * bad / counts["bad"][w])) for w in known}


def accuracy(
    how: str, seed: int, examples: int = 20, strength: float = 0.7
) -> tuple[float, dict[str, float]]:
    """Learn from a few reviews, ten variants each; the share of 400 unseen ones read right."""
    random = np.random.default_rng(seed)
    sides = [("good", "bad")[i % 2] for i in range(examples)]
    old = [review(random, side, i // 2, False) for i, side in enumerate(sides)]
    chance = strength if how == "pivot" else strength / 4  # EDA drops: most of a sentence must stay
    sentences = old + [varied(one, how, random, chance) for one in old for _ in range(COPIES)]
    weight = evidence(sentences, sides + [side for side in sides for _ in range(COPIES)])
    right = 0.0
    for i in range(400):
        side = ("good", "bad")[i % 2]
        score = sum(weight.get(word, 0.0) for word in review(random, side, i // 2, True))
        right += 0.5 if score == 0 else float((score > 0) == (side == "good"))
    return right / 400, weight


@lab(
    covers=["text-augmentation"],
    seconds=1,
    quick={},
    tries={
        "Drop and swap": {"how": "EDA", "strength": 0.6},
        "Through the pivot": {"how": "pivot", "strength": 1.0},
        "Only eight reviews": {"examples": 8},
    },
    question=Question(
        "The test reviews use other synonyms than the 20 training reviews. Does dropping "
        "and swapping words help?",
        ("Yes, much", "A little", "No: it brings no new word"),
        2,
        "Neither dropping nor swapping can teach that *terrific* means what *great* means.",
    ),
    needs=["overfitting-capacity"],
)
def run(
    sentence: Annotated[
        str, Text(120, help="Say it in words of the table", live=True)
    ] = "the music was great and i loved the cast",
    how: Annotated[str, Choice(WAYS, help="How to vary it", live=True)] = "pivot",
    strength: Annotated[float, Slider(0.0, 1.0, help="Change more words", live=True)] = 0.7,
    examples: Annotated[int, Slider(2, 100, log=True, help="More reviews", live=True)] = 20,
    seed: Annotated[int, Slider(0, 99, help="Other reviews", live=True)] = 0,
) -> Frames:
    """Vary a sentence; train a classifier with each way of varying."""
    live: dict[str, Any] = {"sentence": sentence, "how": how, "strength": strength}
    yield from interactive(_picture, **live, examples=examples, seed=seed)


def _picture(sentence: str, how: str, strength: float, examples: int, seed: int) -> Frame:
    results = {way: accuracy(way, seed, examples, strength) for way in WAYS}
    weight, random = results[how][1], np.random.default_rng(seed)
    words = sentence.lower().split() or ["(type", "a", "sentence)"]
    shown = [
        varied(words, how, random, strength if how == "pivot" else strength / 4) for _ in range(6)
    ]
    scores: Array = np.array([weight.get(word, 0.0) for word in words])
    there = " ".join(GERMAN.get(word, word) for word in words)
    rows = [("as typed", " ".join(words)), ("in the pivot language", there)]
    rows += [(f"{how} {i + 1}", " ".join(one)) for i, one in enumerate(shown)]
    known = [sum(word in results[way][1] for word in GERMAN) for way in WAYS]
    views: dict[str, View] = {
        "variants": Table(("", "sentence"), tuple(rows), f"six variants by {how}"),
        "accuracy": Bars(
            WAYS, {"unseen synonyms": np.array([100 * results[way][0] for way in WAYS])},
            ylabel="read right [%]", level={"a coin": 50.0}, title="reviews in other words",
        ),
        "reading": Tokens(tuple(words), scores, title="what each word tells (blue: good)"),
        "vocabulary": Bars(
            WAYS, {"opinion words seen": np.array(known, dtype=float)}, ylabel="words of 24",
            title="opinion words the classifier has met",
        ),
    }  # fmt: skip
    facts = {f"{way}: read right [%]": 100 * results[way][0] for way in WAYS}
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """Only the pivot brings the unseen synonyms; mean over ten draws of 20 reviews."""
    mean = {way: float(np.mean([accuracy(way, seed)[0] for seed in range(10)])) for way in WAYS}
    yield below("No augmentation: accuracy on unseen synonyms", mean["none"], 0.65)
    yield below("EDA alone", mean["EDA"], 0.65)
    yield above("Through the pivot table", mean["pivot"], 0.95)
