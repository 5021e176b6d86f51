"""Learning-rate schedules: stride first, then tiptoe.

With gradients known only up to noise, a constant rate never arrives: on `½ w²` with noise of
variance 1 it ends in a ball of variance `η / (2 − η)` a coordinate. A large rate travels fast and
keeps a large ball; a small one the reverse. A schedule takes both: large while far, small at the
end. Step decay cuts it now and then, cosine lets it glide, `η ½ (1 + cos π t/T)`; warm restarts
begin the glide again, one-cycle rises first, the inverse root fades slowly.

**Try:** step through the schedules and watch the cloud shrink; then draw your own.

Source: Loshchilov & Hutter (2017), SGDR: Stochastic gradient descent with warm restarts;
Smith (2017), Cyclical learning rates for training neural networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Numbers,
    Question,
    Slider,
    above,
    below,
    lab,
    near,
    ticks,
)
from engine.views import Array, Curve, Field, Frame, Points, View

EXTENT = (-3.0, 3.0, -3.0, 3.0)
OWN = [0.2, 0.6, 1.0, 1.0, 0.6, 0.3, 0.1, 0.02]

# each gives the share of the rate at step t of T
SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": lambda t, T: 1.0,  # noqa: ARG005
    "step decay": lambda t, T: 0.1 ** math.floor(3 * t / T),
    "cosine": lambda t, T: 0.5 * (1 + math.cos(math.pi * t / T)),
    "warm restarts": lambda t, T: 0.5 * (1 + math.cos(math.pi * ((3 * t / T) % 1))),
    "one-cycle": lambda t, T: t / (0.3 * T) if t < 0.3 * T else (1 - t / T) / 0.7,
    "inverse root": lambda t, T: math.sqrt(1 / (1 + 20 * t / T)),
    # the Transformer's: rises over the first tenth, then falls like 1/√t
    "Noam": lambda t, T: min((t + 1) / (0.1 * T), math.sqrt(0.1 * T / (t + 1))),
}


def share(schedule: str, t: float, T: float, own: list[float]) -> float:
    """Of the learning rate, at step t of T; `own` is drawn by its heights at even distances."""
    if schedule in SCHEDULES:
        return SCHEDULES[schedule](t, T)
    return float(np.interp(t / T, np.linspace(0, 1, len(own)), own))


def step_of(w: Array, rate: float, generator: np.random.Generator) -> Array:
    """Noisy descent on `½ ‖w‖²`: the gradient is w plus noise of variance 1, any shape."""
    return np.asarray(w - rate * (w + generator.standard_normal(w.shape)))


def final_variance(schedule: str, rate: float, steps: int, seed: int = 0) -> float:
    """Mean square of a coordinate at the end, over 4000 walkers."""
    generator, w = np.random.default_rng(seed), np.full(4000, 2.0)
    for t in range(steps):
        w = step_of(w, rate * share(schedule, t, steps, OWN), generator)
    return float((w**2).mean())


@lab(
    covers=["lr-schedules"],
    seconds=2,
    quick={"steps": 20},
    tries={
        "Never arrive": {"schedule": "constant"},
        "Warm restarts": {"schedule": "warm restarts"},
        "Draw your own": {"schedule": "your own"},
    },
    question=Question(
        "A constant rate of 0.1, noisy gradients, a million steps. Where does it end?",
        ("At the minimum", "In a ball around it that no longer shrinks"),
        1,
        "Each step adds noise of variance η² and removes about 2η of what is there: they balance "
        "at η/(2 − η).",
    ),
    needs=["gd-variants", "gradient-descent-stability"],
)
def run(
    schedule: Annotated[
        str, Choice((*SCHEDULES, "your own"), help="How the rate changes", live=True)
    ] = "cosine",
    rate: Annotated[
        float, Slider(0.01, 1.0, log=True, help="A larger rate throughout", live=True)
    ] = 0.3,
    own: Annotated[
        list[float], Numbers(8, 0, 1, help="Your own schedule, from start to end", live=True)
    ] = OWN,
    steps: Annotated[int, Slider(20, 1000, help="A longer walk")] = 300,
) -> Frames:
    """Four hundred walkers at once on one noisy bowl; rate and schedule may change midway."""
    generator, w = np.random.default_rng(0), np.full((400, 2), 2.2)
    axis = np.linspace(-3, 3, 61)
    bowl = 0.5 * (axis**2 + axis[:, None] ** 2)
    rates, losses, kept = list[float](), [4.84], list[float]()
    for step, show in ticks(steps, 150):
        now = rate * share(schedule, step - 1, steps, own)
        w = step_of(w, now, generator)
        rates.append(now)
        losses.append(float(0.5 * (w**2).sum(axis=1).mean()))
        kept.append(now / (2 - now))  # loss of the ball: two coordinates, half the square
        if show:
            x = np.arange(1, step + 1)
            plan = np.array([rate * share(schedule, t, steps, own) for t in range(steps)])
            views: dict[str, View] = {
                "cloud": Field(
                    bowl, EXTENT, title="400 walkers on one bowl: the noise ball",
                    points=Points(np.clip(w, -3, 3), xlabel="w₁", ylabel="w₂"),
                    contours=True, xlabel="w₁", ylabel="w₂",
                ),
                "rate": Curve(
                    np.arange(steps), {"plan": plan}, ylabel="learning rate",
                    marks={"now": step}, title=schedule,
                ),
                "loss": Curve(
                    x, {"mean loss": np.array(losses[1:]),
                        "ball of this rate, at rest": np.maximum(np.array(kept), 1e-8)},
                    ylabel="loss", log=True, title="the loss, and where this rate would rest",
                ),
            }  # fmt: skip
            facts = {"variance a coordinate": float((w**2).mean()), "rate": now}
            changes = dict((yield Frame(step, steps, views, facts)) or {})
            schedule = str(changes.get("schedule", schedule))
            rate = float(changes.get("rate", rate))  # type: ignore[arg-type]
            own = changes.get("own", own)  # type: ignore[assignment]


def with_torch(T: int) -> Array:
    """The rates of torch's cosine schedule for a rate of 1, `(T,)`, from its recurrence."""
    import torch

    weight = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=T)
    rates = []
    for _ in range(T):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return np.array(rates)


def check() -> Iterator[Claim]:
    """The ball of a constant rate has the predicted size; schedules shrink it."""
    constant = final_variance("constant", 0.1, 300)
    yield near("Constant rate 0.1: variance against η/(2 − η), relative", constant * 19, 1, 0.05)
    for schedule in ("step decay", "cosine"):
        smaller = constant / final_variance(schedule, 0.1, 1000)
        yield above(f"{schedule}: smaller, times", smaller, 10)
    T = 100
    ours = np.array([share("cosine", t, T, OWN) for t in range(T)])
    closed = 0.5 * (1 + np.cos(np.pi * np.arange(T) / T))
    yield below("Cosine against its formula", np.abs(ours - closed).max(), 1e-12)
    yield below("Cosine against torch's", np.abs(ours - with_torch(T)).max(), 1e-12)
