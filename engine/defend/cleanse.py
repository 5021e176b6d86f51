"""Poison a training set, find the poison by statistics, take it out and train again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import numpy as np
import torch
from torch import nn

from engine.attack.pictures import tiles
from engine.attack.privacy.detection import auc
from engine.attack.privacy.methods.backdoor import Poisoned, clean_and_success, poisoned
from engine.attack.steered import Steered
from engine.data import DataSet
from engine.defend.poison import Split, clusters, spectral
from engine.defend.subject import subject
from engine.forms import Slider
from engine.network.build import build
from engine.training.session import Session
from engine.training.settings import Settings
from engine.views import Array, Bars, Curve, Frame, Histogram, Note, View

LOOKS = 12  # points on the curve of each training
BINS = 24
SHOWN = 12
SPARE = 1.5  # how many times the expected poison is taken out
SMALL = 0.45  # a smaller part than this of a class is suspicious


def cleanse(
    model: str,
    *,
    part: Annotated[float, Slider(0.01, 0.3, help="Poisons more of the training samples")] = 0.03,
    target: Annotated[int, Slider(0, 99, help="The class that the mark shall mean")] = 0,
    side: Annotated[int, Slider(1, 8, unit="px", help="A larger mark")] = 3,
    epochs: Annotated[int, Slider(1, 50, log=True, help="Longer training, twice")] = 12,
    seed: Annotated[int, Slider(0, 999, help="Other samples and first weights")] = 0,
) -> Steered:
    """Train the network of a model on poisoned data, find the poison, train without it.

    Args:
        model: The folder of a kept model; its network and data are taken, not its weights.
        part: Part of the training samples that is marked and called the target class.
        target: That class.
        side: Rows and columns of the mark.
        epochs: How long each training is.
        seed: For samples, order and first weights.

    Yields:
        Frames of the first training, of what is found, and of the second training.

    Raises:
        ValueError: The data are no pictures with classes.
    """
    known = subject(model)
    given = poisoned(known.data, part=part, target=target, side=side, seed=seed)
    story = _Story(given)

    def trained(words: str, data: DataSet) -> Iterator[nn.Module | Frame]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module: nn.Module = build(known.kept.spec)
        session = Session(module, data, Settings(epochs=epochs, seed=seed))
        every = max(1, session.steps // LOOKS)
        while not session.finished:
            session.advance()
            if session.step % every == 0 or session.finished:
                story.look(words, session.module)
                session.module.train()
                yield story.frame()
        yield session.module.eval()

    for one in trained("poisoned", given.data):
        if isinstance(one, Frame):
            yield one
        else:
            story.find(one)
            yield story.frame()
    for one in trained("cleansed", story.cleansed(part)):
        if isinstance(one, Frame):
            yield one
    yield story.frame(end=True)


class _Story:
    """What has been measured so far."""

    def __init__(self, given: Poisoned) -> None:
        self._given = given
        self._track: dict[str, list[tuple[float, float]]] = {"poisoned": [], "cleansed": []}
        self._scores: torch.Tensor | None = None
        self._splits: list[Split] = []
        self._removed = torch.zeros(0, dtype=torch.bool)

    def look(self, words: str, module: nn.Module) -> None:
        """Measure accuracy and what the mark does."""
        self._track[words].append(clean_and_success(module, self._given))

    def find(self, module: nn.Module) -> None:
        """Ask both statistics."""
        data = self._given.data
        self._scores = spectral(module, data.train_x, data.train_y)
        self._splits = [
            clusters(module, data.train_x[data.train_y == one]) for one in range(len(data.classes))
        ]

    def cleansed(self, part: float) -> DataSet:
        """The data without what is most suspicious in the class that is suspected."""
        data, scores = self._given.data, self._scores
        if scores is None:
            raise RuntimeError("cleanse: nothing has been looked for yet")
        own = data.train_y == self._suspect()
        count = min(int(own.sum()) - 1, round(SPARE * part * len(data.train_x)))
        ranked = scores.masked_fill(~own, -1).argsort(descending=True)[:count]
        self._removed = torch.zeros(len(scores), dtype=torch.bool)
        self._removed[ranked] = True
        left = ~self._removed
        return replace(data, train_x=data.train_x[left], train_y=data.train_y[left])

    def _suspect(self) -> int:
        """The class that falls apart most clearly into a large and a small part."""
        marks = [one.silhouette if one.share <= SMALL else -1.0 for one in self._splits]
        return int(np.argmax(marks))

    def frame(self, *, end: bool = False) -> Frame:
        """Where the story is."""
        views: dict[str, View] = {"curve": self._curve()}
        facts: dict[str, float] = {}
        if self._scores is not None:
            views |= self._findings(self._scores)
            facts |= self._facts(self._scores)
        for words, track in self._track.items():
            if track:
                facts[f"mark works, {words} [%]"] = 100 * track[-1][1]
        views["notes"] = self._words()
        of = 2 * LOOKS + 3
        done = min(of - 1, sum(len(track) for track in self._track.values()))
        return Frame(of if end else done, of, views, facts)

    def _curve(self) -> Curve:
        longest = max(len(track) for track in self._track.values())
        lines: dict[str, Array] = {}
        for words, track in self._track.items():
            for place, what in enumerate(("right", "mark works")):
                values = [100 * pair[place] for pair in track]
                if values:
                    gap = [np.nan] * (longest - len(values))
                    lines[f"{words}: {what}"] = np.array([*values, *gap])
        at = np.linspace(0, 100, longest + 1)[1:] if longest else np.zeros(0)
        return Curve(
            at,
            lines,
            xlabel="of the training [%]",
            ylabel="validation samples [%]",
            title="with the poison, and after taking out what was found",
        )

    def _findings(self, scores: torch.Tensor) -> dict[str, View]:
        data, marked = self._given.data, self._given.marked
        own = data.train_y == self._suspect()
        top = float(scores[own].quantile(0.99))
        edges = np.linspace(0, max(top, 1e-9), BINS + 1)
        groups = {"clean": own & ~marked, "marked": own & marked}
        counts = {
            words: np.histogram(scores[group].clamp(max=top).numpy(), edges)[0].astype(float)
            for words, group in groups.items()
        }
        order = scores.masked_fill(~own, -1).argsort(descending=True)[:SHOWN]
        words = ["marked" if bool(marked[i]) else "clean" for i in order]
        name = data.classes[self._suspect()]
        return {
            "classes": Bars(
                data.classes,
                {
                    "smaller part": np.array([one.share for one in self._splits]),
                    "silhouette": np.array([one.silhouette for one in self._splits]),
                },
                level={"suspicious below": SMALL},
                title="each class parted in two: small and clear is suspicious",
            ),
            "spectrum": Histogram(
                edges,
                counts,
                xlabel="along the strongest direction",
                ylabel="samples",
                title=f"spectral signature of class {name}",
            ),
            "suspects": tiles(
                data.train_x[order], words, across=SHOWN // 2, title="most suspicious samples"
            ),
        }

    def _facts(self, scores: torch.Tensor) -> dict[str, float]:
        given = self._given
        own = given.data.train_y == given.target
        facts = {
            "AUC of the spectral signature": auc(
                scores[own & given.marked].numpy(), scores[own & ~given.marked].numpy()
            )
        }
        if len(self._removed):
            caught = (self._removed & given.marked).sum() / given.marked.sum()
            facts["poison taken out [%]"] = 100 * float(caught)
        return facts

    def _words(self) -> Note:
        data = self._given.data
        name = data.classes[self._given.target]
        if self._scores is None:
            return Note(
                f"First the poison: {int(self._given.marked.sum())} training samples carry a mark "
                f"and the name “{name}”."
            )
        found = data.classes[self._suspect()]
        right = found == name
        return Note(
            f"Class “{found}” falls into two parts most clearly"
            + (", and it is the one that was poisoned. " if right else f"; poisoned was “{name}”. ")
            + "Its most suspicious samples are taken out and the network is trained again.",
            tone="good" if right else "warning",
        )
