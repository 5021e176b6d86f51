"""One look at a model's attention: the views that belong to a head and a place."""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.attention import flow as adding
from engine.attention import pictures
from engine.attention.changes import Changed
from engine.attention.gradient import relevance, self_attentions, weighed
from engine.attention.lens import lens
from engine.attention.lens import stream as stream_of
from engine.attention.methods.adding_up import answering, at
from engine.attention.subject import Subject
from engine.attention.watch import Edit, Seen, Sight
from engine.views import Bars, Heads, Note, View

MOST_PIPES = 8_000_000  # tokens times pipes that attention flow is worked out for at once


@dataclass(frozen=True)
class Scene:
    """What is looked at: a run of a model, a head and a place.

    Attributes:
        subject: The model and what lies in front of it.
        sight: What one run showed, perhaps with something changed inside.
        picked: The head, counted layer by layer.
        place: The token that looks.
        fuse: How heads become one for rollout and flow.
        output: Name or number of the output that the gradient is of.
        edits: What was changed.
        maps: The overview of the very run, where it has been drawn before.
    """

    subject: Subject
    sight: Sight
    picked: int
    place: int
    fuse: adding.Fuse
    output: str
    edits: tuple[Edit, ...] = ()
    maps: Heads | None = None

    @property
    def layer(self) -> int:
        """The layer of the picked head."""
        return self.picked // max(one.heads for one in self.sight.layers)

    @property
    def head(self) -> int:
        """The picked head's number in its layer."""
        return self.picked % max(one.heads for one in self.sight.layers)

    @property
    def seen(self) -> Seen:
        """The attention of that layer."""
        return self.sight.layers[self.layer]

    def views(self) -> dict[str, View]:
        """What stands on the page whatever is asked: the input and the overview."""
        weights = self.seen.weights[0, self.head].numpy()
        return {
            **self._inputs(weights, f"what {self._word()} looks at in head {self._name()}"),
            "heads": self.overview(),
        }

    def overview(self) -> Heads:
        """Every head as a small map."""
        if self.maps is not None:
            return replace(self.maps, picked=self.picked)
        return pictures.overview(self.subject, self.sight.layers, self.picked)

    def special(self, show: str) -> dict[str, View]:
        """What is asked for."""
        makers = {
            "heads": self._heads,
            "neuron": self._neuron,
            "rollout": self._rollout,
            "flow": self._flow,
            "gradient": self._gradient,
            "lens": self._lens,
            "detectors": self._detectors,
        }
        return makers[show]()

    def note(self, did: Changed | None) -> Note:
        """What is to be seen, in words."""
        layers = self.sight.layers
        kinds = {"causal": "looks back only", "self": "looks at all", "cross": "looks across"}
        about = self.subject.about[:1].upper() + self.subject.about[1:]
        words = (
            f"{len(layers)} attention layers; layer {self.layer} is `{self.seen.name}` with "
            f"{self.seen.heads} heads and {kinds[self.seen.kind]}. {about}."
        )
        if did:
            return Note(f"**Changed:** {did.words}.\n\n{words}", tone="good")
        return Note(words)

    def _name(self) -> str:
        return f"{self.layer}.{self.head}"

    def _word(self) -> str:
        return self.subject.rows(self.seen)[self.place]

    def _inputs(self, weights: np.ndarray, title: str, row: bool = True) -> dict[str, View]:
        """The input with a row of weights laid over it."""
        looking, looked_at = self.subject.of(self.seen)
        if self.subject.picture is not None:
            shown = pictures.picture(self.subject, weights, self.place) if row else None
            return {"input": shown} if shown else {}
        behind = weights[self.place] if weights.ndim == 2 else weights
        if looking == looked_at:
            return {"input": pictures.strip(self.subject, looking, behind, title)}
        return {
            "input": pictures.strip(self.subject, looking, None, "those that look"),
            "source": pictures.strip(self.subject, looked_at, behind, title),
        }

    def _heads(self) -> dict[str, View]:
        name = self._name()
        one = functools.partial(pictures.head, self.subject, self.seen, self.head, self.place)
        return {"head": one("lines", name), "matrix": one("matrix", name)}

    def _neuron(self) -> dict[str, View]:
        made = pictures.products(self.subject, self.seen, self.head, self.place)
        if made is None:
            raise ValueError(
                f"{self.seen.name} compares queries and keys by a network of its own: there is no "
                "product to show; look at its heads"
            )
        values = pictures.values(self.subject, self.seen, self.head, self.place)
        return {"neuron": made, "values": values}

    def _stack(self) -> list[int]:
        own = self_attentions(self.sight.layers, self.seen)
        if not own:
            raise ValueError("rollout and flow need self-attention; this network has none")
        return own

    def _rollout(self) -> dict[str, View]:
        own = self._stack()
        layers = [self.sight.layers[i].weights[0].numpy() for i in own]
        found = adding.rollout(layers, self.fuse)
        upto = own.index(self.layer) if self.layer in own else len(own) - 1
        title = f"rollout of layers 0 to {own[upto]}: how much of each token is in each place"
        table = pictures.square(
            self.subject, self.sight.layers[own[0]], found[upto], self.place, title
        )
        return {**self._inputs(found[upto], f"rollout for {self._word()}"), "matrix": table}

    def _flow(self) -> dict[str, View]:
        own = self._stack()
        layers = [self.sight.layers[i].weights[0].numpy() for i in own]
        n = layers[0].shape[-1]
        if n * n * n * len(layers) > MOST_PIPES:
            most = int((MOST_PIPES / len(layers)) ** (1 / 3))
            raise ValueError(
                f"flow: {n} tokens in {len(layers)} layers take minutes; take a text of at most "
                f"{most} tokens, or look at rollout"
            )
        found = adding.flow(layers, min(self.place, n - 1), self.fuse)
        rolled = adding.rollout(layers, self.fuse)[-1][min(self.place, n - 1)]
        both = np.stack([found / max(found.sum(), 1e-12), rolled])
        first = self.sight.layers[own[0]]
        names = self.subject.columns(first)
        bars = Bars(
            tuple(f"{number}: {name}" for number, name in enumerate(names)),
            {"flow (its share)": both[0], "rollout": both[1]},
            ylabel="share",
            title=f"from {self._word()} in the last layer down to each token",
        )
        shown = np.tile(both[0], (n, 1))
        return {**self._inputs(shown, f"attention flow for {self._word()}"), "flow": bars}

    def _gradient(self) -> dict[str, View]:
        answer = self.sight.answer
        row = answer[0] if answer.ndim == 2 else answer[0, at(self.place, answer.shape[1])]
        output = _output(self.output, row, self.subject)
        place = at(self.place, answer.shape[1]) if answer.ndim == 3 else 0
        seen, found = weighed(self.subject, place, output)
        own = self_attentions(seen.layers, seen.layers[self.layer])
        views: dict[str, View] = {}
        if own:
            n = found[own[0]].shape[-1]
            gained = relevance([found[i][0] for i in own], answering(answer, place, n)).numpy()
            views |= self._inputs(
                np.tile(gained, (n, 1)), f"relevance for {self.subject.name(output)}"
            )
        title = f"head {self._name()}: attention × slope of {self.subject.name(output)}"
        table = found[self.layer][0, self.head].numpy()
        views["matrix"] = pictures.square(
            self.subject, self.seen, table, self.place, title, signed=True
        )
        return views

    def _lens(self) -> dict[str, View]:
        points = stream_of(self.subject.module, self.sight.layers)
        logits, kept = lens(self.subject.module, self.subject.inputs, points, self.edits)
        return {"lens": pictures.through_lens(self.subject, logits, kept, self.place)}

    def _detectors(self) -> dict[str, View]:
        found = dict(pictures.detected(self.subject, self.sight.layers, self.picked))
        if not found:
            raise ValueError("detectors look for patterns of self-attention; this network has none")
        return found


def _output(words: str, row: torch.Tensor, subject: Subject) -> int:
    """The output that is meant by its name, its number or `predicted`."""
    if words.strip() in ("", "predicted"):
        return int(row.argmax())
    names = [subject.name(number) for number in range(len(row))]
    if words in names:
        return names.index(words)
    if words.isdecimal() and int(words) < len(row):
        return int(words)
    near = difflib.get_close_matches(words, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"output: must be predicted, a name or 0 to {len(row) - 1}{hint}")


def warning(words: str) -> Note:
    """What could not be done, and what fits instead."""
    return Note(words, title="What does not fit", tone="warning")
