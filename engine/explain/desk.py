"""A trained model, what lies in front of it, and the explanations made so far."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import nn

from engine.data import DataSet
from engine.explain import own
from engine.explain.adapt import Embedded, Kind, adapted, folded, kind_of
from engine.explain.cost import Estimate, Pace, Work, estimate, pace
from engine.explain.measure import Measured, measure
from engine.explain.table import compares, explainers
from engine.explain.watched import watched
from engine.forms import Choice, Drawing, Slider, Text, Value
from engine.models.inputs import Given, Samples
from engine.models.kept import Kept, load
from engine.views import Frame, Note

REFERENCES = 16  # samples of the data that methods compare with
MOST_KEPT = 64  # explanations remembered, so that a slider moved back costs nothing

Source = Annotated[
    str, Choice(("test sample", "drawing", "yours"), help="What to put in", live=True)
]
Sample = Annotated[int, Slider(0, 9999, live=True, help="Another test sample")]
Drawn = Annotated[list[float], Drawing(28, 28, help="Draw with mouse or finger")]
Yours = Annotated[
    str, Text(own.LONGEST, live=True, help="A picture, row or sentence that the page read")
]
Target = Annotated[str, Text(64, live=True, help="The class to explain, or: predicted")]
Seed = Annotated[int, Slider(0, 999, live=True, help="Other random draws")]
Patience = Annotated[
    float,
    Slider(1.0, 300.0, log=True, unit="s", live=True, help="Slower methods may begin as well"),
]

Steered = Generator[Frame, Mapping[str, Value] | None, None]


def steered(
    frames: Callable[[Mapping[str, Any]], Iterator[Frame]], controls: dict[str, Any]
) -> Steered:
    """Show frames; begin anew with every control that is turned, and end what is not wanted."""
    while True:
        changes: Mapping[str, Value] | None = None
        making = frames(controls)
        for frame in making:
            changes = yield frame
            if changes:  # never finish what nobody wants any more
                break
        if isinstance(making, Generator):
            making.close()
        controls.update(changes or {})


def refused(why: object) -> Frame:
    """What a section shows where it cannot answer: the reason."""
    return Frame(
        1, 1, {"notes": Note(str(why), title="That does not fit", tone="warning")}, waits=True
    )


@dataclass(frozen=True)
class Case:
    """One sample in front of the model, as explainers take it.

    Attributes:
        given: The sample as the model takes it.
        kind: What it is.
        module: The network that takes `x`.
        x: The sample, `(1, ...)`.
        scores: What the model says, `(outputs,)`.
        target: The output that is explained.
    """

    given: Given
    kind: Kind
    module: nn.Module
    x: torch.Tensor
    scores: torch.Tensor
    target: int

    def folded(self, explanation: torch.Tensor) -> torch.Tensor:
        """A map in the order of the given sample."""
        return folded(explanation, self.kind)


class Desk:
    """A model and its data.

    Args:
        model: The folder of a trained run.
    """

    def __init__(self, model: str) -> None:
        self.kept: Kept = load(model)
        self._samples = Samples(self.kept)
        self._made: dict[object, Measured] = {}
        self._pace: Pace | None = None
        entries = [node for node in self.kept.spec.nodes if node.type == "Input"]
        if len(entries) != 1:
            raise ValueError(f"explain: takes networks with one input; this one has {len(entries)}")

    @functools.cached_property
    def data(self) -> DataSet | None:
        """The data the model was trained on, if they are known."""
        return self._samples.data()

    @property
    def kind(self) -> Kind:
        """What a sample is to the model."""
        return kind_of(self.kept.module, self.kept.shape)

    @property
    def classifies(self) -> bool:
        """Whether scores are those of classes, so that chances can be made of them."""
        return self.data.task == "classification" if self.data else True

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """What the tokens of a text are called."""
        return tuple(getattr(self.data, "vocabulary", ()))

    def likely(self, scores: torch.Tensor) -> torch.Tensor:
        """Scores `(n, outputs)` as chances, or as they are where the model gives numbers."""
        return scores.softmax(1) if self.classifies and scores.shape[1] > 1 else scores

    @property
    def watched(self) -> str:
        """What is watched of an output, in a word."""
        return "chance" if self.classifies else "value"

    def choose(self, controls: Mapping[str, Any]) -> Given:
        """The sample that the controls mean.

        Raises:
            ValueError: It does not fit the model.
        """
        if controls["source"] == "yours" and controls["yours"]:
            return own.read(controls["yours"], self.kept.shape, self.vocabulary)
        given: Given = self._samples.choose(
            controls["source"], controls["sample"], controls["drawing"]
        )
        return given

    def case(self, controls: Mapping[str, Any]) -> Case:
        """The sample that the controls mean, in front of the model.

        Raises:
            ValueError: It does not fit the model, or there is no such target.
        """
        return self.put(self.choose(controls), str(controls["target"]))

    def put(self, given: Given, target: str = "predicted") -> Case:
        """A sample in front of the model."""
        module, x = adapted(self.kept.module, given.x, self.kind)
        with torch.no_grad():
            scores = module(x)[0]
        if scores.ndim != 1:
            raise ValueError(
                f"explain: needs a network with one row of scores a sample; this one gives "
                f"{list(scores.shape)}"
            )
        return Case(given, self.kind, module, x, scores, self._target(target, scores))

    def references(self, case: Case, count: int = REFERENCES) -> torch.Tensor | None:
        """Samples of the training data as explainers take them, `(count, ...)`."""
        if self.data is None or tuple(self.data.train_x.shape[1:]) != self.kept.shape:
            return None
        some = self.data.train_x[:count]
        if isinstance(case.module, Embedded):
            return case.module.vectors(some.long())
        return adapted(self.kept.module, some, case.kind)[1]

    def name(self, output: int) -> str:
        """What an output is called."""
        return self.kept.name(output)

    def likelihood(self, case: Case) -> torch.Tensor:
        """What is watched of each output, `(outputs,)`."""
        return self.likely(case.scores[None])[0]

    def estimate(self, name: str, case: Case, settings: Mapping[str, Any]) -> Estimate:
        """What a method will take.

        Raises:
            ValueError: It does not fit this network.
        """
        entry = explainers.find(name)
        filled = entry.form.fill(_own(name, settings))
        if self._pace is None:
            self._pace = pace(case.module, case.x)
        others = REFERENCES if compares(entry) and self.data is not None else 0
        return estimate(entry, Work(case.module, case.x, filled, others), self._pace)

    def explain(
        self, name: str, case: Case, settings: Mapping[str, Any]
    ) -> Generator[int, None, Measured]:
        """The explanation, kept for the next time; yields the evaluations done so far.

        Raises:
            ValueError: The method does not fit this network or this sample.
        """
        entry, chosen = explainers.find(name), _own(name, settings)
        asked = self.key(name, case, settings)
        if asked not in self._made:
            references = self.references(case) if compares(entry) else None
            self._made[asked] = yield from watched(
                lambda progress: measure(
                    entry,
                    case.module,
                    case.x,
                    case.target,
                    chosen,
                    references=references,
                    progress=progress,
                )
            )
            while len(self._made) > MOST_KEPT:
                del self._made[next(iter(self._made))]
        return self._made[asked]

    def settings(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the settings that a method has."""
        return _own(name, settings)

    def key(self, name: str, case: Case, settings: Mapping[str, Any]) -> object:
        """What tells one explanation from another."""
        chosen = tuple(sorted(_own(name, settings).items()))
        return name, case.target, chosen, case.given.x.numpy().tobytes()

    def _target(self, words: str, scores: torch.Tensor) -> int:
        """The output that is meant by its name, its number or `predicted`."""
        if words.strip() in ("", "predicted"):
            return int(scores.argmax())
        names = [self.name(output) for output in range(len(scores))]
        if words in names:
            return names.index(words)
        if words.isdecimal() and int(words) < len(scores):
            return int(words)
        near = difflib.get_close_matches(words, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(names[:40]) + (" …" if len(names) > 40 else "")
        raise ValueError(f"target must be predicted or one of {listed}{hint}")


def _own(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a method has: those of all, and over them those written for it alone."""
    controls = explainers.find(name).form.controls
    alone = settings.get(name)
    mixed = {**settings, **(alone if isinstance(alone, Mapping) else {})}
    return {key: value for key, value in mixed.items() if key in controls}
