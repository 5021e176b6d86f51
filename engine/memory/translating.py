"""Watch a trained translator look at the source while it writes, word by word."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np

from engine.attention.put import Table as Putting
from engine.data.dataset import IGNORED
from engine.data.sets.words import BEGIN, COLOURS, END, NOUNS, PAIR_WORDS, VERBS
from engine.forms import Choice, Slider, Text, Value
from engine.memory.alignment import Said, entropy, say
from engine.models.kept import load
from engine.views import Bars, Curve, Frame, Matrix, Note, Table, Tokens, View

SOURCES = ("sample", "typed")
CANDIDATES = 8
Way = Literal["its own words", "the right words"]


def study(
    model: str,
    *,
    source: Annotated[str, Choice(SOURCES, help="What to translate", live=True)] = "sample",
    sample: Annotated[
        int, Slider(0, 9999, live=True, help="Another sentence", when="source=sample")
    ] = 0,
    text: Annotated[
        str, Text(400, live=True, help="In the words it knows", when="source=typed")
    ] = "",
    way: Annotated[
        Way,
        Choice(
            ("its own words", "the right words"),
            help="What it reads on from: its own words, or the right ones as in training",
            live=True,
            when="source=sample",
        ),
    ] = "its own words",
    layer: Annotated[int, Slider(0, 11, live=True, help="A later layer that looks back")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Translate a sentence; a row of the alignment appears with every word.

    Args:
        model: The folder of a trained run.
        source: Whether a validation sample is translated, or what was typed.
        sample: Its number.
        text: A sentence in the model's vocabulary.
        way: What the translator reads on from.
        layer: Which of the layers that look back is shown.

    Yields:
        A frame a word; the last one waits.
    """
    put = Putting(load(model))
    wish: dict[str, Any] = {
        "source": source,
        "sample": sample,
        "text": text,
        "way": way,
        "layer": layer,
    }
    while True:
        changes: Mapping[str, Value] | None = None
        for frame in _frames(put, **wish):
            changes = yield frame
            if changes:
                break
        wish.update(changes or {})


def _frames(
    put: Putting, source: str, sample: int, text: str, way: str, layer: int
) -> Iterator[Frame]:
    try:
        if len(put.inputs) != 2 or put.reads != "text":
            raise ValueError("this model does not translate: it needs a source and a target")
        typed = source == "typed"
        subject = put.typed(f"{text} → {BEGIN}") if typed else put.sample(sample)
        read = subject.inputs[0]
        if typed:  # filled up as in training
            length = int(put.inputs[0].params["shape"][0])
            padded = read.new_zeros(1, length)
            padded[:, : read.shape[1]] = read
            read = padded
        truth = [] if typed or subject.truth is None else subject.truth[0].tolist()
    except (ValueError, LookupError) as error:
        note = Note(str(error), title="Cannot translate this", tone="warning")
        yield Frame(0, 1, {"note": note}, waits=True)
        return
    words = put.words
    right = [token for token in truth if token != IGNORED]
    begin = words.index(BEGIN) if BEGIN in words else int(subject.inputs[1][0, 0])
    end = words.index(END) if END in words else None
    told = right if way == "the right words" and not typed else []
    most = int(put.inputs[1].params["shape"][0])
    page = _Page(words, read[0].tolist(), right, most, layer)
    for one in say(put.kept.module, read, begin, most=most, end=end, told=told):
        page.said.append(one)
        if not one.weights:
            note = Note(
                "This model translates without looking back at the source: it has no attention "
                "from target to source.",
                title="Nothing to align",
            )
            yield Frame(0, 1, {"note": note}, waits=True)
            return
        yield page.frame()
    yield page.frame(waits=True)


class _Page:
    """What has been said so far of one sentence."""

    def __init__(
        self, words: Sequence[str], source: list[int], right: list[int], most: int, layer: int
    ) -> None:
        self.words, self.source, self.right, self.layer = words, source, right, layer
        self.rows = max(most, len(right))
        self.said: list[Said] = []

    def frame(self, *, waits: bool = False) -> Frame:
        newest = self.said[-1]
        name = list(newest.weights)[min(self.layer, len(newest.weights) - 1)]
        looks = [one.weights[name].numpy().astype(np.float64) for one in self.said]
        table = np.full((self.rows, len(self.source)), np.nan)
        table[: len(looks)] = np.round(looks, 2)
        read, written = self._names(self.source), self._names([one.token for one in self.said])
        rows = (*written, *[""] * (self.rows - len(written)))
        views: dict[str, View] = {
            "source": Tokens(read, looks[-1], title=f"where it looked to say {written[-1]}"),
            "alignment": Matrix(
                table,
                rows,
                read,
                xlabel="read",
                ylabel="written",
                numbers=True,
                highlight=((len(looks) - 1, int(looks[-1].argmax())),),
                title=f"alignment of {name}",
            ),
            "odds": self._odds(newest),
            "spread": Curve(
                np.arange(1, len(looks) + 1, dtype=np.float64),
                {"spread": np.array([entropy(one.weights[name]) for one in self.said])},
                xlabel="word",
                ylabel="entropy of the look [bit]",
                dots=True,
                title=f"how spread out each look is (all alike: {np.log2(len(read)):.2f} bit)",
            ),
            "words": self._table(),
        }
        return Frame(len(looks), self.rows, views, self._facts(looks), waits=waits)

    def _names(self, tokens: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.words[n] if n < len(self.words) else str(n) for n in tokens)

    def _odds(self, newest: Said) -> Bars:
        top = newest.scores.softmax(0).topk(min(CANDIDATES, len(newest.scores)))
        return Bars(
            self._names(top.indices.tolist()),
            {"chance": top.values.numpy()},
            ylabel="chance",
            title="odds of this word",
        )

    def _table(self) -> Table:
        said = self._names([one.token for one in self.said])
        right = self._names(self.right)
        rows = tuple(
            (word, right[n] if n < len(right) else "", "✓" if right[n : n + 1] == (word,) else "")
            for n, word in enumerate(said)
        )
        return Table(("it said", "right", ""), rows, title="word by word")

    def _facts(self, looks: Sequence[np.ndarray]) -> dict[str, float]:
        said = [one.token for one in self.said]
        facts: dict[str, float] = {}
        if self.right:
            hits = sum(a == b for a, b in zip(said, self.right, strict=False))
            facts["right words [%]"] = 100 * hits / max(len(said), 1)
        found = [
            int(look.argmax()) in wanted
            for look, wanted in zip(
                looks, aligned(self._names(self.source), self._names(said)), strict=True
            )
            if wanted
        ]
        if found:
            facts["looked at the word it translates [%]"] = 100 * sum(found) / len(found)
        return facts


def aligned(read: Sequence[str], written: Sequence[str]) -> list[set[int]]:
    """For each written word the places of the source it translates; empty where none is known.

    Known for the toy language of the data set translation alone.
    """
    known: dict[str, str] = {}
    if set(read) <= set(PAIR_WORDS):
        known = {french: english for english, (french, _) in NOUNS.items()}
        known |= {french: english for english, french in VERBS.items()}
        known |= {word: english for english, pair in COLOURS.items() for word in pair}
    places: dict[str, set[int]] = {}
    for place, word in enumerate(read):
        places.setdefault(word, set()).add(place)
    return [places.get(known.get(word, ""), set()) for word in written]
