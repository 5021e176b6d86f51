"""Filling blanks with a masked language model: the surest word first, then the others anew."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch

from engine.data.sets.blanks import BLANK, words
from engine.data.tokens import NOTHING, encode
from engine.forms import Pick, Text, Value
from engine.models.kept import Kept, load
from engine.views import Bars, Frame, Matrix, Note, Tokens, View

FIRST = "the ▢ cat sleeps ▢ the ▢ . two old ▢ dance on ▢ hill ."
LIKELY = 8  # words whose odds are shown
MARKS = ("▢", "_")  # what a visitor may type for a blank


@dataclass(frozen=True)
class Filled:
    """A blank that was filled.

    Attributes:
        place: Which token of the text.
        word: What was put there.
        chance: How likely the model thought it was.
    """

    place: int
    word: int
    chance: float


def refusal(kept: Kept) -> str:
    """Why a model cannot fill blanks; empty where it can."""
    if BLANK not in kept.vocabulary:
        return "This model does not know a blank: train *Small BERT that fills blanks* first."
    return ""


def odds(kept: Kept, tokens: Sequence[int]) -> torch.Tensor:
    """The chance of every word at every place of a text, `(places, words)`.

    Raises:
        ValueError: The text is longer than the model reads.
    """
    (longest,) = kept.shape
    if len(tokens) > longest:
        raise ValueError(f"text: must have at most {longest} words and signs; got {len(tokens)}")
    filled = [*tokens, *[kept.vocabulary.index(NOTHING)] * (longest - len(tokens))]
    with torch.inference_mode():
        scores: torch.Tensor = kept.module(torch.tensor([filled]))[0, : len(tokens)]
        for never in (BLANK, NOTHING):
            scores[:, kept.vocabulary.index(never)] = -torch.inf
        return scores.softmax(-1)


def fill(kept: Kept, tokens: Sequence[int]) -> Iterator[tuple[list[int], Filled | None]]:
    """Fill the blanks of a text one by one: each time the one that the model is surest of.

    Source: Ghazvininejad et al. (2019), Mask-Predict: parallel decoding of conditional masked
    language models (with one word a round).
    """
    text, blank = list(tokens), kept.vocabulary.index(BLANK)
    yield list(text), None
    while blank in text:
        chances = odds(kept, text)
        places = [place for place, token in enumerate(text) if token == blank]
        place = max(places, key=lambda one: float(chances[one].max()))
        word = int(chances[place].argmax())
        text[place] = word
        yield list(text), Filled(place, word, float(chances[place, word]))


def study(
    model: str,
    text: Annotated[str, Text(200, live=True, help="_ or ▢ for a blank")] = FIRST,
    place: Annotated[int, Pick(64, slot="text filled", help="A word, to see its odds")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Fill the blanks of a text, one after the other, and show what the model thought of each.

    Args:
        model: Folder of a trained model.
        text: Words with blanks.
        place: The word whose odds are shown.

    Yields:
        A frame for every blank that is filled; the last one waits.
    """
    kept = load(model)
    asked = _Asked(kept, text, place)
    while True:
        changes: Mapping[str, Value] | None = None
        for frame in asked.frames():
            changes = yield frame
            if changes:
                break
        asked = replace(asked, **(changes or {}))  # type: ignore[arg-type] # names of controls


@dataclass(frozen=True)
class _Asked:
    """A text with blanks and the word that is looked at."""

    kept: Kept
    text: str
    place: int

    def frames(self) -> Iterator[Frame]:
        try:
            if reason := refusal(self.kept):
                raise ValueError(reason)
            begun = self._tokens()
            steps = list(fill(self.kept, begun))
        except ValueError as error:
            note = Note(str(error), title="Cannot fill this", tone="warning")
            yield Frame(0, 1, {"note": note}, waits=True)
            return
        for number in range(len(steps)):
            yield self._frame(begun, steps[: number + 1], len(steps) - 1, waits=False)
        yield self._frame(begun, steps, len(steps) - 1, waits=True)

    def _tokens(self) -> list[int]:
        text = self.text
        for mark in MARKS:
            text = text.replace(mark, f" {BLANK} ")
        return encode(" ".join(words(text)), self.kept.vocabulary)

    def _frame(
        self,
        begun: Sequence[int],
        steps: Sequence[tuple[list[int], Filled | None]],
        of: int,
        *,
        waits: bool,
    ) -> Frame:
        text, _ = steps[-1]
        made = [one for _, one in steps if one is not None]
        sure = np.zeros(len(text))
        for one in made:
            sure[one.place] = one.chance
        called = tuple(self.kept.vocabulary[token] for token in text)
        views: dict[str, View] = {
            "text filled": Tokens(called, sure, title="the text, the surest blank first"),
            "odds": self._odds(begun, text),
            "all": self._all(begun),
        }
        facts = {"blanks filled": float(len(made))}
        if made:
            facts["chance of the last word [%]"] = 100 * made[-1].chance
            facts["mean surprise [bit]"] = float(np.mean([-np.log2(one.chance) for one in made]))
        return Frame(len(made), max(1, of), views, facts, waits=waits)

    def _odds(self, begun: Sequence[int], text: Sequence[int]) -> Bars:
        """What the model thinks of one place as if it were blank, all else as it stands now."""
        blanks = [n for n, token in enumerate(begun) if self.kept.vocabulary[token] == BLANK]
        place = self.place if 0 < self.place < len(text) else (blanks or [0])[0]
        asked = list(text)
        asked[place] = self.kept.vocabulary.index(BLANK)
        chances, which = odds(self.kept, asked)[place].topk(LIKELY)
        names = tuple(self.kept.vocabulary[int(one)] for one in which)
        return Bars(
            names,
            {"chance": chances.numpy()},
            ylabel="chance [1]",
            title=f"word {place + 1}, given all others",
        )

    def _all(self, begun: Sequence[int]) -> Matrix:
        """The likeliest words at every blank before any was filled."""
        blanks = [n for n, token in enumerate(begun) if self.kept.vocabulary[token] == BLANK]
        places = blanks or [0]
        chances, which = odds(self.kept, begun)[places].topk(5)
        said = tuple(tuple(self.kept.vocabulary[int(one)] for one in row) for row in which.tolist())
        return Matrix(
            chances.numpy(),
            rows=tuple(f"word {place + 1}" for place in places),
            columns=tuple(f"{rank}." for rank in range(1, 6)),
            words=said,
            title="before any blank was filled: the five likeliest words",
        )
