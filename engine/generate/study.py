"""Write on with a trained model: the odds of every token, the filters, beams and the cache."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import torch

from engine.data import DataSet
from engine.data import load as load_data
from engine.data.dataset import IGNORED
from engine.data.sets.words import BEGIN, END
from engine.data.tokens import decode, shown
from engine.forms import Choice, Pick, Slider, Text, Toggle, Value
from engine.generate import pictures
from engine.generate.beam import Beam, search
from engine.generate.filters import Rule, Stage
from engine.generate.write import Written, write
from engine.generate.writer import Writer, numbers, refusal, text_inputs, writer
from engine.models.kept import Kept, load
from engine.views import Frame, Note, View

BEGINNING = 12  # tokens of a validation sample that begin the text where none is typed
EVERY = 16  # tokens between two measurements of reading all anew
LINE = 40  # characters of a line of what it wrote


@dataclass(frozen=True)
class Wish:
    """What was asked for; the controls of `study`."""

    prompt: str
    source: str
    way: str
    count: int
    rule: Rule
    width: int
    seed: int
    cache: bool
    place: int


def study(
    model: str,
    *,
    prompt: Annotated[
        str, Text(2000, live=True, help="How the text begins; empty: as a test sample does")
    ] = "",
    source: Annotated[
        str, Text(2000, live=True, help="For a translator: what to translate; empty: a test sample")
    ] = "",
    way: Annotated[
        Literal["draw", "beam search"],
        Choice(
            ("draw", "beam search"),
            help="Draw each token, or follow the likeliest texts",
            live=True,
        ),
    ] = "draw",
    count: Annotated[int, Slider(1, 400, log=True, live=True, help="A longer text")] = 120,
    temperature: Annotated[
        float,
        Slider(0.0, 2.0, live=True, when="way=draw", help="Bolder; 0 always takes the likeliest"),
    ] = 0.8,
    top_k: Annotated[
        int, Slider(0, 100, live=True, when="way=draw", help="More candidates stay; 0 keeps all")
    ] = 0,
    top_p: Annotated[
        float,
        Slider(
            0.05,
            1.0,
            live=True,
            when="way=draw",
            help="More of the chance stays, the likeliest first",
        ),
    ] = 0.95,
    min_p: Annotated[
        float,
        Slider(
            0.0,
            0.5,
            live=True,
            when="way=draw",
            help="Candidates need more of the likeliest's chance",
        ),
    ] = 0.0,
    repetition: Annotated[
        float,
        Slider(1.0, 2.0, live=True, when="way=draw", help="What was said becomes less likely"),
    ] = 1.0,
    beams: Annotated[
        int, Slider(1, 8, live=True, when="way=beam search", help="More texts are followed")
    ] = 4,
    cache: Annotated[bool, Toggle(help="Keep what was read", live=True, when="way=draw")] = True,
    seed: Annotated[int, Slider(0, 999, live=True, help="Other draws, another test sample")] = 0,
    place: Annotated[
        int, Pick(100_000, "text", help="The token whose odds are shown; 0: the newest")
    ] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Write; show each token's odds as it is drawn; wait for a control to be turned.

    Args:
        model: The folder of a trained run.
        prompt: How the text begins.
        source: What is to be translated, for a model with two inputs.
        way: Whether tokens are drawn, or the likeliest texts are followed.
        count: How many tokens.
        temperature: Divides the scores.
        top_k: How many candidates stay.
        top_p: How much of the chance stays.
        min_p: Which share of the likeliest's chance a candidate needs.
        repetition: By what the scores of repeated tokens are divided.
        beams: How many texts are followed.
        cache: Whether keys, values and states are kept.
        seed: Fixes the draws and the test sample.
        place: Number of the token whose odds are shown.

    Yields:
        A frame for every token; the last one waits.
    """
    desk = Desk(load(model))
    rule = Rule(temperature, top_k, top_p, min_p, repetition)
    wish = Wish(prompt, source, way, count, rule, beams, seed, cache, place)
    while True:
        changes: Mapping[str, Value] | None = None
        for frame in desk.frames(wish):
            changes = yield frame
            if changes:
                break
        wish = _changed(wish, changes or {})


def _changed(wish: Wish, changes: Mapping[str, Any]) -> Wish:
    """The wish with some controls turned; a token stays picked only while nothing else changes."""
    own = {"beams": "width"}
    rule = {name: value for name, value in changes.items() if hasattr(wish.rule, name)}
    rest = {own.get(name, name): value for name, value in changes.items() if name not in rule}
    if "place" not in changes:
        rest["place"] = 0
    return replace(wish, rule=replace(wish.rule, **rule), **rest)


class Desk:
    """A model that writes, and what it wrote last."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.words = kept.vocabulary
        self.size = len(kept.classes) or 2
        self._data: DataSet | None = None
        self._known: tuple[Wish, list[Frame]] | None = None
        self._last: _Page | None = None

    def frames(self, wish: Wish) -> Iterator[Frame]:
        """A frame for every token; where only another token was picked, one frame."""
        page = self._last
        if page is not None and page.wish == replace(wish, place=page.wish.place):
            page.wish = wish
            yield page.frame(waits=True)
            return
        try:
            page = _Page(self, wish)
        except (ValueError, LookupError) as error:
            self._last = None
            note = Note(str(error), title="Cannot write this", tone="warning")
            yield Frame(0, 1, {"note": note}, waits=True)
            return
        self._last = page
        yield from page.frames()

    def name(self, token: int) -> str:
        """What a token is called."""
        return self.words[token] if token < len(self.words) else str(token)

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as one reads them."""
        if not self.words:
            return " ".join(map(str, tokens))
        return decode(tokens, self.words)

    def prompt(self, wish: Wish) -> tuple[list[int], list[int]]:
        """The source, if the model takes one, and how the text begins: as tokens."""
        pair = len(text_inputs(self.kept)) == 2
        sample = self._sample(wish.seed) if not wish.prompt or (pair and not wish.source) else None
        source: list[int] = []
        if pair:
            typed = wish.source.strip()
            source = numbers(typed, self.words, self.size) if typed else (sample or ([0], [0]))[0]
        if not wish.prompt:
            begin = self._begin() if pair else (sample or ([], [0]))[1]
            return source, begin
        typed_prompt = numbers(wish.prompt, self.words, self.size)
        return source, [*(self._begin() if pair else []), *typed_prompt]

    def end(self) -> int | None:
        """The token that ends a text, if the vocabulary has one."""
        return self.words.index(END) if END in self.words else None

    def _begin(self) -> list[int]:
        return [self.words.index(BEGIN)] if BEGIN in self.words else [0]

    def _sample(self, number: int) -> tuple[list[int], list[int]]:
        """A validation sample's source, and its text up to where the first answer is judged."""
        if not self.kept.data:
            return [0], [0]
        if self._data is None:
            self._data = load_data(self.kept.data)
        data = self._data
        index = number % len(data.valid_x)
        parts = [part[0].tolist() for part in data.inputs(data.valid_x[index : index + 1])]
        judged = (data.valid_y[index] != IGNORED).nonzero()
        first = int(judged[0]) + 1 if len(judged) else 1
        return parts[0], parts[-1][
            : max(first, min(BEGINNING, len(parts[-1])) if first == 1 else 1)
        ]


class _Page:
    """One text as it is written."""

    def __init__(self, desk: Desk, wish: Wish) -> None:
        if reason := refusal(desk.kept):
            raise ValueError(reason)
        self.desk, self.wish = desk, wish
        self.source, self.prompt = desk.prompt(wish)
        self.someone: Writer = writer(desk.kept, self.source, cached=wish.cache)
        self.someone.prepare(self.prompt)
        self.written: list[Written] = []
        self.beams: list[Beam] = []
        self.sizes: list[int] = []
        self.without: list[float] = []

    def frames(self) -> Iterator[Frame]:
        if self.wish.way == "beam search":
            yield from self._search()
            return
        wish = self.wish
        for one in write(
            self.someone,
            self.prompt,
            wish.rule,
            count=wish.count,
            seed=wish.seed,
            end=self.desk.end(),
        ):
            self.written.append(one)
            cache = self.someone.cache
            self.sizes.append(cache.numbers if cache else 0)
            self.without.append(self._anew())
            yield self.frame()
        yield self.frame(waits=True)

    def frame(self, *, waits: bool = False) -> Frame:
        if self.beams:
            return self._beam_frame(waits)
        name = self.desk.name
        place = self.wish.place - len(self.prompt)
        picked = self.written[place if 0 <= place < len(self.written) else -1]
        cache = self.someone.cache
        views: dict[str, View] = {
            "read": self._read([one.token for one in self.written]),
            "text": pictures.tokens(name, self.prompt, self.written),
            "odds": pictures.odds(self._called, picked.stages),
            "filters": pictures.filters(self._called, picked.stages, picked.token),
            "cuts": pictures.cuts(self._called, picked.stages),
            "cache": pictures.kept(cache, self._places(), self._place_name),
            "growth": pictures.growth(self.sizes),
            "times": pictures.times(
                [one.seconds for one in self.written], self.without, cache is not None
            ),
        }
        if self.someone.why and self.wish.cache:
            views["note"] = Note(
                f"Nothing is kept: {self.someone.why}. Every token reads all the text anew.",
                title="No cache",
            )
        count = len(self.written)
        return Frame(count, max(count, self.wish.count), views, self._facts(picked), waits=waits)

    def _facts(self, picked: Written) -> dict[str, float]:
        usual = float(np.median([one.seconds for one in self.written]))
        facts = {
            "surprise [bit/token]": float(np.mean([one.surprise for one in self.written])),
            "candidates left": float((picked.stages[-1].scores > -torch.inf).sum()),
            "time of a token [ms]": 1000 * usual,
        }
        if self.someone.cache is not None:
            facts["kept [kB]"] = self.sizes[-1] * 4 / 1000
            measured = [one for one in self.without if one == one]
            if measured:
                facts["times as fast as reading all anew"] = measured[-1] / max(usual, 1e-9)
        return facts

    def _search(self) -> Iterator[Frame]:
        for found in search(
            self.someone.all_scores,
            self.prompt,
            width=self.wish.width,
            count=self.wish.count,
            end=self.desk.end(),
        ):
            self.beams = found
            yield self.frame()
        yield self.frame(waits=True)

    def _beam_frame(self, waits: bool) -> Frame:
        best = self.beams[0]
        whole = [*self.prompt, *best.tokens]
        scores = self.someone.all_scores([whole])[0]
        views: dict[str, View] = {
            "read": self._read(best.tokens),
            "beams": pictures.beams(self.desk.text, self.beams),
            "odds": pictures.odds(self._called, [Stage("model", scores)]),
        }
        facts = {"log chance of the best [nat]": best.score, "beams": float(len(self.beams))}
        count = len(best.tokens)
        return Frame(count, max(count, self.wish.count), views, facts, waits=waits)

    def _read(self, tokens: Sequence[int]) -> Note:
        """The text as one reads it."""
        text, source = self.desk.text([*self.prompt, *tokens]), ""
        if self.source:
            source = f"{self.desk.text(self.source)}\n→ "
        lines = [short for line in text.splitlines() for short in textwrap.wrap(line, LINE) or [""]]
        whole = "\n".join(lines).replace("```", "···")
        return Note(f"```\n{source}{whole}\n```", title="What it wrote")

    def _called(self, token: int) -> str:
        return shown(self.desk.name(token))

    def _places(self) -> int:
        whole = len(self.prompt) + self.wish.count
        return min(whole, self.someone.longest or whole)

    def _place_name(self, place: int) -> str:
        cache = self.someone.cache
        text = [*self.prompt, *(one.token for one in self.written)]
        read = cache.length if cache else 0
        begin = max(0, len(text) - 1 - read)  # the newest token has not been read yet
        return shown(self.desk.name(text[begin + place])) if place < read else ""

    def _anew(self) -> float:
        """How long it takes to read all anew [s]; measured now and then, NaN between."""
        if self.someone.cache is None or len(self.written) % EVERY != 1:
            return float("nan")
        text = [*self.prompt, *(one.token for one in self.written)]
        begun = time.perf_counter()
        self.someone.all_scores([text])
        return time.perf_counter() - begun
