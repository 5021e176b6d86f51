"""Weights that nobody needs fade away.

Weight decay shrinks every weight a little at each step: `w ← w − η (∇L + λ w)`. For plain gradient
descent this is the same as adding the penalty `λ/2 |w|²` to the loss. A weight that the loss never
pushes is multiplied by `1 − ηλ` at every step, so half of it is left after `ln 2/(ηλ)` steps; one
that is needed settles where the push of the loss and the pull to zero balance. The corners of these
digits are always black: the weights from there are such unused ones.

**Try:** start without decay, then turn it up while it runs: the corners of the units clear.

Source: Krogh & Hertz (1992), A simple weight decay can improve generalization.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from demos.kit import Claim, Frames, Question, Slider, below, lab, same, ticks
from engine.data.shipped import digits
from engine.views import Curve, Frame, Tiles, View

UNITS, EXAMPLES = 24, 120


def scores(w: list[Tensor], x: Tensor) -> Tensor:
    """A network 64-24-10: weights `(24, 64)`, `(24,)`, `(10, 24)`, `(10,)`; images `(n, 64)`."""
    return torch.relu(x @ w[0].T + w[1]) @ w[2].T + w[3]


def step(w: list[Tensor], x: Tensor, y: Tensor, rate: float, decay: float) -> list[Tensor]:
    """One step of gradient descent with weight decay."""
    w = [one.requires_grad_() for one in w]
    slopes = torch.autograd.grad(cross_entropy(scores(w, x), y), w)
    return [(one - rate * (g + decay * one)).detach() for one, g in zip(w, slopes, strict=True)]


def start(seed: int) -> tuple[list[Tensor], list[Tensor]]:
    """Random weights, and real digits: 120 to learn (15 % wrong labels), 1,000 to test."""
    random = torch.Generator().manual_seed(seed)
    images, labels = digits()
    pick = torch.randperm(1797, generator=random)
    x, y = torch.from_numpy(images).flatten(1).double()[pick], torch.from_numpy(labels)[pick]
    wrong = int(0.15 * EXAMPLES)
    y[:wrong] = (y[:wrong] + torch.randint(1, 10, (wrong,), generator=random)) % 10
    w = [torch.randn(UNITS, 64, generator=random).double() / 6, torch.zeros(UNITS).double()]
    w += [torch.randn(10, UNITS, generator=random).double() / 5, torch.zeros(10).double()]
    return w, [x[:EXAMPLES], y[:EXAMPLES], x[-1000:], y[-1000:]]


@lab(
    covers=["weight-decay"],
    seconds=1,
    quick={"steps": 40},
    tries={
        "No decay": {"decay": 0.0},
        "Just enough": {"decay": 0.01},
        "Far too much": {"decay": 0.15},
    },
    question=Question(
        "η = 0.5 and λ = 0.01. How long until an unused weight has halved?",
        ("About 14 steps", "About 140 steps", "Never: it has no gradient"),
        1,
        "ln 2/(0.5 · 0.01) ≈ 139 steps. Decay needs no gradient; that is why it cleans up.",
    ),
    needs=["l1-l2-regularization"],
)
def run(
    decay: Annotated[float, Slider(0.0, 0.2, help="Weights fade faster", live=True)] = 0.01,
    rate: Annotated[float, Slider(0.05, 1.0, help="Longer steps", live=True)] = 0.5,
    steps: Annotated[int, Slider(20, 1500, help="Train longer")] = 600,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train on 120 digits; show the units, the size of unused weights and the losses."""
    w, data = start(seed)
    unused = data[0].abs().sum(0) == 0  # pixels that are black in every training image
    before = norm = float(w[0][:, unused].norm())
    rows: list[list[float]] = []
    for number, show in ticks(steps, 75):
        w = step(w, data[0], data[1], rate, decay)
        norm *= 1 - rate * decay
        if not show:
            continue
        trained, tested = scores(w, data[0]), scores(w, data[2])
        errors = [float(cross_entropy(trained, data[1])), float(cross_entropy(tested, data[3]))]
        faded, size = (
            float(w[0][:, unused].norm()),
            math.sqrt(sum(float((one**2).sum()) for one in w)),
        )
        rows.append([number, *errors, size, faded / before, norm / before])
        facts = {"test accuracy [%]": 100 * float((tested.argmax(1) == data[3]).double().mean())}
        facts |= {
            "test − training loss [nat]": errors[1] - errors[0],
            "length of all weights": size,
        }
        if decay * rate > 0:
            facts["half-life of unused weights [step]"] = math.log(2) / -math.log1p(-rate * decay)
        changes = yield Frame(number, steps, _views(w, rows, unused), facts)
        decay = float((changes or {}).get("decay", decay))  # type: ignore[arg-type]
        rate = float((changes or {}).get("rate", rate))  # type: ignore[arg-type]


def _views(w: list[Tensor], rows: list[list[float]], unused: Tensor) -> dict[str, View]:
    at, trained, tested, size, faded, theory = np.array(rows).T
    black = int(unused.sum())
    return {
        "units": Tiles(
            w[0].reshape(-1, 8, 8).clamp(-1, 1).numpy(), scale="signed", across=8,
            title=f"weights from the 8 × 8 pixels to each unit; {black} pixels are never lit",
        ),
        "unused": Curve(
            at, {"measured": np.maximum(faded, 1e-9), "(1 − ηλ)^t": np.maximum(theory, 1e-9)},
            "step", "share left", log=True, title="weights from pixels that are never lit",
        ),
        "loss": Curve(
            at, {"training": np.maximum(trained, 1e-4), "test": np.clip(tested, 1e-4, 1e4)},
            "step", "cross-entropy [nat]", log=True, title="loss",
        ),
        "size": Curve(at, {"|w|": size}, "step", "length of all weights", title="all weights"),
    }  # fmt: skip


def check() -> Iterator[Claim]:
    """Decay is an L2 penalty for gradient descent, and unused weights fall by 1 − ηλ a step."""
    rate, decay, count = 0.5, 0.02, 200
    w, data = start(0)
    first, unused = w[0].clone(), data[0].abs().sum(0) == 0
    penalised = [one.clone().requires_grad_() for one in w]
    for _ in range(count):
        w = step(w, data[0], data[1], rate, decay)
        loss = cross_entropy(scores(penalised, data[0]), data[1])
        loss = loss + decay / 2 * sum((one**2).sum() for one in penalised)
        slopes = torch.autograd.grad(loss, penalised)
        with torch.no_grad():
            for one, slope in zip(penalised, slopes, strict=True):
                one -= rate * slope
    gap = max(float((a - b.detach()).abs().max()) for a, b in zip(w, penalised, strict=True))
    yield below("Weight decay against an L2 penalty, 200 steps, largest gap", gap, 1e-12)
    left = first[:, unused] * (1 - rate * decay) ** count
    gap = float(((w[0][:, unused] - left) / left).abs().max())
    yield below("Unused weights against (1 − ηλ)^200 of their start, relative gap", gap, 1e-12)
    yield same("There are unused weights", bool(unused.any()), True)
