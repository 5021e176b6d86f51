"""AdamW: weight decay beside the gradient.

Weight decay pulls every weight towards zero. Under SGD one may add `λ w` to the gradient (L2) or
shrink the weight itself, `w ← w − η λ w` (decoupled): the same. Under Adam they part. The L2 pull
goes through `m̂ / √v̂` like all gradients, so a weight without other gradients moves `η` a step
whatever `λ` is, and one with large gradients hardly decays. AdamW decays all alike.

**Try:** change the decay λ from 0.1 to 0.001 and see which of the curves care.

Source: Loshchilov & Hutter (2019), Decoupled weight decay regularization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, below, lab, near, ticks
from engine.optimisers import Memory, adam, sgd
from engine.views import Array, Bars, Curve, Frame, View

METHODS = ("SGD + L2", "SGD, decoupled", "Adam + L2", "AdamW")
# the first weight gets no gradient, the second a large one that is noise and pulls nowhere
WEIGHTS = ("no gradient", "large gradients")


def step_of(
    method: str, w: torch.Tensor, g: torch.Tensor, memory: Memory, rate: float, decay: float
) -> tuple[torch.Tensor, Memory]:
    """One step by one of the four methods, any shape."""
    rule = adam if method.startswith("Adam") else sgd
    if method in ("SGD, decoupled", "AdamW"):
        after, memory = rule(w, g, memory, learning_rate=rate)
        return after - rate * decay * w, memory
    return rule(w, g, memory, learning_rate=rate, weight_decay=decay)


def follow(method: str, g: Array, rate: float, decay: float) -> Array:
    """Weights that begin at 1 along a stream of gradients `(steps, n)`: `(steps + 1, n)`."""
    w, memory = torch.ones(g.shape[1], dtype=torch.float64), Memory()
    path = [w.numpy()]
    for now in torch.tensor(g):
        w, memory = step_of(method, w, now, memory, rate, decay)
        path.append(w.numpy())
    return np.array(path)


def stream(steps: int, size: float) -> Array:
    """Gradients of the two weights, `(steps, 2)`: zero, and noise whose pairs cancel."""
    noise = np.random.default_rng(0).standard_normal(-(-steps // 2))
    pairs = np.stack([noise, -noise], axis=1).ravel()[:steps]
    return np.stack([np.zeros(steps), size * pairs], axis=1)


@lab(
    covers=["adamw-decoupled-weight-decay"],
    seconds=1,
    quick={"steps": 20},
    tries={
        "A hundredth of the decay": {"decay": 0.001},
        "Strong decay, small steps": {"decay": 1.0, "rate": 0.002},
        "Quiet gradients": {"size": 0.1},
    },
    question=Question(
        "Adam with L2: a weight gets no gradient but the decay. Decay 0.1 or 0.001: which makes "
        "it shrink faster?",
        ("0.1, a hundred times", "Both the same"),
        1,
        "Adam divides the pull by its own size: the step is η either way.",
    ),
    needs=["adam", "weight-decay"],
)
def run(
    decay: Annotated[
        float, Slider(0.0001, 1.0, log=True, help="A stronger pull to zero", live=True)
    ] = 0.1,
    rate: Annotated[float, Slider(0.0005, 0.05, log=True, help="Longer steps", live=True)] = 0.01,
    size: Annotated[float, Slider(0.0, 20.0, help="Louder gradients of the second weight")] = 5.0,
    steps: Annotated[int, Slider(20, 600, help="A longer walk")] = 200,
) -> Frames:
    """Four methods on two weights; decay and rate may change midway."""
    g = torch.tensor(stream(steps, size))
    w = dict.fromkeys(METHODS, torch.ones(2, dtype=torch.float64))
    memory = dict.fromkeys(METHODS, Memory())
    paths = {method: [np.ones(2)] for method in METHODS}
    for step, show in ticks(steps, 100):
        for method in METHODS:
            w[method], memory[method] = step_of(
                method, w[method], g[step - 1], memory[method], rate, decay
            )
            paths[method].append(w[method].numpy())
        if show:
            lines = {method: np.array(path) for method, path in paths.items()}
            x = np.arange(step + 1)
            views: dict[str, View] = {
                f"weight {i + 1}": Curve(
                    x, {method: line[:, i] for method, line in lines.items()},
                    ylabel="weight, from 1", title=f"the weight with {name}",
                )
                for i, name in enumerate(WEIGHTS)
            }  # fmt: skip
            views["left"] = Bars(
                METHODS,
                {name: np.array([line[-1, i] for line in lines.values()])
                 for i, name in enumerate(WEIGHTS)},
                xlabel="method", ylabel="weight now", level={"pure decay (1 − η λ)ᵗ":
                                                             (1 - rate * decay) ** step},
                title="what is left of both",
            )  # fmt: skip
            facts = {f"{m}, no gradient": float(line[-1, 0]) for m, line in lines.items()}
            changes = dict((yield Frame(step, steps, views, facts)) or {})
            decay = float(changes.get("decay", decay))  # type: ignore[arg-type]
            rate = float(changes.get("rate", rate))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """AdamW decays exactly, Adam + L2 moves η a step whatever λ; SGD does not care."""
    nothing = np.zeros((100, 1))
    exact = (1 - 0.01 * 0.1) ** 100
    yield near("exact decay (1 − η λ)¹⁰⁰, η λ = 0.001", exact, 0.90479, 1e-5)
    left = follow("AdamW", nothing, rate=0.01, decay=0.1)[-1, 0]
    yield near("AdamW without gradients, 100 steps", left, exact, 1e-12)
    for decay in (0.1, 0.001):
        left = follow("Adam + L2", nothing[:20], rate=0.01, decay=decay)[-1, 0]
        yield near(f"Adam + L2 at λ = {decay}, 20 steps of η = 0.01", left, 0.8027, 1e-3)
    g = stream(100, 5.0)
    gap = np.abs(follow("SGD + L2", g, 0.01, 0.1) - follow("SGD, decoupled", g, 0.01, 0.1)).max()
    yield below("SGD: largest difference of L2 and decoupled", float(gap), 1e-12)
