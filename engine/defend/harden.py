"""Train a defended network beside a plain one: same first weights, same batches, one chart."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.attack.table import attacks
from engine.defend.curves import accuracy, robust_accuracy
from engine.defend.subject import Subject, subject
from engine.defend.table import Lesson, Objective, recipes
from engine.forms import Slider, Value
from engine.models.unit import boxed
from engine.network.build import build
from engine.store.files import write_json
from engine.training.session import Session
from engine.training.settings import Settings
from engine.views import Curve, Field, Frame, Note, Tiles, View, Yielded

LOOKS = 30  # points on the chart
BUDGETS = 9  # points on the last curve
SHOWN = 8  # pictures attacked at the end
MOST_EPOCHS = 200
GRID = 50  # cells of the plane, either way
SAVE_EVERY = 4.0  # seconds between checkpoints
NAMES = ("plain", "defended")


def harden(
    model: str,
    recipe: str,
    recipe_settings: dict[str, Any],
    folder: Path,
    *,
    epochs: Annotated[
        int, Slider(0, 200, help="Trains both longer; 0 is as long as the model was")
    ] = 0,
    epsilon: Annotated[float, Slider(0.0, 0.5, help="Both are judged under a larger attack")] = 0.1,
    judged: Annotated[
        int, Slider(20, 1000, log=True, help="Robust accuracy on more validation samples")
    ] = 120,
) -> Generator[Yielded, Mapping[str, Value] | None, None]:
    """Train the network of a kept model twice from the same seed: plainly and with a defence.

    Args:
        model: The folder of the kept model; its spec, data and training settings are taken.
        recipe: A defence of the table of recipes.
        recipe_settings: Its own.
        folder: Where both are kept: the defended one here, the plain one in `plain`.
        epochs: How often every training sample is seen; 0 for as often as the model saw it.
        epsilon: The budget at which robust accuracy is measured by PGD, whatever was trained.
        judged: On how many validation samples.

    Yields:
        The chart of clean and robust accuracy of both; at the end the curve over budgets.

    Raises:
        ValueError: The model came without data, or the recipe does not fit the network.
    """
    duel = _Duel(subject(model), recipe, recipe_settings, epochs, epsilon, judged)
    duel.restore(folder)
    saved = time.monotonic()
    yield duel.frame()
    while not duel.finished:
        duel.advance()
        if time.monotonic() - saved > SAVE_EVERY:
            duel.save(folder)
            saved = time.monotonic()
        yield duel.frame
    duel.save(folder)
    for _ in duel.compare():
        yield duel.frame()
    duel.save(folder)


@dataclass
class _Duel:
    """Two sessions in step, and what was measured of them."""

    subject: Subject
    recipe: str
    recipe_settings: Mapping[str, Any]
    epochs: int
    epsilon: float
    judged: int
    steps: list[int] = field(default_factory=list)
    lines: dict[str, list[float]] = field(default_factory=dict)
    budgets: list[float] = field(default_factory=list)
    held: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = self.subject
        self.settings = _settings(known, self.epochs)
        lesson = Lesson(known.kept.spec, known.data, self.settings)
        chosen = recipes.find(self.recipe)
        self.objective: Objective = chosen(lesson, **self.recipe_settings)
        self.plain = Session(self._fresh(), known.data, self.settings, learn=_plain)
        self.defended = Session(
            self._fresh(),
            known.data,
            self.settings,
            learn=self.objective.learn,
            replays=self.objective.replays,
        )
        self.every = max(1, self.plain.steps // LOOKS)
        self._x, self._y = known.valid(self.judged)
        self._pictures: View | None = None

    def _fresh(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            module: nn.Module = build(self.subject.kept.spec)
        return module

    @property
    def both(self) -> tuple[nn.Module, nn.Module]:
        """The plain and the defended network, taking inputs in [0, 1]."""
        box = self.subject.box
        return boxed(self.plain.module, box), boxed(self.defended.module, box)

    @property
    def finished(self) -> bool:
        """Whether both have learnt all they shall."""
        return self.defended.finished and self.plain.finished

    def advance(self) -> None:
        """One step of the teacher where there is one, else one of each."""
        teacher = self.objective.teacher
        if teacher is not None and not teacher.finished:
            teacher.advance()
            return
        self.plain.advance()
        self.defended.advance()
        if self.defended.step % self.every == 0 or self.finished:
            self._look()

    def _look(self) -> None:
        self.steps.append(self.defended.step)
        for name, module in zip(NAMES, self.both, strict=True):
            clean = accuracy(module, self._x, self._y)
            robust = robust_accuracy(module, self._x, self._y, self.epsilon)
            self.lines.setdefault(f"{name}, clean", []).append(100 * clean)
            self.lines.setdefault(f"{name}, attacked", []).append(100 * robust)

    def compare(self) -> Generator[None, None, None]:
        """Measure both over budgets, and attack some pictures."""
        self._pictures = self._attacked()
        most = max(2 * self.epsilon, 0.1)
        for budget in np.linspace(0, most, BUDGETS)[len(self.budgets) :]:
            for name, module in zip(NAMES, self.both, strict=True):
                held = robust_accuracy(module, self._x, self._y, float(budget))
                self.held.setdefault(name, []).append(100 * held)
            self.budgets.append(float(budget))
            yield

    def save(self, folder: Path) -> None:
        """Keep both networks and the chart."""
        spec = self.subject.kept.spec.to_json()
        for place, session in ((folder, self.defended), (folder / "plain", self.plain)):
            session.save(place)
            write_json(place / "spec.json", spec)
            settings = {"data": self.subject.kept.data, **self.settings.__dict__}
            write_json(place / "settings.json", settings)
        told = {**self.defended.summary(), "defence": self.recipe}
        write_json(folder / "summary.json", told)
        chart = {"steps": self.steps, "lines": self.lines, "teacher": self._teacher_done()}
        write_json(folder / "duel.json", chart)

    def _teacher_done(self) -> bool:
        return self.objective.teacher is None or self.objective.teacher.finished

    def restore(self, folder: Path) -> None:
        """Go on from a checkpoint; a teacher that had not finished begins again."""
        if not (folder / "duel.json").is_file():
            return
        chart = json.loads((folder / "duel.json").read_text(encoding="utf-8"))
        self.defended.restore(folder)
        self.plain.restore(folder / "plain")
        self.steps, self.lines = chart["steps"], chart["lines"]

    def frame(self) -> Frame:
        """Where both stand."""
        views: dict[str, View] = {"accuracy": self._chart()}
        if self.subject.data.kind == "plane":
            for name, module in zip(NAMES, self.both, strict=True):
                views[name] = self._plane(name, module)
        if self._pictures is not None:
            views["attacked"] = self._pictures
        if self.budgets:
            views["budgets"] = self._over_budgets()
        views["notes"] = self._words()
        teacher = self.objective.teacher
        lessons = 0 if teacher is None else teacher.steps
        done = 0 if teacher is None else teacher.step
        of = lessons + self.defended.steps + BUDGETS
        return Frame(done + self.defended.step + len(self.budgets), of, views, self._facts())

    def _chart(self) -> Curve:
        lines = {name: np.array(values) for name, values in self.lines.items()}
        return Curve(
            np.array(self.steps, dtype=np.float64),
            lines,
            ylabel="right [%]",
            dots=len(self.steps) < 3,
            title=f"clean, and attacked by PGD with ε = {self.epsilon:g}",
        )

    def _over_budgets(self) -> Curve:
        lines = {name: np.array(values) for name, values in self.held.items()}
        return Curve(
            np.array(self.budgets),
            lines,
            xlabel="ε (Linf)",
            ylabel="still right [%]",
            marks={"judged at": self.epsilon},
            dots=True,
            title="accuracy under PGD over the budget",
        )

    def _attacked(self) -> View | None:
        """The same samples, each attacked for the plain and for the defended network."""
        if self.subject.data.kind != "image":
            return None
        x, y = self._x[:SHOWN], self._y[:SHOWN]
        images, captions = [], []
        for name, module in zip(NAMES, self.both, strict=True):
            found = attacks.find("pgd")(module, x, y, epsilon=self.epsilon)
            with torch.no_grad():
                said = module.eval()(found).argmax(1)
            images.append(found)
            captions += [
                f"{name}: {self.subject.kept.name(int(s))}" + ("" if s == t else " ✗")
                for s, t in zip(said, y, strict=True)
            ]
        both = torch.cat(images)
        colour = both.permute(0, 2, 3, 1) if both.shape[1] == 3 else both.mean(1)
        return Tiles(colour.numpy(), tuple(captions), across=len(x), title="attacked, and answered")

    def _plane(self, name: str, module: nn.Module) -> Field:
        """What a network answers over the plane."""
        extent = self.subject.data.extent or (-1.0, 1.0, -1.0, 1.0)
        x, y = torch.linspace(*extent[:2], GRID), torch.linspace(*extent[2:], GRID)
        plane = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
        module.eval()
        with torch.no_grad():
            said = module(self.subject.box.inward(plane)).argmax(1)
        module.train()
        values = said.reshape(GRID, GRID).float().numpy()
        return Field(values, extent, scale="classes", title=f"{name}: what it answers")

    def _facts(self) -> dict[str, float]:
        facts = {f"{name} [%]": values[-1] for name, values in self.lines.items()}
        if facts:
            gained = facts["defended, attacked [%]"] - facts["plain, attacked [%]"]
            paid = facts["plain, clean [%]"] - facts["defended, clean [%]"]
            facts = {
                "robust accuracy gained [points]": gained,
                "clean paid [points]": paid,
                **facts,
            }
        return facts

    def _words(self) -> Note:
        teacher = self.objective.teacher
        if teacher is not None and not teacher.finished:
            return Note(f"First the teacher learns: step {teacher.step} of {teacher.steps}.")
        if not self.budgets:
            return Note(
                "Both begin with the same weights and see the same batches. Solid ground is the "
                "line *attacked*: it is measured on validation samples by PGD, an attack that no "
                "recipe here may choose."
            )
        return Note("Done. The defended model is kept: put it on stage to look at it elsewhere.")


def _plain(
    module: nn.Module, x: torch.Tensor, y: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss without a defence, step by step as the defended network learns."""
    scores: torch.Tensor = module(x)
    return scores, functional.cross_entropy(scores, y)


def _settings(known: Subject, epochs: int) -> Settings:
    """How the kept model was trained, or the usual settings where that is not known."""
    names = {one.name for one in dataclasses.fields(Settings)}
    chosen = {name: value for name, value in known.kept.settings.items() if name in names}
    # both must take the same steps: no rule may end one of them early
    settings = Settings(**{**chosen, "patience": 0, "goal": 0})
    return dataclasses.replace(settings, epochs=epochs or min(settings.epochs, MOST_EPOCHS))
