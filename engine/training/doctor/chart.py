"""What the doctor knows of a run: its curves, and its layers as they stand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from engine.data.dataset import IGNORED
from engine.training.panels import weighty
from engine.training.panels.layers import silent
from engine.training.session import Session
from engine.training.settings import Settings
from engine.views import Array


@dataclass(frozen=True)
class Chart:
    """A run's measurements.

    Attributes:
        settings: How it is trained.
        classifies: Whether answers are classes.
        steps: At which steps curves were measured, `(n,)`.
        train: Loss on training batches there, `(n,)`.
        valid: Loss on validation samples, `(n,)`.
        train_score: Part that is right (or R²) on training batches, `(n,)`.
        valid_score: Likewise on validation samples.
        epochs: Epochs behind, with a fraction.
        chance: Loss of a network that knows only how frequent the answers are.
        guess: Score of always giving the most frequent answer.
        gradients: Layer -> root mean square of its weights' gradient, from the input on.
        sizes: Layer -> root mean square of its weights.
        dead: ReLU layer -> part of its units that never fires.
        counts: Training samples of each class, `(classes,)`; empty for regression.
        recall: Part of each class that is recognised, `(classes,)`.
        classes: What they are called.
        twins: Part of the validation samples that stand among the training samples too.
        telltale: A feature that alone gives the answer away, or nothing.
        spread: Standard deviation of the inputs' features, `(features,)`.
    """

    settings: Settings
    classifies: bool
    steps: Array
    train: Array
    valid: Array
    train_score: Array
    valid_score: Array
    epochs: float
    chance: float
    guess: float
    gradients: dict[str, float]
    sizes: dict[str, float]
    dead: dict[str, float]
    counts: Array
    recall: Array
    classes: tuple[str, ...] = ()
    twins: float = 0.0
    telltale: str = ""
    spread: Array = field(default_factory=lambda: np.ones(1))

    @property
    def initial(self) -> float:
        """The loss at the beginning: mean of the first points."""
        return float(np.mean(self.train[: max(3, len(self.train) // 20)]))

    @property
    def recent(self) -> Array:
        """Training losses of the last quarter of the points."""
        return self.train[-max(3, len(self.train) // 4) :]


def chart(session: Session, data: Facts) -> Chart:
    """The measurements of a session as it stands."""
    lines = session.history.lines
    newest = session.full or session.judged
    confusion = newest.confusion.double() if newest is not None else torch.zeros(0, 0)
    total = confusion.sum(1)
    owned = {name: own for name, own in weighty(session.module).items() if own[0].ndim > 1}
    return Chart(
        settings=session.settings,
        classifies=session.classifies,
        steps=np.array(session.history.steps, dtype=np.float64),
        train=np.array(lines.get("loss train", [])),
        valid=np.array(lines.get("loss validation", [])),
        train_score=np.array(lines.get("score train", [])),
        valid_score=np.array(lines.get("score validation", [])),
        epochs=session.epoch + session.seen / len(session.data.train_x),
        chance=data.chance,
        guess=data.guess,
        gradients={
            name: _size(own[0].grad) for name, own in owned.items() if own[0].grad is not None
        },
        sizes={name: _size(own[0]) for name, own in owned.items()},
        dead=silent(session),
        counts=data.counts,
        recall=(confusion.diagonal() / total.clamp_min(1)).numpy(),
        classes=session.data.classes,
        twins=data.twins,
        telltale=data.telltale,
        spread=data.spread,
    )


@dataclass(frozen=True)
class Facts:
    """What a data set alone tells; looked at once. See `Chart` for the words."""

    chance: float
    guess: float
    counts: Array
    twins: float
    telltale: str
    spread: Array

    @classmethod
    def of(cls, session: Session) -> Facts:
        """The facts of a session's data."""
        data = session.data
        x, y = data.train_x, data.train_y
        flat = x.flatten(1)
        known = not data.vocabulary
        if not session.classifies:
            spread = y.var(dim=0, correction=0).mean()
            return cls(float(spread), 0.0, np.zeros(0), _twins(session), "", flat.std(0).numpy())
        counts = y[y != IGNORED].bincount(minlength=len(data.classes)).double()
        part = counts / counts.sum()
        return cls(
            chance=float(-torch.xlogy(part, part).sum()),
            guess=float(part.max()),
            counts=counts.numpy(),
            twins=_twins(session),
            telltale=_telltale(session) if data.kind == "table" else "",
            spread=flat.std(0).numpy() if known else np.ones(1),
        )


def _twins(session: Session) -> float:
    """The part of the validation samples that stands, to the last bit, in the training set."""
    data = session.data
    if data.kind in ("text", "series", "graph"):
        return 0.0  # sequences repeat by their nature; of a graph other nodes are judged
    known = {row.tobytes() for row in data.train_x.flatten(1).numpy()}
    rows = data.valid_x.flatten(1).numpy()
    return float(np.mean([row.tobytes() in known for row in rows])) if len(rows) else 0.0


def _telltale(session: Session) -> str:
    """A feature one threshold of which sorts the classes apart, in a hundred samples or more.

    Two classes only: there a threshold can be a cause for alarm, not a coincidence.
    """
    data = session.data
    if len(data.classes) != 2 or len(data.train_x) < 100:
        return ""
    x, y = data.train_x.numpy(), data.train_y.numpy()
    for column, name in enumerate(data.features or map(str, range(x.shape[1]))):
        low, high = x[y == 0, column], x[y == 1, column]
        if len(low) and len(high) and (low.max() < high.min() or high.max() < low.min()):
            return name
    return ""


def _size(tensor: torch.Tensor) -> float:
    """Root mean square."""
    value = float(tensor.detach().double().square().mean().sqrt())
    return value if math.isfinite(value) else math.inf
