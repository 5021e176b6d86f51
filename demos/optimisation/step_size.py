"""How large a step?

Gradient descent moves a point against the slope of a loss, `w ← w − η ∇L(w)`. On a quadratic
with curvatures `λ` the theory is exact: along each direction the error is multiplied by
`1 − η λ` at every step, so the walk converges just when the learning rate `η < 2/λ_max`.
In a long valley one `η` must serve a steep and a flat direction; the best compromise
`η = 2/(λ_min + λ_max)` shrinks both by `(κ − 1)/(κ + 1)`, with `κ = λ_max/λ_min`.

**Try:** turn the rate up until the path crosses the valley, then just past the limit.

Source: Boyd & Vandenberghe (2004), Convex Optimization, section 9.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, near, ticks
from engine.views import Curve, Field, Frame, View

START = (-2.5, 1.6)
EXTENT = (-3.0, 3.0, -2.0, 2.0)  # left, right, bottom, top


def loss(w: torch.Tensor, curvature: torch.Tensor) -> torch.Tensor:
    """Half the curvature-weighted square of w: `(..., 2)` and `(2,)` to `(...)`."""
    return 0.5 * (curvature * w**2).sum(-1)


def descend(w: torch.Tensor, curvature: torch.Tensor, rate: float) -> torch.Tensor:
    """One step of gradient descent from `w`, `(2,)`."""
    w = w.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(w, curvature), w)
    return (w - rate * slope).detach()


@lab(
    covers=["gradient-descent-stability"],
    seconds=1,
    quick={"steps": 8},
    tries={
        "Cross the valley": {"rate": 0.19, "steepest": 10.0},
        "Just past the limit": {"rate": 0.201, "steepest": 10.0},
        "The best compromise": {"rate": 2 / 11, "steepest": 10.0},
    },
    question=Question(
        "The steepest curvature is 10. What happens at a learning rate of 0.201?",
        ("It converges, slowly", "It circles for ever", "It diverges"),
        2,
        "The steep direction is multiplied by 1 − 0.201 · 10 = −1.01 each step: a little "
        "more every time.",
    ),
    needs=["gradients-hessian"],
)
def run(
    rate: Annotated[float, Slider(0.005, 0.5, help="Longer steps", live=True)] = 0.12,
    steepest: Annotated[float, Slider(1.0, 20.0, help="A narrower valley")] = 10.0,
    steps: Annotated[int, Slider(1, 300, help="A longer walk")] = 60,
) -> Frames:
    """Walk down the surface; show the path so far and the loss along it."""
    curvature = torch.tensor([1.0, steepest], dtype=torch.float64)
    x, y = torch.linspace(*EXTENT[:2], 90), torch.linspace(*EXTENT[2:], 60)
    plane = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)  # (60, 90, 2)
    height = loss(plane, curvature).numpy()

    w = torch.tensor(START, dtype=torch.float64)
    path, losses = [w.numpy()], [loss(w, curvature).item()]
    for step, show in ticks(steps):
        w = descend(w, curvature, rate)
        path.append(w.numpy())
        losses.append(loss(w, curvature).item())
        if show:
            places, x_axis = np.array(path), np.arange(step + 1)
            sizes = np.maximum(np.abs(places), 1e-12)
            views: dict[str, View] = {
                "path": Field(
                    height, EXTENT, {"w": places}, "loss surface", contours=True,
                    xlabel="w₁, the flat direction", ylabel="w₂, the steep direction",
                ),
                "loss": Curve(
                    x_axis, {"loss": np.array(losses)}, ylabel="loss", log=True, title="the loss"
                ),
                "errors": Curve(
                    x_axis, {"|w₁|, flat": sizes[:, 0], "|w₂|, steep": sizes[:, 1]}, log=True,
                    ylabel="distance to the minimum", title="each direction has its own factor",
                ),
            }  # fmt: skip
            factors = {"flat": abs(1 - rate), "steep": abs(1 - rate * steepest)}
            facts = {"loss": losses[-1], "limit 2/λ of the rate": 2 / steepest}
            facts |= {f"factor a step, {way}": factor for way, factor in factors.items()}
            changes = yield Frame(step, steps, views, facts)
            rate = float((changes or {}).get("rate", rate))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """The limit is 2/λ, and the best step shrinks the error by (κ − 1)/(κ + 1)."""
    limit = 2 / 10
    yield below(
        f"Curvatures 1 and 10: loss after 300 steps at η = 0.199 < {limit}",
        run.last(rate=0.199, steepest=10.0, steps=300).facts["loss"],
        0.1,
    )
    yield above(
        f"Loss after 300 steps at η = 0.201 > {limit}, over the loss at the start",
        run.last(rate=0.201, steepest=10.0, steps=300).facts["loss"] / 15.925,
        10.0,
    )
    curvature = torch.tensor([1.0, 10.0], dtype=torch.float64)
    w = torch.tensor(START, dtype=torch.float64)
    for _ in range(20):
        before, w = w, descend(w, curvature, 2 / 11)
    shrink = (w.norm() / before.norm()).item()
    yield near(
        "At the best step the error shrinks per step by (κ − 1)/(κ + 1)", shrink, 9 / 11, 1e-6
    )
