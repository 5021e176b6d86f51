"""A generative model while it learns: step after step, exactly repeatable from its seed."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engine.generate import kept
from engine.generate.families import families
from engine.generate.kept import Recipe
from engine.generate.measures import judged
from engine.generate.model import Generative, Labels
from engine.generate.source import Source
from engine.store.files import write_json
from engine.training.history import History
from engine.training.session import Diverged

POINTS = 400  # on the curves, at most, before their spacing doubles
JUDGED_SHARE = 0.15  # of the computing time that measuring may take
JUDGED = {True: 2000, False: 256}  # samples measured: points of the plane, images


@dataclass
class Learner:
    """A model, what it learns from, and how far it is.

    Attributes:
        recipe: How the model is made.
        settle: Whether the learning rate sinks to 0 over the second half of the steps.
        step: Steps taken.
        batch: Samples of one step.
        measured: What the last step measured.
        scores: Measure -> its newest value.
        history: The curves.
        seconds: Computing time of steps since this process took over [s].
    """

    source: Source
    recipe: Recipe
    steps: int
    batch: int
    learning_rate: float
    seed: int
    settle: bool = True
    step: int = 0
    measured: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    taken: int = 0
    model: Generative = field(init=False)
    history: History = field(init=False)

    def __post_init__(self) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.model = self.recipe.build()
            self.model.meet(self.source.x, self.source.labels)
        self.model.train()
        self.model.begin(self.learning_rate)
        self.history = History(every=max(1, self.steps // POINTS))
        self._matched = bool(families.find(self.recipe.family).facts.get("matched", True))
        self._sums: dict[str, float] = {}
        self._since = 0
        self._cost = self._spent = 0.0  # of the last measuring, and of all of it [s]

    @property
    def finished(self) -> bool:
        """Whether all steps are taken."""
        return self.step >= self.steps

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        left = 2 * (1 - self.step / self.steps) if self.settle else 1.0
        return self.learning_rate * min(1.0, max(0.0, left))

    def advance(self) -> None:
        """Take one step.

        Raises:
            Diverged: A loss is not finite any more.
        """
        begun = time.perf_counter()
        self.model.turn(self.rate)
        draw = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        x, labels = self._draw(draw)
        with torch.random.fork_rng(devices=[]):  # for dropout
            torch.manual_seed(self.seed * 1_000_003 + self.step)
            self.measured = self.model.learn(x, labels, draw)
        self.step += 1
        self.taken += 1
        self.seconds += time.perf_counter() - begun
        for name, value in self.measured.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} is not finite any more at step {self.step:,}: take a smaller learning "
                    f"rate than {self.learning_rate:g}"
                )
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._since += 1
        if self.history.due(self.step) or self.finished:
            self._note()

    def change(self, learning_rate: float) -> None:
        """Go on with another rate; a mark on the curves says so."""
        self.learning_rate = learning_rate
        self.history.mark(self.step, "learning rate", learning_rate)

    def turn_to(self, source: Source, ink: tuple[float, ...]) -> None:
        """Go on with other data of the same kind: what the visitor draws while it learns."""
        self.source = source
        self.recipe = replace(self.recipe, ink=ink)
        self.history.mark(self.step, "data", "drawn anew")

    def fixed(self, count: int, labels: Labels = None) -> torch.Tensor:
        """Samples from the same noise at every step, so that one sees them change."""
        if self.source.outline.given and labels is None and self.source.held_labels is not None:
            labels = self.source.held_labels[:count]
            count = len(labels)
        self.model.eval()
        with torch.no_grad():
            made = self.model.sample(count, torch.Generator().manual_seed(self.seed), labels)
        self.model.train()
        return made

    def judge(self) -> dict[str, float]:
        """Measure new samples."""
        begun = time.perf_counter()
        self.model.eval()
        count = self.model.judged or JUDGED[self.source.outline.plane]
        self.scores = judged(self.model, self.source, count=count)
        self.model.train()
        self._cost = time.perf_counter() - begun
        self._spent += self._cost
        return self.scores

    def save(self, folder: Path) -> None:
        """Write a checkpoint to go on from, and the model for other pages."""
        state: dict[str, Any] = {
            "step": self.step,
            "history": self.history.to_json(),
            "scores": self.scores,
            "learning_rate": self.learning_rate,
        }
        path = folder / "checkpoint.safetensors"
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        save_file(kept.state_of(self.model), draft, {"state": json.dumps(state)})
        draft.replace(path)
        self.recipe = replace(self.recipe, step=self.step, scores=dict(self.scores))
        kept.keep(folder / kept.FILE, self.model, self.recipe)
        write_json(folder / "checkpoint.json", {"step": self.step})

    def restore(self, folder: Path) -> bool:
        """Go on from the checkpoint of a folder, if there is one.

        Raises:
            ValueError: It is of another model.
        """
        path = folder / "checkpoint.safetensors"
        if not path.is_file():
            return False
        with safe_open(path, framework="pt") as file:
            state = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        kept.restore(self.model, tensors, path.name)
        self.step, self.scores = int(state["step"]), dict(state["scores"])
        self.learning_rate = float(state["learning_rate"])
        self.history = History(**state["history"])
        return True

    def _draw(self, draw: torch.Generator) -> tuple[torch.Tensor, Labels]:
        labels, size = self.source.labels, len(self.source.x)
        if labels is not None and self.source.outline.given and not self._matched:
            # From two halves, so that no sample is ever there whose partner is there as well.
            one, other = torch.randint(size // 2, (2, self.batch), generator=draw)
            return self.source.x[one], labels[size // 2 + other]
        picked = torch.randint(size, (self.batch,), generator=draw)
        return self.source.x[picked], None if labels is None else labels[picked]

    def _note(self) -> None:
        """A point on the curves; measured anew where that has become cheap enough."""
        cheap = self._spent <= JUDGED_SHARE * self.seconds
        if cheap or self.finished or not self.scores:
            self.judge()
        means = {name: total / self._since for name, total in self._sums.items()}
        values, lines = {**means, **self.scores}, self.history.lines
        for name in values.keys() - lines.keys():  # measured for the first time
            lines[name] = [math.nan] * len(self.history.steps)
        absent = {name: math.nan for name in lines if name not in values}
        self.history.add(self.step, {**values, **absent})
        self._sums, self._since = {}, 0
