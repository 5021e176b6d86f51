"""Adam: momentum, measured in standard steps.

Adam keeps two running means, of the gradient, `m ← β₁ m + (1 − β₁) g`, and of its square,
`v ← β₂ v + (1 − β₂) g²`. Both begin at zero and are too small at first, so they are divided by
`1 − βᵗ`. The step is `η m̂ / √v̂`: where gradients agree it is `η`, where they are noise it is
small, and their scale cancels out: multiply the loss by a million and nothing changes.

**Try:** switch the bias correction off and look at the first steps; then scale the gradient.

Source: Kingma & Ba (2015), Adam: A method for stochastic optimization.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch.optim.adam import adam as torch_adam

from demos.kit import Claim, Frames, Question, Slider, Toggle, below, lab, near, ticks
from engine.optimisers import Memory, adam
from engine.views import Curve, Frame, View


def stream(steps: int, noise: float, seed: int = 0) -> np.ndarray:
    """A gradient that pushes one way, then the other, with noise on it: `(steps,)`."""
    push = np.where(np.arange(steps) < steps // 2, 1.0, -0.5)
    return push + noise * np.random.default_rng(seed).standard_normal(steps)


def quadratic(seed: int, size: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """A random bowl's curvature matrix, `(size, size)`, and a start, `(size,)`."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(size, size, generator=generator, dtype=torch.float64)
    return root @ root.T / size, torch.randn(size, generator=generator, dtype=torch.float64)


def with_torch(matrix: torch.Tensor, w: torch.Tensor, steps: int, rate: float) -> torch.Tensor:
    """Where torch's own Adam walks on that bowl."""
    w, m, v = w.clone(), torch.zeros_like(w), torch.zeros_like(w)
    count = torch.tensor(0.0)
    for _ in range(steps):
        torch_adam(
            [w], [matrix @ w], [m], [v], [], [count], foreach=False, amsgrad=False, beta1=0.9,
            beta2=0.999, lr=rate, weight_decay=0.0, eps=1e-8, maximize=False,
        )  # fmt: skip
    return w


@lab(
    covers=["adam"],
    seconds=1,
    quick={"steps": 20},
    tries={
        "Without bias correction": {"correct": False},
        "A million times the gradient": {"scale": 1e6},
        "Nothing but noise": {"noise": 5.0},
    },
    question=Question(
        "The first gradient is 0.001. How large is Adam's first step at η = 0.1?",
        ("0.0001", "0.1", "It depends on β₁ and β₂"),
        1,
        "m̂ is the gradient and √v̂ its size: the step is η for any gradient but zero.",
    ),
    needs=["momentum", "rmsprop"],
)
def run(
    beta1: Annotated[float, Slider(0.0, 0.99, help="Longer mean of gradients", live=True)] = 0.9,
    beta2: Annotated[
        float, Slider(0.5, 0.9999, help="Longer mean of their squares", live=True)
    ] = 0.99,
    correct: Annotated[bool, Toggle("Divide by 1 − βᵗ", live=True)] = True,
    scale: Annotated[
        float, Slider(1e-6, 1e6, log=True, help="Multiplies every gradient", live=True)
    ] = 1.0,
    noise: Annotated[float, Slider(0.0, 5.0, help="Less agreement between gradients")] = 0.5,
    steps: Annotated[int, Slider(20, 600, help="A longer stream")] = 200,
) -> Frames:
    """Adam along a stream of gradients; both means and the step, live."""
    g, rate = stream(steps, noise), 0.1
    w, memory = torch.zeros(1, dtype=torch.float64), Memory()
    means, sizes, moves, scales = list[float](), list[float](), list[float](), list[float]()
    for step, show in ticks(steps, 120):
        before, now = w, torch.tensor([scale * g[step - 1]], dtype=torch.float64)
        w, memory = adam(
            w, now, memory, rate, beta1, beta2, epsilon=1e-20, correct=correct
        )  # ε so small that it does not show
        bias = (1 - beta1**step, 1 - beta2**step) if correct else (1.0, 1.0)
        means.append(torch.as_tensor(memory.m).item() / bias[0] / scale)
        sizes.append((torch.as_tensor(memory.v).item() / bias[1]) ** 0.5 / scale)
        moves.append((before - w).item())
        scales.append(scale)
        if show:
            x = np.arange(1, step + 1)
            views: dict[str, View] = {
                "means": Curve(
                    x, {"gradient g": g[:step], "m̂, mean": np.array(means),
                        "√v̂, size": np.array(sizes)},
                    ylabel="gradient, before scaling", title="the two running means",
                ),
                "steps": Curve(
                    x, {"step": np.array(moves), "η": np.full(step, rate)},
                    ylabel="step of the weight", title="the step η m̂ / √v̂",
                ),
                "bias": Curve(
                    x, {"1 − β₁ᵗ": 1 - beta1**x, "1 − β₂ᵗ": 1 - beta2**x},
                    ylabel="share of the mean that is filled", title="how full the means are",
                ),
            }  # fmt: skip
            facts = {"first step over η": moves[0] / rate, "last step over η": moves[-1] / rate}
            changes = dict((yield Frame(step, steps, views, facts)) or {})
            beta1, beta2 = float(changes.get("beta1", beta1)), float(changes.get("beta2", beta2))  # type: ignore[arg-type]
            correct = bool(changes.get("correct", correct))
            scale = float(changes.get("scale", scale))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """The first step is η at any scale, 3.162 η without correction; the walk is torch's."""
    w, rate = torch.zeros(1, dtype=torch.float64), 0.01
    firsts = {}
    for correct in (True, False):
        scales = torch.tensor([10.0**k for k in range(-6, 7)], dtype=torch.float64)
        moved, _ = adam(w.expand(13), scales, Memory(), rate, epsilon=1e-15, correct=correct)
        firsts[correct] = -moved / rate
    gap = (firsts[True] - 1).abs().max().item()
    yield below("First step over η, gradients 1e−6 to 1e6: largest distance to 1", gap, 1e-6)
    yield near(
        "Without bias correction it is larger, times", firsts[False].mean().item(), 10**0.5, 1e-3
    )

    gaps = []
    for seed in range(3):
        matrix, start = quadratic(seed)
        w, memory = start, Memory()
        for _ in range(200):
            w, memory = adam(w, matrix @ w, memory, rate)
        gaps.append((w - with_torch(matrix, start, 200, rate)).abs().max().item())
    yield below("200 steps on random bowls: distance to torch's Adam", max(gaps), 1e-10)
