"""A network while it learns: one step at a time, exactly repeatable from its seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.data import DataSet
from engine.data.dataset import IGNORED
from engine.models.layout import lay_out
from engine.store.files import write_json
from engine.training import checkpoint
from engine.training.history import History
from engine.training.optimizers import optimizers, turn

SAMPLE = 256  # validation samples looked at between the ends of epochs
SHARE = 0.04  # of the computing time that this may take
BACKWARD = 3.0  # a training step costs about as much as three forward passes
BATCH = 500  # samples a forward pass when nothing is learnt
PLACES = 16_000  # of sequences with an answer at each place, likewise


Learn = Callable[[nn.Module, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""From module, inputs and answers to what the module says and the loss that is descended."""


class Diverged(ValueError):  # noqa: N818 - it is what happened
    """The loss stopped being a finite number."""


@dataclass(frozen=True)
class Settings:
    """How to train; see `engine.training.run.train` for the words."""

    learning_rate: float
    batch_size: int
    epochs: int
    optimizer: str
    weight_decay: float
    momentum: float
    seed: int


@dataclass(frozen=True)
class Judgement:
    """How well the network does on samples it does not learn from.

    Attributes:
        loss: Mean loss [nat] of a sample, or of a place that is judged; or mean squared error.
        score: Part that is right, or R² for regression.
        samples: On how many.
        confusion: How often class `row` was called `column`, `(classes, classes)`; empty for
            regression.
        step: When.
    """

    loss: float
    score: float
    samples: int
    confusion: torch.Tensor
    step: int


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
        learn: What is learnt instead of the plain loss, as a defence does; None for the plain one.
        replays: How often each batch is learnt from in a row; an epoch has as many steps as ever.
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
    learn: Learn | None = None
    replays: int = 1
    history: History = field(init=False)

    def __post_init__(self) -> None:
        chosen = self.settings
        lay_out(self.module).train()
        self.optimizer: torch.optim.Optimizer = optimizers.find(chosen.optimizer)(
            self.module.parameters(), chosen.learning_rate, chosen.weight_decay, chosen.momentum
        )
        sample = min(SAMPLE, len(self.data.valid_x))
        every = math.ceil(sample / (BACKWARD * SHARE * chosen.batch_size))
        self.history = History(every=every)
        self._since: list[torch.Tensor] = []  # (loss, score) of each batch since the last point
        self._order = self._shuffle()

    @property
    def classifies(self) -> bool:
        """Whether the answers are classes."""
        return self.data.task == "classification"

    @property
    def perplexity(self) -> float:
        """Among how many equally likely answers the network seems to waver, by its validation."""
        newest = self.full or self.judged
        return math.nan if newest is None else math.exp(min(newest.loss, 700.0))

    @property
    def steps(self) -> int:
        """How many steps there will have been at the end, as things stand."""
        batch, size = self.settings.batch_size, len(self.data.train_x)
        if self.epoch >= self.settings.epochs:
            return self.step
        rest = math.ceil((size - self.seen) / batch)
        later = (self.settings.epochs - self.epoch - 1) * math.ceil(size / batch)
        return self.step + rest + later

    @property
    def finished(self) -> bool:
        """Whether all epochs are done."""
        return self.epoch >= self.settings.epochs

    def advance(self) -> None:
        """One step on one batch; judge the network when that is due.

        Raises:
            Diverged: The loss is no longer finite; says where that began and what to do.
        """
        begun = time.perf_counter()
        picked = self._order[self.seen : self.seen + self.settings.batch_size]
        x, y = self.data.train_x[picked], self.data.train_y[picked]
        if x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        given = self.data.inputs(x)
        self.optimizer.zero_grad(set_to_none=True)
        generator = torch.default_generator
        before = generator.get_state()
        generator.manual_seed(self.settings.seed * 1_000_003 + self.step)  # dropout, repeatable
        if self.learn is None:
            scores = self.module(*given)
            loss = self._loss(scores, y)
        else:
            scores, loss = self.learn(self.module, given[0], y)
        loss.backward()
        generator.set_state(before)
        self.loss = loss.item()
        if not math.isfinite(self.loss):
            raise Diverged(_diagnose(self.module, given, self.settings.learning_rate))
        self.optimizer.step()
        self.step += 1
        self.seen += len(picked)
        self.samples += len(picked)
        self._since.append(torch.stack([loss.detach(), self._score(scores.detach(), y)]))
        self._look()
        self.seconds += time.perf_counter() - begun

    def change(self, controls: Mapping[str, Any]) -> None:
        """Turn live controls; each becomes a mark on the curves."""
        for name, value in controls.items():
            turn(self.optimizer, name, value)
            self.history.mark(self.step, name.replace("_", " "), float(value))
        self.settings = replace(self.settings, **controls)

    def judge(self, samples: int) -> Judgement:
        """Look at the first `samples` validation samples without learning from them."""
        self.module.eval()
        x, y = self.data.valid_x[:samples], self.data.valid_y[:samples]
        rows = max(1, PLACES // y.shape[1]) if self.data.per_place else BATCH
        with torch.inference_mode():
            parts = [self.module(*self.data.inputs(part)) for part in x.split(rows)]
            scores = torch.cat(parts)
            loss, score = self._loss(scores, y).item(), self._score(scores, y).item()
            confusion = self._confusion(scores, y)
        self.module.train()
        return Judgement(loss, score, len(x), confusion, self.step)

    def save(self, folder: Path) -> None:
        """Keep weights, optimizer, place and curves in a folder."""
        state = {
            "step": self.step,
            "epoch": self.epoch,
            "seen": self.seen,
            "settings": asdict(self.settings),
            "history": self.history.to_json(),
            "since": [pair.tolist() for pair in self._since],
            "loss": self.loss,
            "judged": _judgement_to_json(self.judged),
            "full": _judgement_to_json(self.full),
        }
        checkpoint.write(folder, self.module, self.optimizer, state)
        write_json(folder / "summary.json", self.summary())

    def restore(self, folder: Path) -> bool:
        """Go on exactly where the checkpoint in a folder ended; False if there is none.

        Controls turned on the way stay turned; how many epochs is taken from the new settings.
        """
        state = checkpoint.read(folder, self.module, self.optimizer)
        if state is None:
            return False
        kept = {**state["settings"], "epochs": self.settings.epochs}
        self.settings = Settings(**kept)
        for name in ("learning_rate", "weight_decay", "momentum"):
            turn(self.optimizer, name, getattr(self.settings, name))
        self.step, self.epoch, self.seen = state["step"], state["epoch"], state["seen"]
        self.loss = state["loss"]
        self.history = History(**state["history"])
        self._since = [torch.tensor(pair) for pair in state["since"]]
        self.judged, self.full = _judgement(state["judged"]), _judgement(state["full"])
        self._order = self._shuffle()
        return True

    def summary(self) -> dict[str, object]:
        """What a page says of a trained network."""
        newest = self.full or self.judged
        score = None if newest is None else checkpoint.finite(newest.score)
        return {
            "data": self.data.name,
            "task": self.data.task,
            "classes": list(self.data.classes),
            "parameters": sum(p.numel() for p in self.module.parameters()),
            "steps": self.step,
            "epochs": self.epoch,
            "finished": self.finished,
            "accuracy" if self.classifies else "R²": score,
            "loss": None if newest is None else checkpoint.finite(newest.loss),
            "samples": 0 if newest is None else newest.samples,
            **self._of_text(),
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

    def _shuffle(self) -> torch.Tensor:
        """The order of this epoch: a function of the seed and the epoch alone."""
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.data.train_x), generator=generator)
        if self.replays == 1:
            return order
        batches = order.split(self.settings.batch_size)
        return torch.cat([batch for batch in batches for _ in range(self.replays)])[: len(order)]

    def _look(self) -> None:
        """Judge and put a point on the curves: all at an epoch's end, else a sample when due."""
        ended = self.seen >= len(self.data.train_x)
        if ended:
            self.epoch, self.seen = self.epoch + 1, 0
            self._order = self._shuffle()
            self.judged = self.full = self.judge(len(self.data.valid_x))
        elif self.history.due(self.step):
            self.judged = self.judge(SAMPLE)
        else:
            return
        loss, score = torch.stack(self._since).mean(0).tolist()
        self._since.clear()
        self.history.add(
            self.step,
            {
                "loss train": loss,
                "loss validation": self.judged.loss,
                "score train": score,
                "score validation": self.judged.score,
            },
        )

    def _loss(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.classifies:  # every place of a sequence is a sample of its own
            return functional.cross_entropy(
                scores.flatten(0, -2), y.flatten(), ignore_index=IGNORED
            )
        return functional.mse_loss(scores, y)

    def _confusion(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """How often class `row` was called `column`, `(classes, classes)`."""
        if not self.classifies:
            return torch.zeros(0, 0)
        judged, count = y != IGNORED, len(self.data.classes)
        cells = y[judged] * count + scores.argmax(-1)[judged]
        return torch.bincount(cells, minlength=count**2).reshape(count, count)

    def _score(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Part that is right, or R² (one minus squared error over variance)."""
        if self.classifies:
            judged = y != IGNORED
            return ((scores.argmax(-1) == y) & judged).sum() / judged.sum()
        spread = self.data.train_y.var(dim=0, correction=0).mean()
        return 1 - functional.mse_loss(scores, y) / spread


def _diagnose(module: nn.Module, given: Sequence[torch.Tensor], rate: float) -> str:
    """Where a loss that is no number comes from: the first layer whose output is not finite."""
    found: list[str] = []
    names = {part: name for name, part in module.named_modules()}

    def watch(part: nn.Module, _: object, out: object) -> None:
        if isinstance(out, torch.Tensor) and not bool(out.isfinite().all()):
            found.append(names[part])

    leaves = [part for part in module.modules() if not any(part.children())]
    hooks = [part.register_forward_hook(watch) for part in leaves]
    with torch.no_grad():
        module(*given)
    for hook in hooks:
        hook.remove()
    sick = [n for n, p in module.named_parameters() if not bool(p.isfinite().all())]
    where = f"; the first layer whose output is not finite is {found[0]}" if found else ""
    weights = f", whose weights {sick[0]} are not finite either" if sick else ""
    return (
        f"training: the loss is no longer a finite number{where}{weights}. The steps are too "
        f"large: take a learning rate of {rate / 10:.2g} instead of {rate:.2g}"
    )


def _judgement_to_json(judged: Judgement | None) -> dict[str, object] | None:
    if judged is None:
        return None
    return {
        **asdict(replace(judged, confusion=torch.empty(0))),
        "confusion": judged.confusion.tolist(),
    }


def _judgement(content: dict[str, Any] | None) -> Judgement | None:
    if content is None:
        return None
    return Judgement(**{**content, "confusion": torch.tensor(content["confusion"])})
