"""Momentum: let the ball roll.

In a long valley plain descent bounces between the walls and creeps along the floor. A heavy ball
remembers its speed: `m ← β m + g`, `w ← w − η m`. Opposite pushes cancel, equal ones add up to
`1/(1 − β)` times the step; `1 − β` is the friction. With curvatures from `μ` to `L` and
`κ = L/μ`, plain descent needs about `κ` steps, a ball with the best friction about `√κ`.

**Try:** at β = 0.9 lengthen the valley to κ = 100: the ball overshoots, rings, and still wins.

Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods;
Goh (2017), Why momentum really works.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch.optim.sgd import sgd as torch_sgd

from demos.kit import Claim, Frames, Question, Slider, below, lab, near, ticks
from engine.optimisers import Memory, momentum, sgd
from engine.views import Curve, Field, Frame, View

EXTENT = (-3.0, 3.0, -2.0, 2.0)
START = (-2.7, 1.6)
NUMBERS = (3, 10, 30, 100, 300, 1000)  # condition numbers of the last picture


def best_plain(kappa: float) -> dict[str, float]:
    """The rate at which plain descent is fastest on curvatures 1 and κ."""
    return {"learning_rate": 2 / (1 + kappa)}


def best_ball(kappa: float) -> dict[str, float]:
    """Polyak's rate and momentum on curvatures 1 and κ."""
    root = math.sqrt(kappa)
    return {"learning_rate": 4 / (root + 1) ** 2, "beta": ((root - 1) / (root + 1)) ** 2}


@functools.cache
def steps_needed(kappa: float, ball: bool) -> int:
    """Steps from (1, 1) until both coordinates together are below 1e-6, at the best settings."""
    curvature = torch.tensor([1.0, kappa], dtype=torch.float64)
    w, memory = torch.ones(2, dtype=torch.float64), Memory()
    rule, settings = (momentum, best_ball(kappa)) if ball else (sgd, best_plain(kappa))
    while w.norm() >= 1e-6:
        w, memory = rule(w, curvature * w, memory, **settings)
    return memory.t


@functools.cache
def scaling() -> Curve:
    """Steps to a millionth against the condition number."""
    kappa = np.array(NUMBERS, float)
    counts = {
        name: np.array([steps_needed(k, ball) for k in NUMBERS], float)
        for name, ball in (("plain descent", False), ("heavy ball", True))
    }
    return Curve(
        kappa, counts, "condition number κ", "steps to 1e-6", log=True, logx=True, dots=True,
        title="at the best settings: κ against √κ",
    )  # fmt: skip


@lab(
    covers=["momentum"],
    seconds=1,
    quick={"steps": 8},
    tries={
        "No friction left": {"beta": 0.99, "kappa": 10.0},
        "A long valley": {"beta": 0.9, "kappa": 100.0},
        "The best ball for κ = 100": {"beta": (9 / 11) ** 2, "kappa": 100.0, "rate": 4 / 1.21},
    },
    question=Question(
        "Make the valley 100 times longer. How much more steps does the best ball need?",
        ("100 times", "10 times", "none"),
        1,
        "A factor √100 = 10; plain descent needs the full 100.",
    ),
    needs=["gradient-descent-stability"],
)
def run(
    beta: Annotated[float, Slider(0.0, 0.99, help="Less friction", live=True)] = 0.8,
    rate: Annotated[
        float, Slider(0.05, 3.9, help="Longer steps, in units of 1/L", live=True)
    ] = 1.0,
    kappa: Annotated[float, Slider(1.0, 300.0, log=True, help="A longer valley")] = 30.0,
    steps: Annotated[int, Slider(5, 400, help="A longer walk")] = 120,
) -> Frames:
    """Two walkers from one place: a plain one and a ball; friction and rate may change midway."""
    curvature = torch.tensor([1 / kappa, 1.0], dtype=torch.float64)  # L = 1
    x, y = np.meshgrid(np.linspace(*EXTENT[:2], 90), np.linspace(*EXTENT[2:], 60))
    height = 0.5 * (x**2 / kappa + y**2)
    ball = plain = torch.tensor(START, dtype=torch.float64)
    memory, paths = Memory(), {"plain": [plain.numpy()], "ball": [ball.numpy()]}
    for step, show in ticks(steps, 120):
        # a rate beyond the limit diverges: walkers stop at the fence, a million away
        plain, _ = sgd(plain, curvature * plain, Memory(), learning_rate=min(rate, 1.99))
        ball, memory = momentum(ball, curvature * ball, memory, learning_rate=rate, beta=beta)
        ball = ball.clamp(-1e6, 1e6)
        paths["plain"].append(plain.numpy())
        paths["ball"].append(ball.numpy())
        if show:
            lines = {name: np.array(path) for name, path in paths.items()}
            losses = {
                name: 0.5 * np.maximum(path**2 @ curvature.numpy(), 1e-30)
                for name, path in lines.items()
            }
            views: dict[str, View] = {
                "valley": Field(
                    height, EXTENT, lines, f"a valley of condition number {kappa:.3g}",
                    contours=True, xlabel="w₁, flat", ylabel="w₂, steep",
                ),
                "loss": Curve(
                    np.arange(step + 1), losses, ylabel="loss", log=True, title="on the way"
                ),
                "scaling": scaling(),
            }  # fmt: skip
            facts = {
                "loss of the ball": float(losses["ball"][-1]),
                "loss of plain descent": float(losses["plain"][-1]),
                "limit of the rate 2(1 + β)/L": 2 * (1 + beta),
            }
            changes = yield Frame(step, steps, views, facts)
            beta = float((changes or {}).get("beta", beta))  # type: ignore[arg-type]
            rate = float((changes or {}).get("rate", rate))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """Steps to a millionth at the best settings; the update is torch's."""
    for kappa, plain, ball in ((10, 71, 27), (100, 709, 95), (1000, 7082, 321)):
        yield near(f"κ = {kappa}: steps of plain descent", steps_needed(kappa, False), plain, 2)
        yield near(f"κ = {kappa}: steps of the heavy ball", steps_needed(kappa, True), ball, 2)
    speed_up = [steps_needed(k, False) / steps_needed(k, True) for k in (10, 1000)]
    slope = math.log(speed_up[1] / speed_up[0]) / math.log(100)
    yield near("Speed-up grows like κ to the power", slope, 0.5, 0.1)

    w, theirs = torch.tensor(START), torch.tensor(START)  # torch changes its own in place
    memory, buffers = Memory(), list[torch.Tensor | None]([None])
    for _ in range(100):
        w, memory = momentum(w, torch.sin(w), memory, learning_rate=0.1, beta=0.9)
        torch_sgd(
            [theirs], [torch.sin(theirs)], buffers, lr=0.1, momentum=0.9,
            dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False,
        )  # fmt: skip
    yield below("100 steps: distance to torch.optim's SGD", (w - theirs).norm().item(), 1e-6)
