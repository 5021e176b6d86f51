"""The shelf as plain cards, for faces that show labs without importing what the labs need.

A lab's file imports PyTorch; the server that shows its page must not. A worker process opens
the shelf once and hands over these cards.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from demos.kit import Lab, Question
from engine.forms import Form, Value


@dataclass(frozen=True, slots=True)
class Card:
    """What a page says of one lab; see `demos.kit.Lab` for the fields they share.

    Attributes:
        code: The text of the lab's file.
        broken: Why it cannot be opened; empty for a good lab.
    """

    id: str
    title: str
    chapter: str
    text: str = ""
    source: str = ""
    form: Form = field(default_factory=lambda: Form("", {}, {}))
    covers: tuple[str, ...] = ()
    seconds: float = 0.0
    quick: Mapping[str, Value] = field(default_factory=dict)
    tries: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    question: Question | None = None
    needs: tuple[str, ...] = ()
    network: str = ""
    code: str = ""
    broken: str = ""

    @property
    def entry(self) -> str:
        """What a worker process is given to run it."""
        return f"demos.{self.id}:run"


@dataclass(frozen=True, slots=True)
class Shelf:
    """All cards, by chapter.

    Attributes:
        chapters: Chapter id -> title, in the order of the curriculum.
        cards: Lab id -> card, in the order of chapters and file names.
    """

    chapters: Mapping[str, str]
    cards: Mapping[str, Card]

    def find(self, id: str) -> Card | None:
        """The card of a lab's id or of a ledger's topic; None when there is none."""
        if id in self.cards:
            return self.cards[id]
        return next((card for card in self.cards.values() if id in card.covers), None)


def catalog() -> Shelf:
    """Open every lab and make its card; runs in a worker."""
    from demos.shelf import Broken, chapters

    cards = {}
    for chapter in chapters():
        for entry in chapter.labs:
            if isinstance(entry, Broken):
                card = Card(entry.id, entry.id, chapter.id, broken=entry.reason)
            else:
                card = _card(entry)
            cards[card.id] = card
    return Shelf({chapter.id: chapter.title for chapter in chapters()}, cards)


def _card(lab: Lab) -> Card:
    return Card(
        id=lab.id,
        title=lab.title,
        chapter=lab.chapter,
        text=lab.text,
        source=lab.source,
        form=lab.form,
        covers=lab.covers,
        seconds=lab.seconds,
        quick=lab.quick,
        tries=lab.tries,
        question=lab.question,
        needs=lab.needs,
        network=lab.network,
        code=inspect.getsource(sys.modules[f"demos.{lab.id}"]),
    )
