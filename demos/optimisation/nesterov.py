"""Nesterov: look before you roll.

A heavy ball takes the gradient where it is, then rolls on: `m ← β m + ∇f(w)`. Nesterov first
looks where the momentum will carry it, `∇f(w − η β m)`, and so brakes before the slope turns
against it. The difference is one argument, but it buys a guarantee: on the convex function drawn
here the ball with Polyak's best settings for `μ = 1`, `L = 25` circles for ever through three
points, while Nesterov's method reaches the minimum from anywhere.

**Try:** drag the start: from many places the ball ends in the same cycle, from some it escapes.

Source: Nesterov (1983), A method for solving the convex programming problem;
Lessard, Recht & Packard (2016), Analysis and design of optimization algorithms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch.optim.sgd import sgd as torch_sgd

from demos.kit import Claim, Frames, Question, Slider, below, interactive, lab, near
from engine.optimisers import Memory, momentum, nesterov
from engine.views import Array, Arrows, Curve, Frame, Points, View

BALL = {"learning_rate": 1 / 9, "beta": 4 / 9}  # Polyak's best for curvatures 1 to 25
LOOKING = {"learning_rate": 1 / 25, "beta": 2 / 3}  # Nesterov's
CYCLE = (-1.8024, 0.6465, 2.1159)


def function(x: Array) -> Array:
    """Lessard's function, convex with curvatures 25, 1 and 25 from left to right; any shape."""
    pieces = [12.5 * x**2, 0.5 * x**2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36]
    return np.asarray(np.select([x < 1, x < 2], pieces[:2], pieces[2]))


def slope(x: torch.Tensor) -> torch.Tensor:
    """Its derivative, same shape."""
    return torch.where(x < 1, 25 * x, torch.where(x < 2, x + 24, 25 * x - 24))


def roll(start: float, steps: int) -> tuple[Array, Array]:
    """Places of the ball and of Nesterov's method, `(steps + 1,)` each.

    Nesterov's rule keeps the place looked ahead to, so its gradient is taken there.
    """
    places = []
    for rule, settings in ((momentum, BALL), (nesterov, LOOKING)):
        x, memory = torch.tensor(start, dtype=torch.float64), Memory()
        walk = [start]
        for _ in range(steps):
            x, memory = rule(x, slope(x), memory, **settings)
            walk.append(x.item())
        places.append(np.array(walk))
    return places[0], places[1]


def look_ahead(steps: int) -> Arrows:
    """The last step of both in a valley: momentum, then the gradient here or where it leads."""
    curvature, rate, beta = torch.tensor([0.1, 2.0]), 0.3, 0.85
    w, m = torch.tensor([-2.5, 1.2]), torch.zeros(2)
    walk, before, last = [w], w, m
    for _ in range(min(steps, 12)):
        before, last = w, m
        m = beta * m + curvature * (w - rate * beta * m)
        w = w - rate * m
        walk.append(w)
    roll_on = -rate * beta * last
    ahead = before + roll_on
    here, there = -rate * curvature * before, -rate * curvature * ahead
    at, vectors = torch.stack([before, ahead, ahead]), torch.stack([roll_on, here, there])
    return Arrows(
        at.numpy(), vectors.numpy(), (-3, 3, -2, 2),
        ("momentum", "ball: slope at the start", "Nesterov: slope ahead"),
        {"path": torch.stack(walk).numpy()}, xlabel="w₁, flat", ylabel="w₂, steep",
        title="the look-ahead: which slope is added to the momentum",
    )  # fmt: skip


def picture(step: int, start: float) -> Frame:
    """Where both are after `step` steps from `start`."""
    ball, looking = (walk[: step + 1] for walk in roll(start, 100))
    x = np.linspace(-4, 4, 161)
    views: dict[str, View] = {
        "function": Points(
            np.stack([np.concatenate([ball, looking]),
                      function(np.concatenate([ball, looking]))], axis=1),
            np.repeat(np.array([0, 1], np.int32), step + 1), ("heavy ball", "Nesterov"),
            {"f": np.stack([x, function(x)], axis=1)}, (-4, 4, -10, 200),
            "x", "f(x)", title="a convex function on which a ball can circle for ever",
        ),
        "places": Curve(
            np.arange(step + 1), {"heavy ball": ball, "Nesterov": looking}, ylabel="x",
            dots=True, title="three places, again and again",
        ),
        "distance": Curve(
            np.arange(step + 1),
            {"heavy ball": np.abs(ball) + 1e-16, "Nesterov": np.abs(looking) + 1e-16},
            ylabel="distance |x|", log=True, title="distance to the minimum",
        ),
        "look ahead": look_ahead(step),
    }  # fmt: skip
    facts = {"x of the ball": float(ball[-1]), "x of Nesterov": float(looking[-1])}
    return Frame(step, 100, views, facts)


@lab(
    covers=["nesterov"],
    seconds=1,
    quick={"step": 5},
    tries={
        "Into the cycle": {"start": 3.3},
        "A start that escapes": {"start": 0.5},
        "The first ten steps": {"start": 3.3, "step": 10},
    },
    question=Question(
        "f is convex with one minimum. Can a ball with the best friction for its curvatures miss "
        "it for ever?",
        ("No, f only falls", "Yes"),
        1,
        "Polyak's settings are proved best for quadratics only. Here the curvature changes under "
        "the ball in step with its swing.",
    ),
    needs=["momentum"],
)
def run(
    step: Annotated[int, Slider(1, 100, help="Later in the walk", live=True)] = 60,
    start: Annotated[float, Slider(-4.0, 4.0, help="Further to the right", live=True)] = 3.3,
) -> Frames:
    """Play the walk up to `step`, then answer to every change."""
    for done in range(1, step):
        yield picture(done, start)
    yield from interactive(picture, step=step, start=start)


def check() -> Iterator[Claim]:
    """The ball's cycle, Nesterov's minimum, and torch's update."""
    ball, looking = roll(3.3, 300)
    for place, expected in zip(sorted(ball[-3:]), CYCLE, strict=True):
        yield near("The ball's cycle from 3.3 goes through", place, expected, 1e-3)
    period = float(np.abs(ball[-30:-3] - ball[-27:]).max())
    yield below("and comes back every three steps, to", period, 1e-9)
    yield below("Nesterov after 300 steps: |x|", abs(looking[-1]), 1e-8)

    theirs, gaps = torch.tensor(3.3, dtype=torch.float64), []
    buffers = list[torch.Tensor | None]([None])
    for place in looking[1:101]:
        torch_sgd(
            [theirs], [slope(theirs)], buffers, lr=1 / 25, momentum=2 / 3,
            dampening=0.0, weight_decay=0.0, nesterov=True, maximize=False,
        )  # fmt: skip
        gaps.append(abs(theirs.item() - place))
    yield below("100 steps: distance to torch's SGD(nesterov=True)", max(gaps), 1e-12)
