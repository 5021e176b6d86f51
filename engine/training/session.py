"""A network while it learns: step after step, exactly repeatable from its seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.data import DataSet
from engine.models.layout import laid_out, lay_out
from engine.store.files import write_json
from engine.training import checkpoint
from engine.training.augmentations import augmentations
from engine.training.diagnose import diagnose
from engine.training.history import History
from engine.training.judging import Judgement, judge
from engine.training.objective import Objective
from engine.training.optimizers import optimizers, turn
from engine.training.rate import Progress
from engine.training.route import Route
from engine.training.settings import Settings
from engine.training.spreads import Spreads
from engine.views import Array

__all__ = ["Diverged", "Judgement", "Session", "Settings"]

SAMPLE = 256  # validation samples looked at between the ends of epochs
SHARE = 0.04  # of the computing time that this may take
BACKWARD = 3.0  # a training step costs about as much as three forward passes
JUDGED = 80  # steps of the compiled loop last as long as judging once does
TURNED = ("learning_rate", "weight_decay", "momentum")  # what the optimizer itself keeps

Learn = Callable[[nn.Module, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""From module, inputs and answers to what the module says and the loss that is descended."""
Change = Callable[[torch.Tensor, float, torch.Generator], torch.Tensor]


class Diverged(ValueError):  # noqa: N818 - it is what happened
    """The loss stopped being a finite number."""


@dataclass
class Session:
    """A network, its data and its optimizer, somewhere on the way.

    Attributes:
        step: Steps taken.
        epoch: Epochs completed.
        seen: Training samples seen in the epoch under way.
        loss: Loss of the last batch, before its step.
        judged: The newest judgement on validation samples.
        full: The newest one on all of them.
        seconds: Computing time so far, since this process took over [s].
        samples: Training samples seen in that time.
        rate: The learning rate of the last step, the schedule's factor in it.
        progress: What the ends of epochs have told.
        learn: What is learnt instead of the plain loss, as a defence does; None for the plain one.
        replays: How often each batch is learnt from in a row; an epoch has as many steps as ever.
        complaint: Why the newest choice was not taken, or nothing.
        spreads: Weights, activations, gradients -> how they were spread at kept steps, for those
            that somebody has looked at.
    """

    module: nn.Module
    data: DataSet
    settings: Settings
    step: int = 0
    epoch: int = 0
    seen: int = 0
    loss: float = math.nan
    judged: Judgement | None = None
    full: Judgement | None = None
    seconds: float = 0.0
    samples: int = 0
    rate: float = math.nan
    progress: Progress = field(default_factory=Progress)
    learn: Learn | None = None
    replays: int = 1
    complaint: str = ""
    spreads: dict[str, Spreads] = field(default_factory=dict)
    history: History = field(init=False)

    def __post_init__(self) -> None:
        chosen = self.settings
        lay_out(self.module).train()
        learnt = [p for p in self.module.parameters() if p.requires_grad]
        self.optimizer: torch.optim.Optimizer = optimizers.find(chosen.optimizer)(
            learnt, chosen.learning_rate, chosen.weight_decay, chosen.momentum
        )
        self._drawn = {p: p.p for p in self.module.modules() if isinstance(p, nn.Dropout)}
        self.objective = Objective(self.data, chosen)
        self.route = Route(self.module, self.data)
        self._prepare()
        sample = min(SAMPLE, len(self.data.valid_x))
        every: float = math.ceil(sample / (BACKWARD * SHARE * chosen.batch_size))
        if self.compiled:
            every = max(every, JUDGED / SHARE)
        self.history = History(every=int(every))
        self._tested: Judgement | None = None
        self._since = torch.zeros(3, dtype=torch.float64)  # sums of losses and scores, and steps
        self._order = self._shuffle()

    @property
    def classifies(self) -> bool:
        """Whether the answers are classes."""
        return self.objective.classifies

    @property
    def batch(self) -> int:
        """Samples a step."""
        return self.settings.batch_size * self.settings.accumulate

    @property
    def steps(self) -> int:
        """How many steps there will have been at the end, as things stand."""
        size = len(self.data.train_x)
        if self.finished:
            return self.step
        rest = math.ceil((size - self.seen) / self.batch)
        later = (self.settings.epochs - self.epoch - 1) * math.ceil(size / self.batch)
        return self.step + rest + later

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or a rule ended the run before."""
        return self.epoch >= self.settings.epochs or bool(self.progress.reason)

    @property
    def perplexity(self) -> float:
        """Among how many equally likely answers the network seems to waver, by its validation."""
        newest = self.full or self.judged
        return math.nan if newest is None else math.exp(min(newest.loss, 700.0))

    @property
    def epoch_left(self) -> int:
        """Steps to the end of the epoch."""
        return math.ceil((len(self.data.train_x) - self.seen) / self.batch)

    @property
    def compiled(self) -> bool:
        """Whether the compiled loop takes the next step."""
        return self.learn is None and self.route.compiled(self.settings, self.objective)

    def augmented(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Training samples as the network gets them, `(n, *shape)`."""
        return x if self._augment is None else self._augment(x, self.settings.strength, generator)

    def advance(self, free: bool = False) -> None:
        """One step on one batch; judge the network when that is due.

        Args:
            free: Whether the compiled route may take several steps at once, some milliseconds
                of them.

        Raises:
            Diverged: The loss is no longer finite; says where that began and what to do.
        """
        begun = time.perf_counter()
        if self.compiled:
            steps, samples = self._leap(self.route.most if free else 1)
            self.route.learn(steps, time.perf_counter() - begun)
        else:
            steps, samples = 1, self._step()
        self.step += steps
        self.seen += samples
        self.samples += samples
        self._look()
        self.seconds += time.perf_counter() - begun

    def change(self, controls: Mapping[str, Any]) -> None:
        """Turn live controls; each becomes a mark on the curves."""
        before = self.settings
        self.settings = replace(before, **controls)
        try:
            self.objective = Objective(self.data, self.settings)
            self._augment = self._augmentation()
        except ValueError as misfit:  # a choice that these data do not allow: the run goes on
            self.settings, self.complaint = before, str(misfit)
            return
        self.complaint = ""
        for name, value in controls.items():
            turn(self.optimizer, name, value)
            self.history.mark(self.step, name.replace("_", " "), value)
        self._prepare()

    def judge(self, samples: int) -> Judgement:
        """Look at the first `samples` validation samples without learning from them."""
        return judge(self.module, self.data, self.objective, samples, self.step)

    def tested(self) -> Judgement | None:
        """How well it does on the test samples; nobody looks at them before the run has ended."""
        if not self.finished or not len(self.data.test_x):
            return None
        if self._tested is None or self._tested.step != self.step:
            asked = replace(self.data, valid_x=self.data.test_x, valid_y=self.data.test_y)
            self._tested = judge(self.module, asked, self.objective, len(asked.valid_x), self.step)
        return self._tested

    def state(self) -> checkpoint.State:
        """All but weights and optimizer, as plain data."""
        return {
            "step": self.step,
            "epoch": self.epoch,
            "seen": self.seen,
            "settings": asdict(self.settings),
            "history": self.history.to_json(),
            "spreads": {kind: one.to_json() for kind, one in self.spreads.items()},
            "since": self._since.tolist(),
            "loss": checkpoint.finite(self.loss),
            "progress": self.progress.to_json(),
            "judged": self.judged and self.judged.to_json(),
            "full": self.full and self.full.to_json(),
        }

    def save(self, folder: Path) -> None:
        """Keep weights, optimizer, place and curves in a folder."""
        self.route.settle(self.optimizer, self.settings)
        words = self.data.vocabulary
        checkpoint.write(folder, self.module, self.optimizer, self.state(), words)
        write_json(folder / "summary.json", self.summary())

    def restore(self, path: Path, *, branch: bool = False) -> bool:
        """Go on exactly where a checkpoint ended; False if there is none.

        Controls turned on the way stay turned; how many epochs is taken from the new settings.

        Args:
            path: The checkpoint, or the folder that holds it.
            branch: Whether the new settings shall hold instead, from there on.
        """
        state = checkpoint.read(path, self.module, self.optimizer)
        if state is None:
            return False
        if not branch:
            self.settings = Settings(**{**state["settings"], "epochs": self.settings.epochs})
            self.objective = Objective(self.data, self.settings)
        for name in TURNED:
            turn(self.optimizer, name, getattr(self.settings, name))
        self.step, self.epoch, self.seen = state["step"], state["epoch"], state["seen"]
        self.loss = math.nan if state["loss"] is None else state["loss"]
        self.history = History(**state["history"])
        self.spreads = {kind: Spreads(**one) for kind, one in state.get("spreads", {}).items()}
        self._since = torch.tensor(state["since"], dtype=torch.float64)
        self.progress = Progress.from_json(state["progress"])
        if branch:
            self.progress.reason = ""  # what ended that run is not what ends this one
        self.judged, self.full = (
            state[name] and Judgement.from_json(state[name]) for name in ("judged", "full")
        )
        self._order = self._shuffle()
        self._prepare()
        return True

    def summary(self) -> dict[str, object]:
        """What a page says of a trained network."""
        newest = self.full or self.judged
        score = None if newest is None else checkpoint.finite(newest.score)
        tested = self.tested()
        return {
            "data": self.data.name,
            "task": self.data.task,
            "classes": list(self.data.classes),
            "parameters": sum(p.numel() for p in self.module.parameters()),
            "steps": self.step,
            "epochs": self.epoch,
            "seconds": round(self.seconds, 3),
            "finished": self.finished,
            "ended": self.progress.reason,
            "accuracy" if self.classifies else "R²": score,
            "loss": None if newest is None else checkpoint.finite(newest.loss),
            "samples": 0 if newest is None else newest.samples,
            **self._of_text(),
            **({} if tested is None else {"test": checkpoint.finite(tested.score)}),
        }

    def _of_text(self) -> dict[str, object]:
        """What else a page says of a network that read text."""
        data = self.data
        if not data.vocabulary:
            return {}
        told: dict[str, object] = {"vocabulary": list(data.vocabulary), "parts": list(data.parts)}
        if data.per_place:
            told["perplexity"] = checkpoint.finite(self.perplexity)
        return told

    def _prepare(self) -> None:
        """What follows from the settings and is not looked up at every step."""
        chosen = self.settings
        for part, drawn in self._drawn.items():
            part.p = min(1.0, drawn * chosen.dropout)
        self._augment = self._augmentation()
        self.route.settle(self.optimizer, chosen)
        self.rate = self._rate(0)

    def _augmentation(self) -> Change | None:
        """The change of samples that was chosen.

        Raises:
            ValueError: It is none for samples of this kind.
        """
        name = self.settings.augmentation
        if name == "none":
            return None
        entry = augmentations.find(name)
        if self.data.kind not in entry.facts["kinds"]:
            raise ValueError(
                f"augmentation: {name} is for {' and '.join(entry.facts['kinds'])} data; "
                f"{self.data.name} is {self.data.kind}. Choose none"
            )
        change: Change = entry.function
        return change

    def _rate(self, ahead: int) -> float:
        """The learning rate of the step after `ahead` more."""
        done = (self.step + ahead) / max(1, self.steps)
        return self.progress.rate(self.settings, done)

    def _rates(self, steps: int) -> Array:
        """The learning rates of the next steps, `(steps,)`."""
        chosen = self.settings
        if chosen.schedule in ("constant", "plateau") and not chosen.warmup:
            return np.full(steps, self._rate(0))
        return np.array([self._rate(ahead) for ahead in range(steps)])

    def _step(self) -> int:
        """One step by PyTorch; how many samples it saw."""
        chosen = self.settings
        picked = self._order[self.seen : self.seen + self.batch]
        self.optimizer.zero_grad(set_to_none=True)
        with self._repeatable():
            loss, score = self._gradient(picked)
        self.loss = loss.item()
        if not math.isfinite(self.loss):
            raise Diverged(self._diagnosed(picked))
        if chosen.clip:
            nn.utils.clip_grad_norm_(self.module.parameters(), chosen.clip)
        self.rate = self._rate(0)
        if chosen.schedule != "constant" or chosen.warmup:
            turn(self.optimizer, "learning_rate", self.rate)
        self.optimizer.step()
        self._since += torch.stack([loss, score, torch.ones(())])
        return len(picked)

    def _gradient(self, picked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean loss and score of a batch, its gradient in the weights; batch by batch if asked."""
        parts = (
            picked.split(self.settings.batch_size) if self.settings.accumulate > 1 else (picked,)
        )
        sums, learn = torch.zeros(2), self.learn
        for part in parts:
            x, y = self._batch(part)
            if learn is None:
                scores = self._forward(x)
                loss = self.objective.loss(scores, y)
            else:
                scores, loss = learn(self.module, x, y)
            share = len(part) / len(picked)
            (self._penalised(loss) * share).backward()
            sums += share * torch.stack([loss.detach(), self.objective.score(scores.detach(), y)])
        return sums[0], sums[1]

    def _batch(self, picked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = self.data.train_x[picked], self.data.train_y[picked]
        x = self.augmented(x, torch.default_generator)
        return laid_out(x), y

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        given = self.data.inputs(x)
        if self.settings.precision != "bfloat16":
            return self.module(*given)  # type: ignore[no-any-return] # a Network with one output
        with torch.autocast("cpu", torch.bfloat16):
            return self.module(*given).float()  # type: ignore[no-any-return]

    def _penalised(self, loss: torch.Tensor) -> torch.Tensor:
        if not self.settings.l1:
            return loss
        weights = [p for p in self.module.parameters() if p.requires_grad and p.ndim > 1]
        return loss + self.settings.l1 * torch.stack([w.abs().sum() for w in weights]).sum()

    def _leap(self, most: int) -> tuple[int, int]:
        """Steps by the compiled loop up to the next look; how many, and samples."""
        steps = max(1, min(most, self.epoch_left, self.history.until(self.step)))
        rates = self._rates(steps)
        taken = self.route.leap(self.settings, self.objective, self._order, self.seen, rates)
        self.loss, self.rate = taken.last, float(rates[max(0, taken.steps - 1)])
        score = taken.score
        if not self.classifies:
            score = taken.steps * float(self.objective.r2(taken.score / max(1, taken.steps)))
        self._since += torch.tensor([taken.loss, score, taken.steps], dtype=torch.float64)
        if not math.isfinite(self.loss):
            self.step += taken.steps
            self.seen += taken.samples
            raise Diverged(self._diagnosed(self._order[self.seen : self.seen + self.batch]))
        return taken.steps, taken.samples

    def _diagnosed(self, picked: torch.Tensor) -> str:
        given = self.data.inputs(self.data.train_x[picked])
        return diagnose(self.module, given, self.rate)

    @contextmanager
    def _repeatable(self) -> Iterator[None]:
        """Dropout and augmentation depend on seed and step alone; the caller's state is left."""
        generator = torch.default_generator
        before = generator.get_state()
        generator.manual_seed(self.settings.seed * 1_000_003 + self.step)
        try:
            yield
        finally:
            generator.set_state(before)

    def _shuffle(self) -> torch.Tensor:
        """The order of this epoch: a function of the seed and the epoch alone."""
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.data.train_x), generator=generator)
        if self.replays == 1:
            return order
        batches = order.split(self.settings.batch_size)
        return torch.cat([batch for batch in batches for _ in range(self.replays)])[: len(order)]

    def _worth_a_look(self) -> bool:
        """Whether the network is judged at this epoch's end: the tiniest have 1,000 a second."""
        chosen = self.settings
        rules = chosen.patience or chosen.goal or chosen.schedule == "plateau"
        slow = self.route.most < len(self._order) // self.batch or not self.route.network
        return bool(rules) or slow or self.finished or self.history.due(self.step)

    def _look(self) -> None:
        """Judge and put a point on the curves: all at an epoch's end, else a sample when due."""
        if self.seen >= len(self.data.train_x):
            self.epoch, self.seen = self.epoch + 1, 0
            self._order = self._shuffle()
            if not self._worth_a_look():
                return
            self.judged = self.full = self.judge(len(self.data.valid_x))
            self.progress.note(self.full, self.settings)
        elif self.history.due(self.step):
            self.judged = self.judge(SAMPLE)
        else:
            return
        loss, score, steps = self._since.tolist()
        self._since.zero_()
        self.history.add(
            self.step,
            {
                "loss train": loss / steps,
                "loss validation": self.judged.loss,
                "score train": score / steps,
                "score validation": self.judged.score,
                "learning rate": self.rate,
            },
        )
