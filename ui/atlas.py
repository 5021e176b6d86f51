"""The map of topics, as the data its component draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from demos.catalog import Shelf
from demos.paths import PATHS


def topics(shelf: Shelf, done: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Chapters with their labs, what each needs, and what the visitor has done with it."""
    owner = {topic: card.id for card in shelf.cards.values() for topic in card.covers}
    return {
        "chapters": [
            {
                "title": title,
                "labs": [
                    {
                        "id": card.id,
                        "title": card.title,
                        "text": card.text[:400],
                        "seconds": card.seconds,
                        "done": list(done.get(card.id, [])),
                        "needs": sorted({owner[need] for need in card.needs if need in owner}),
                        "broken": bool(card.broken),
                    }
                    for card in shelf.cards.values()
                    if card.chapter == chapter
                ],
            }
            for chapter, title in shelf.chapters.items()
        ],
        "paths": [
            {"title": title, "labs": [owner[topic] for topic in path if topic in owner]}
            for title, path in PATHS.items()
        ],
    }
