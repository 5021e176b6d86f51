"""Which unit follows something a reader can name: a quotation, a word, a line, a count.

Source: Karpathy, Johnson & Fei-Fei (2015), Visualizing and understanding recurrent networks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Trace = npt.NDArray[np.floating[Any]]
MOST_TOKENS = 6  # tokens that get a feature of their own
VOWELS = set("aeiouyAEIOUY")


@dataclass(frozen=True)
class Follower:
    """A unit that goes with a feature.

    Attributes:
        feature: In words.
        unit: Its number.
        correlation: Pearson's, in [-1, 1].
    """

    feature: str
    unit: int
    correlation: float


def features(words: Sequence[str]) -> dict[str, Trace]:
    """What a reader could keep track of in a text: name -> its course, `(length,)`."""
    found: dict[str, Trace] = {"place in the text": np.arange(len(words)) * 1.0}
    letters = all(len(word) == 1 for word in words)
    if set(words) <= {"0", "1"}:
        ones = np.cumsum([word == "1" for word in words])
        odd = (ones % 2).astype(np.float64)
        return {**found, "an odd number of ones so far": odd, "ones so far": ones * 1.0}
    if letters and " " in words:
        found |= {
            "inside quotation marks": _inside(words),
            "letters since the last space": _since(words, " "),
            "letters since the last line end": _since(words, "\n"),
            "at a vowel": np.array([float(word in VOWELS) for word in words]),
        }
    for token, _ in Counter(words).most_common(MOST_TOKENS):
        called = {" ": "a space", "\n": "a line end"}.get(token, token)
        found[f"at {called}"] = np.array([float(word == token) for word in words])
    for sign in ("|", "=", "not", "but"):
        if sign in words:
            found[f"after {sign}"] = (np.cumsum([word == sign for word in words]) > 0) * 1.0
    return found


def followers(
    texts: Sequence[Sequence[str]], course: Callable[[int], Trace], most: int = 8
) -> list[Follower]:
    """For each feature the unit that follows it best, the best first.

    Args:
        texts: Some texts.
        course: What the units do along a text, by its number: `(length, units)`.
        most: How many features are told.
    """
    units = np.concatenate([course(number) for number in range(len(texts))])
    named: dict[str, list[Trace]] = {}
    made = [features(text) for text in texts]
    for name in {name for one in made for name in one}:
        zeros = (np.zeros(len(text)) for text in texts)
        named[name] = [one.get(name, none) for one, none in zip(made, zeros, strict=True)]
    found = [_best(name, np.concatenate(parts), units) for name, parts in named.items()]
    return sorted(found, key=lambda one: (-abs(one.correlation), one.feature))[:most]


def _best(name: str, feature: Trace, units: Trace) -> Follower:
    centred, feature = units - units.mean(0), feature - feature.mean()
    length = np.sqrt((centred**2).sum(0)) * np.sqrt((feature**2).sum())
    correlation = np.divide(
        centred.T @ feature, length, out=np.zeros_like(length), where=length > 1e-9
    )
    unit = int(np.abs(correlation).argmax())
    return Follower(name, unit, float(correlation[unit]))


def _inside(words: Sequence[str]) -> Trace:
    marks = np.array([word == '"' for word in words])
    inside: Trace = ((np.cumsum(marks) - marks) % 2.0) * ~marks
    return inside


def _since(words: Sequence[str], sign: str) -> Trace:
    count, found = 0, []
    for word in words:
        count = 0 if word == sign else count + 1
        found.append(float(count))
    return np.array(found)


def table(found: Sequence[Follower]) -> tuple[tuple[str | float, ...], ...]:
    """Rows for a table."""
    return tuple((one.feature, float(one.unit), one.correlation) for one in found)
