"""RMSProp: an AdaGrad that forgets.

AdaGrad's sum of squares never shrinks, so its steps fade away. RMSProp keeps a running mean
instead, `v ← β v + (1 − β) g²`, which forgets what is older than about `1/(1 − β)` steps, and
divides by its root, `w ← w − η g / √v`. Under a constant gradient the step settles at `η`; when
the gradient changes its size, the step follows.

**Try:** let the gradient jump tenfold midway: RMSProp forgets the old size, AdaGrad does not.

Source: Tieleman & Hinton (2012), Lecture 6.5: rmsprop, divide the gradient by a running average.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, lab, near, ticks
from engine.optimisers import Memory, Rule, adagrad, rmsprop
from engine.views import Array, Curve, Frame, Matrix, View


def gradients(stream: str, steps: int, seed: int = 0) -> Array:
    """What a weight sees: `(steps,)`."""
    noise = np.random.default_rng(seed).standard_normal(steps)
    half = np.arange(steps) < steps // 2
    return {
        "constant": np.ones(steps),
        "noisy": 1 + 0.5 * noise,
        "falls to a tenth": np.where(half, 1.0, 0.1),
        "grows tenfold": np.where(half, 1.0, 10.0),
        "one in twenty": np.where(np.arange(1, steps + 1) % 20 == 0, 1.0, 0.0),
    }[stream]


def follow(rule: Rule, stream: Array, **settings: float) -> tuple[Array, Array]:
    """Steps a rule takes along a stream of gradients, and the memory v: `(steps,)` each."""
    w, memory, moves, sizes = torch.zeros(1, dtype=torch.float64), Memory(), [], []
    for g in stream:
        before = w
        w, memory = rule(w, torch.tensor([g], dtype=torch.float64), memory, **settings)
        moves.append((before - w).item())
        sizes.append(torch.as_tensor(memory.v).item())
    return np.array(moves), np.array(sizes)


@lab(
    covers=["rmsprop"],
    seconds=1,
    quick={"steps": 20},
    tries={
        "Slopes become ten times gentler": {"stream": "falls to a tenth"},
        "A short memory": {"stream": "noisy", "beta": 0.5},
        "A rare feature": {"stream": "one in twenty", "beta": 0.9},
    },
    question=Question(
        "The gradient is 1 for ever and η = 0.01. How large are the steps after long?",
        ("AdaGrad 0.01, RMSProp 0.01", "AdaGrad near 0, RMSProp 0.01", "both near 0"),
        1,
        "AdaGrad's v is t and its step 0.01/√t; RMSProp's v is a mean, 1, and its step 0.01.",
    ),
    needs=["adagrad"],
)
def run(
    beta: Annotated[float, Slider(0.0, 0.999, help="A longer memory", live=True)] = 0.95,
    rate: Annotated[
        float, Slider(0.001, 0.1, log=True, help="Longer steps for both", live=True)
    ] = 0.01,
    stream: Literal[
        "constant", "noisy", "falls to a tenth", "grows tenfold", "one in twenty"
    ] = "falls to a tenth",
    steps: Annotated[int, Slider(20, 600, help="A longer stream")] = 200,
) -> Frames:
    """Both rules over one stream of gradients; the memory's length may change midway."""
    g = gradients(stream, steps)
    rules: dict[str, Rule] = {"AdaGrad": adagrad, "RMSProp": rmsprop}
    w = dict.fromkeys(rules, torch.zeros(1, dtype=torch.float64))
    memory = dict.fromkeys(rules, Memory())
    moves: dict[str, list[float]] = {name: [] for name in rules}
    sizes: dict[str, list[float]] = {name: [] for name in rules}
    for step, show in ticks(steps, 100):
        for name, rule in rules.items():
            settings = {"beta": beta} if name == "RMSProp" else {}
            now, before = torch.tensor([g[step - 1]], dtype=torch.float64), w[name]
            w[name], memory[name] = rule(before, now, memory[name], learning_rate=rate, **settings)
            moves[name].append(abs(before - w[name]).item())
            sizes[name].append(float(np.sqrt(torch.as_tensor(memory[name].v).item())))
        if show:
            x = np.arange(1, step + 1)
            per_step = {n: rate / np.maximum(np.array(s), 1e-9) for n, s in sizes.items()}
            weights = (1 - beta) * beta ** np.arange(40)
            views: dict[str, View] = {
                "moves": Curve(
                    x, {name: np.array(m) for name, m in moves.items()},
                    ylabel="size of the step", title="how far the weight moves",
                ),
                "rates": Curve(
                    x, {name: np.where(r < 1e6, r, np.nan) for name, r in per_step.items()},
                    ylabel="η / √v", log=True, title="effective learning rate",
                ),
                "memory": Curve(
                    x, {"|g|": np.abs(g[:step]), **{f"√v, {n}": np.array(s)
                                                    for n, s in sizes.items()}},
                    ylabel="gradient", title="the gradient and what is remembered of it",
                ),
                "window": Matrix(
                    np.stack([weights / weights.max(), np.ones(40)]), ("RMSProp", "AdaGrad"),
                    xlabel="steps ago", ylabel="rule",
                    title="how much a squared gradient of the past still counts",
                ),
            }  # fmt: skip
            facts = {f"step of {name}": m[-1] for name, m in moves.items()}
            facts["memory 1/(1 − β) [steps]"] = 1 / (1 - beta)
            changes = yield Frame(step, steps, views, facts)
            beta = float((changes or {}).get("beta", beta))  # type: ignore[arg-type]
            rate = float((changes or {}).get("rate", rate))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """Under a constant gradient RMSProp's step settles at η, AdaGrad's has faded."""
    constant = gradients("constant", 200)
    for beta in (0.9, 0.95):
        kept, _ = follow(rmsprop, constant, learning_rate=0.01, beta=beta)
        yield near(f"RMSProp's 200th step, β = {beta}", kept[-1], 0.01, 5e-5)
    faded, _ = follow(adagrad, constant, learning_rate=0.01)
    yield near("AdaGrad's 200th step, η/√200", faded[-1], 0.01 / np.sqrt(200), 5e-6)
    jump, _ = follow(rmsprop, gradients("falls to a tenth", 400), learning_rate=0.01, beta=0.95)
    yield near("RMSProp's step 200 after the gradient fell to a tenth", jump[-1], 0.01, 5e-5)
    slow, _ = follow(adagrad, gradients("falls to a tenth", 400), learning_rate=0.01)
    yield near("AdaGrad's, 0.1 η/√(200 + 2)", slow[-1], 0.001 / np.sqrt(202), 1e-6)
