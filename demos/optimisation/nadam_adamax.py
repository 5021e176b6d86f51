"""Nadam and AdaMax: two cousins of Adam.

Adam's step is `η m̂ / √v̂`. Nadam adds Nesterov's look-ahead: the fresh gradient counts once more
beside the mean, `μ m + (1 − β₁) g`, so a turn of the slope is answered a step earlier. AdaMax
measures gradients by the largest lately seen, `v ← max(β₂ v, |g|)`, instead of a mean square: a
spike makes the next steps small at once and is forgotten slowly, and with the usual `β` no step
is longer than `η`.

**Try:** raise the spike and compare the three: who jumps, who freezes, and for how long?

Source: Kingma & Ba (2015), Adam: A method for stochastic optimization, section 7;
Dozat (2016), Incorporating Nesterov momentum into Adam.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch.optim.adamax import adamax as torch_adamax
from torch.optim.nadam import nadam as torch_nadam

from demos.kit import Claim, Frames, Question, Slider, below, lab, near, ticks
from engine.optimisers import Memory, Rule, adam, adamax, nadam
from engine.views import Array, Bars, Curve, Frame, View

RULES: dict[str, Rule] = {"Adam": adam, "Nadam": nadam, "AdaMax": adamax}
RATE, BETAS = 0.05, {"beta1": 0.9, "beta2": 0.99}


def stream(steps: int, spike: float, turn: bool = True) -> Array:
    """Gradients around 1 with noise, one spike at a third, and a turn at two thirds: `(steps,)`."""
    g = 1 + 0.3 * np.random.default_rng(0).standard_normal(steps)
    g[steps // 3] += spike
    return np.where(np.arange(steps) >= 2 * steps // 3, -g, g) if turn else g


@lab(
    covers=["nadam-adamax"],
    seconds=1,
    quick={"steps": 30},
    tries={
        "A spike of a hundred": {"spike": 100.0},
        "No spike, only the turn": {"spike": 0.0},
        "A short memory for size": {"beta2": 0.9},
    },
    question=Question(
        "A single gradient is fifty times larger than all others. Which rule's step grows beyond "
        "its learning rate?",
        ("AdaMax", "Adam", "Neither, ever"),
        1,
        "AdaMax divides by the largest gradient lately, so its step cannot. Adam's mean square "
        "takes in only 1 − β₂ of the spike, its mean 1 − β₁: the quotient can exceed 1.",
    ),
    needs=["adam", "nesterov"],
)
def run(
    spike: Annotated[float, Slider(0.0, 100.0, help="A larger spike")] = 50.0,
    beta1: Annotated[float, Slider(0.0, 0.99, help="Longer mean of gradients", live=True)] = 0.9,
    beta2: Annotated[float, Slider(0.5, 0.999, help="Longer memory for size", live=True)] = 0.99,
    steps: Annotated[int, Slider(30, 600, help="A longer stream")] = 150,
) -> Frames:
    """Three rules along one stream of gradients with a spike and a turn."""
    g = stream(steps, spike)
    w = dict.fromkeys(RULES, torch.zeros(1, dtype=torch.float64))
    memory = dict.fromkeys(RULES, Memory())
    moves: dict[str, list[float]] = {name: [] for name in RULES}
    sizes: dict[str, list[float]] = {name: [] for name in RULES}
    for step, show in ticks(steps, 120):
        for name, rule in RULES.items():
            before, now = w[name], torch.tensor([g[step - 1]], dtype=torch.float64)
            w[name], memory[name] = rule(
                before, now, memory[name], learning_rate=RATE, beta1=beta1, beta2=beta2
            )
            moves[name].append((before - w[name]).item())
            v = torch.as_tensor(memory[name].v).item()
            sizes[name].append(v if name == "AdaMax" else (v / (1 - beta2**step)) ** 0.5)
        if show:
            x = np.arange(1, step + 1)
            marks = {"spike": steps // 3 + 1.0, "turn": 2 * steps // 3 + 1.0}
            reached = {word: at for word, at in marks.items() if at <= step}
            views: dict[str, View] = {
                "steps": Curve(
                    x, {**{n: np.array(m) for n, m in moves.items()}, "η": np.full(step, RATE)},
                    ylabel="step of the weight", marks=reached, title="three steps from one stream",
                ),
                "sizes": Curve(
                    x, {"|g|": np.abs(g[:step]), "√v̂ of Adam": np.array(sizes["Adam"]),
                        "v of AdaMax": np.array(sizes["AdaMax"])},
                    ylabel="size of gradients", log=True, marks=reached,
                    title="what each takes for the size of a gradient",
                ),
                "longest": Bars(
                    tuple(RULES), {"longest step": np.array([max(np.abs(m))
                                                             for m in moves.values()])},
                    xlabel="rule", ylabel="longest step so far", level={"η": RATE},
                    title="who stays within η?",
                ),
            }  # fmt: skip
            facts = {f"longest step of {n}": float(max(np.abs(m))) for n, m in moves.items()}
            changes = dict((yield Frame(step, steps, views, facts)) or {})
            beta1 = float(changes.get("beta1", beta1))  # type: ignore[arg-type]
            beta2 = float(changes.get("beta2", beta2))  # type: ignore[arg-type]


def with_torch(name: str, matrix: torch.Tensor, w: torch.Tensor, steps: int) -> torch.Tensor:
    """Where torch's own rule walks on a bowl with that curvature matrix."""
    w, m, v, count = w.clone(), torch.zeros_like(w), torch.zeros_like(w), torch.tensor(0.0)
    product = torch.tensor(1.0, dtype=torch.float64)
    shared: dict[str, Any] = {
        "foreach": False, "lr": 0.01, "eps": 1e-8, "weight_decay": 0.0, **BETAS,
    }  # fmt: skip
    for _ in range(steps):
        g = matrix @ w
        if name == "AdaMax":
            torch_adamax([w], [g], [m], [v], [count], **shared)
        else:
            torch_nadam([w], [g], [m], [v], [product], [count], momentum_decay=0.004, **shared)
    return w


def check() -> Iterator[Claim]:
    """Both walks are torch's, and AdaMax never steps further than η."""
    for name in ("Nadam", "AdaMax"):
        gaps = []
        for seed in range(3):
            generator = torch.Generator().manual_seed(seed)
            root = torch.randn(6, 6, generator=generator, dtype=torch.float64)
            start = torch.randn(6, generator=generator, dtype=torch.float64)
            w, memory, matrix = start, Memory(), root @ root.T / 6
            for _ in range(200):
                w, memory = RULES[name](w, matrix @ w, memory, learning_rate=0.01, **BETAS)
            gaps.append((w - with_torch(name, matrix, start, 200)).abs().max().item())
        yield below(f"{name}, 200 steps on random bowls: distance to torch", max(gaps), 1e-8)
    facts = run.last(spike=50.0).facts
    longest = facts["longest step of AdaMax"]
    yield below("AdaMax's longest step on the stream with a spike, η = 0.05", longest, 0.05 + 1e-12)
    yield near("and it is reached", longest, 0.05, 1e-4)
