"""Words and characters as whole numbers and back."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from engine.data import pieces

NOTHING = "·"
"""The token that fills a text up to its length."""


def by_character(vocabulary: Sequence[str]) -> bool:
    """Whether a text in this vocabulary is read character by character, not word by word."""
    return all(len(token) == 1 for token in vocabulary)


def by_piece(vocabulary: Sequence[str]) -> bool:
    """Whether it is read in pieces of words, which bring their own spaces."""
    return " " in vocabulary and not by_character(vocabulary)


def encode(text: str, vocabulary: Sequence[str]) -> list[int]:
    """The numbers of a text's tokens.

    Raises:
        ValueError: The text holds something the vocabulary does not; says what, and what is near.
    """
    if by_piece(vocabulary):
        parts = pieces.cut(text, vocabulary)
    else:
        parts = list(text) if by_character(vocabulary) else text.split()
    numbers = {token: number for number, token in enumerate(vocabulary)}
    unknown = list(dict.fromkeys(part for part in parts if part not in numbers))
    if unknown:
        raise ValueError(_told(unknown, vocabulary))
    return [numbers[part] for part in parts]


def decode(numbers: Iterable[int], vocabulary: Sequence[str]) -> str:
    """The text of some tokens."""
    between = "" if by_character(vocabulary) or by_piece(vocabulary) else " "
    return between.join(vocabulary[number] for number in numbers)


def shown(token: str) -> str:
    """A token as one can see it: a space, a new line and a tab have signs."""
    return token.translate(_SIGNS)


_SIGNS = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})


def _told(unknown: Sequence[str], vocabulary: Sequence[str]) -> str:
    what = "character" if by_character(vocabulary) or by_piece(vocabulary) else "word"
    listed = ", ".join(repr(piece[:30]) for piece in unknown[:5])
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    near = difflib.get_close_matches(unknown[0], vocabulary, n=1)
    if near:
        hint = f"did you mean {near[0]!r}?"
    elif unknown[0].lower() in vocabulary:
        hint = f"try {unknown[0].lower()!r}"
    else:
        known = " ".join(shown(token) for token in vocabulary[:60])
        hint = f"it knows {known}{' …' if len(vocabulary) > 60 else ''}"
    few = "" if len(unknown) == 1 else "s"
    return f"text: the model does not know the {what}{few} {listed}{more}; {hint}"
