"""Stop before the noise is learnt.

Training first learns what many examples share and last what sets each one apart: the noise. So the
loss on held-out digits falls, turns and rises. *Early stopping* keeps the weights of the best epoch
and gives up once `patience` epochs have brought nothing better. Why it works is exact for least
squares: after `t` steps gradient descent has learnt the share `1 − (1 − η l)^t` of each
eigen-direction with curvature `l`. Strong directions are learnt first, weak and noisy ones last.

**Try:** set the patience to 1: the curve wobbles, and it stops too soon.

Source: Prechelt (1998), Early stopping, but when? In: Neural networks: tricks of the
trade.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from demos.kit import Claim, Frames, Question, Slider, above, below, interactive, lab
from engine.data.shipped import digits
from engine.views import Array, Curve, Frame, Tiles, View

EXAMPLES, HELD_OUT, TEST, WIDTH, RATE, MOMENTUM = 150, 300, 500, 64, 0.1, 0.9
SHOWN = 8  # eigen-directions


def stop(losses: list[float], patience: int) -> tuple[int, int]:
    """The best epoch so far and the one at which patience ended (or the last), from 1."""
    best = 1
    for epoch, loss in enumerate(losses, 1):
        if loss < losses[best - 1]:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch
    return best, len(losses)


def learnt_share(curvature: Array, rate: float, steps: int) -> Array:
    """How much of each eigen-direction gradient descent has learnt after `steps`."""
    return np.asarray(1 - (1 - rate * curvature) ** steps)


def directions() -> tuple[Array, Array]:
    """Curvatures `(64,)` and eigen-directions `(64, 64)` in rows of the digits, largest first."""
    x = digits()[0].reshape(-1, 64).astype(np.float64)
    x = x - x.mean(0)
    curvature, vectors = np.linalg.eigh(x.T @ x / len(x))
    return curvature[::-1], vectors.T[::-1]


class Training:
    """150 digits with wrong labels among them, learnt by gradient descent with momentum."""

    def __init__(self, seed: int, noise: float) -> None:
        self.random = torch.Generator().manual_seed(seed)
        images, labels = digits()
        pick = torch.randperm(1797, generator=self.random)[: EXAMPLES + HELD_OUT + TEST]
        sizes = [EXAMPLES, HELD_OUT, TEST]
        x = torch.from_numpy(images).flatten(1)[pick].split(sizes)
        y = [one.clone() for one in torch.from_numpy(labels)[pick].split(sizes)]
        wrong = int(noise * EXAMPLES)
        y[0][:wrong] += torch.randint(1, 10, (wrong,), generator=self.random)
        self.x, self.y = x, [one % 10 for one in y]
        self.w = [torch.randn(WIDTH, 64, generator=self.random) / 8, torch.zeros(WIDTH)]
        self.w += [torch.randn(10, WIDTH, generator=self.random) / 8, torch.zeros(10)]
        self.speed = [torch.zeros_like(one) for one in self.w]

    def scores(self, x: Tensor) -> Tensor:
        """Images `(n, 64)` to scores `(n, 10)`."""
        return torch.relu(x @ self.w[0].T + self.w[1]) @ self.w[2].T + self.w[3]

    def epoch(self) -> list[float]:
        """Once through; the losses on training and held-out digits, and the test accuracy [%]."""
        for pick in torch.randperm(EXAMPLES, generator=self.random).split(50):
            self.w = [one.requires_grad_() for one in self.w]
            loss = cross_entropy(self.scores(self.x[0][pick]), self.y[0][pick])
            slopes = torch.autograd.grad(loss, self.w)
            self.speed = [MOMENTUM * m + g for m, g in zip(self.speed, slopes, strict=True)]
            self.w = [(one - RATE * m).detach() for one, m in zip(self.w, self.speed, strict=True)]
        losses = [float(cross_entropy(self.scores(self.x[i]), self.y[i])) for i in (0, 1)]
        right = self.scores(self.x[2]).argmax(1) == self.y[2]
        return [*losses, 100 * float(right.double().mean())]


@lab(
    covers=["early-stopping"],
    seconds=1,
    quick={"epochs": 10},
    tries={
        "Impatient": {"patience": 1},
        "Clean labels": {"noise": 0.0},
        "Half the labels wrong": {"noise": 0.5},
    },
    question=Question(
        "20 % of the training labels are wrong. When is the loss on held-out digits lowest?",
        ("Early, then it rises", "At the very end", "It never changes much"),
        0,
        "What digits share is learnt first; learning the wrong labels by heart comes later.",
    ),
    needs=["overfitting-capacity"],
)
def run(
    patience: Annotated[int, Slider(1, 60, unit="epoch", help="Wait longer", live=True)] = 10,
    noise: Annotated[float, Slider(0.0, 0.6, help="More wrong labels")] = 0.2,
    epochs: Annotated[int, Slider(10, 200, help="Train longer than one should")] = 100,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train far past the best epoch; mark where patience would have stopped."""
    training = Training(seed, noise)
    curvature, vectors = directions()
    rows: list[list[float]] = []

    def picture(patience: int) -> Frame:
        share = learnt_share(curvature[:SHOWN], 0.5 / curvature[0], 2 * len(rows))
        weights = training.w[0][:24].reshape(-1, 8, 8).numpy()
        return _frame(np.array(rows), epochs, patience, share, vectors, weights)

    live: dict[str, Any] = {"patience": patience}
    for _ in range(epochs):
        rows.append(training.epoch())
        live.update((yield partial(picture, **live)) or {})
    yield from interactive(picture, **live)


def _frame(
    rows: Array, epochs: int, patience: int, share: Array, vectors: Array, weights: Array
) -> Frame:
    at = np.arange(1, len(rows) + 1)
    best, end = stop(rows[:, 1].tolist(), patience)
    marks = {"best, restored": float(best), "patience ends": float(end)}
    names = tuple(f"{100 * one:.0f} % learnt" for one in share)
    views: dict[str, View] = {
        "losses": Curve(
            at, {"training": np.maximum(rows[:, 0], 1e-4), "held out": rows[:, 1]}, "epoch",
            "cross-entropy [nat]", log=True, marks=marks, title="the held-out loss turns",
        ),
        "accuracy": Curve(
            at, {"test accuracy": rows[:, 2]}, "epoch", "test accuracy [%]",
            marks={"restored": float(best)}, title="new digits, read right",
        ),
        "directions": Tiles(
            (share[:, None] * vectors[:SHOWN]).reshape(-1, 8, 8), names, "signed", across=4,
            title=f"eigen-directions learnt after {2 * len(rows)} steps",
        ),
        "units": Tiles(weights, scale="signed", across=8, title="weights of 24 units now"),
    }  # fmt: skip
    facts = {
        "best epoch": float(best),
        "best held-out loss over the last": float(rows[best - 1, 1] / rows[-1, 1]),
        "test accuracy, restored [%]": float(rows[best - 1, 2]),
        "test accuracy, at the end [%]": float(rows[-1, 2]),
    }
    return Frame(len(rows), epochs, views, facts)


def check() -> Iterator[Claim]:
    """The filter is exact; the best epoch is early, its loss lower, its accuracy higher."""
    curvature, vectors = directions()
    rate = 0.5 / curvature[0]
    aim = np.random.default_rng(0).standard_normal(64)  # the least-squares solution
    hessian, w, gap = vectors.T @ np.diag(curvature) @ vectors, np.zeros(64), 0.0
    for t in range(1, 201):
        w = w - rate * hessian @ (w - aim)
        gap = max(
            gap, np.abs(vectors @ w - learnt_share(curvature, rate, t) * (vectors @ aim)).max()
        )
    yield below("Gradient descent against 1 − (1 − η l)^t, 64 directions, 200 steps", gap, 1e-12)
    ends = [run.last(seed=seed, epochs=80, patience=60).facts for seed in range(3)]
    yield below("Best epoch, latest of 3 seeds", max(one["best epoch"] for one in ends), 60)
    ratio = max(one["best held-out loss over the last"] for one in ends)
    yield below("Best held-out loss over that at the end, largest of 3", ratio, 0.9)
    gains = [
        one["test accuracy, restored [%]"] - one["test accuracy, at the end [%]"] for one in ends
    ]
    yield above("Test accuracy gained by going back, least of 3 [points]", min(gains), 0.5)
