"""Gradient clipping: stay on the road at a cliff.

Deep and recurrent networks have cliffs in their loss: places where it rises so steeply that one
gradient step throws the weights far away. Clipping keeps the direction of the gradient and limits
its length: `g ← g · min(1, c / ‖g‖)`. Steps on gentle slopes are untouched. The cliff here is
`(w²⁰ − ½)²`, the loss of a weight used twenty times in a row, with its minimum at
`w = ½^(1/20) = 0.966`.

**Try:** move the start to the right, up the cliff, without clipping: where does the first step go?

Source: Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Numbers, Question, Slider, above, below, lab, near, ticks
from engine.views import Array, Arrows, Curve, Frame, Points, View

MINIMUM = 0.5 ** (1 / 20)
RATE = 0.004
ARROW = [3.0, 4.0]


def loss(w: float) -> float:
    """`(w²⁰ − ½)²`, or infinity where no float can hold it."""
    return (w**20 - 0.5) ** 2 if abs(w) < 1e7 else math.inf


def slope(w: float) -> float:
    """Its derivative, `40 w¹⁹ (w²⁰ − ½)`."""
    return 40 * w**19 * (w**20 - 0.5)


def clip(g: Array, limit: float) -> Array:
    """The gradient with its length cut to `limit`, its direction kept; any shape."""
    norm = float(np.linalg.norm(g))
    return np.asarray(g * min(1.0, limit / norm) if norm > 0 else g)


def walk(start: float, limit: float, steps: int) -> Array:
    """Places of gradient descent; it ends where the loss passes 1e12: `(at most steps + 1,)`."""
    places = [start]
    while len(places) <= steps and loss(places[-1]) < 1e12:
        g = clip(np.array([slope(places[-1])]), limit)
        places.append(float(places[-1] - RATE * g[0]))
    return np.array(places)


def directions(gradient: list[float], limit: float) -> Arrows:
    """A gradient of two weights before and after clipping, and the circle it must stay in."""
    g = np.array(gradient)
    angle = np.linspace(0, 2 * np.pi, 65)
    circle = limit * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Arrows(
        np.zeros((2, 2)), np.stack([g, clip(g, limit)]), (-6, 6, -6, 6), ("gradient", "clipped"),
        {"length c": circle}, xlabel="∂L/∂w₁", ylabel="∂L/∂w₂",
        title="clipping shortens, it does not turn",
    )  # fmt: skip


def picture(step: int, steps: int, start: float, limit: float, gradient: list[float]) -> Frame:
    """Both walks up to a step, the unclipped jump to scale, and the clipped arrow."""
    clipped, free = walk(start, limit, step), walk(start, math.inf, step)
    w = np.linspace(0.5, 1.3, 161)
    reach = float(max(1.5, np.abs(free[np.abs(free) < 1e7]).max()))
    jump = np.minimum(np.abs(free), 1e9)
    heights = np.array([min(loss(place), 1e12) for place in clipped])
    wild = np.array([min(loss(place), 1e12) for place in free])
    views: dict[str, View] = {
        "cliff": Points(
            np.stack([np.clip(clipped, 0.4, 1.35), np.minimum(heights, 80)], axis=1),
            lines={"loss": np.stack([w, np.minimum((w**20 - 0.5) ** 2, 80)], axis=1)},
            extent=(0.4, 1.35, -2, 80), xlabel="weight w", ylabel="loss",
            title="the clipped walk down the cliff",
        ),
        "jump": Curve(
            np.arange(len(free)), {"without clipping": jump,
                                   "cliff and minimum lie within": np.full(len(free), 1.3)},
            "step", "distance |w| from 0", log=True, dots=True,
            title=f"the unclipped jump, to scale: it lands {reach:.3g} away",
        ),
        "loss": Curve(
            np.arange(step + 1),
            {"clipped": np.maximum(heights, 1e-16),
             "without clipping": np.pad(wild, (0, step + 1 - len(wild)),
                                        constant_values=np.nan) + 1e-16},
            ylabel="loss", log=True, title="loss; a line ends where it left the picture",
        ),
        "direction": directions(gradient, limit),
    }  # fmt: skip
    facts = {"w, clipped": float(clipped[-1]), "first gradient": slope(start)}
    return Frame(step, steps, views, facts)


@lab(
    covers=["gradient-clipping"],
    seconds=1,
    quick={"steps": 5},
    tries={
        "On the gentle side": {"start": 0.7},
        "High up the cliff": {"start": 1.25},
        "A looser limit": {"limit": 20.0},
    },
    question=Question(
        "w = 1.25, gradient 239,000, rate 0.004. Where does one unclipped step land?",
        ("Near the minimum at 0.966", "About −956", "It stops at the cliff's foot"),
        1,
        "1.25 − 0.004 · 239,000 = −955, and the next step is astronomically longer.",
    ),
    needs=["vanishing-exploding-gradients", "gradient-descent-stability"],
)
def run(
    start: Annotated[float, Slider(0.6, 1.3, help="Further up the cliff", live=True)] = 1.25,
    limit: Annotated[
        float, Slider(0.05, 50.0, log=True, help="A looser limit c on the length", live=True)
    ] = 1.0,
    gradient: Annotated[
        list[float], Numbers(2, -6, 6, ("∂L/∂w₁", "∂L/∂w₂"), across=2, live=True)
    ] = ARROW,
    steps: Annotated[int, Slider(5, 300, help="A longer walk")] = 150,
) -> Frames:
    """Descend with and without clipping; start and limit may change midway."""
    for step, show in ticks(steps, 75):
        if show:
            changes = dict((yield picture(step, steps, start, limit, gradient)) or {})
            start = float(changes.get("start", start))  # type: ignore[arg-type]
            limit = float(changes.get("limit", limit))  # type: ignore[arg-type]
            gradient = changes.get("gradient", gradient)  # type: ignore[assignment]


def check() -> Iterator[Claim]:
    """Clipping keeps the direction and the limit; it saves the walk at the cliff."""
    generator = np.random.default_rng(0)
    cosines, norms, gaps = [], [], []
    for scale in 10.0 ** np.arange(-3, 7):
        g = scale * generator.standard_normal(50)
        short = clip(g, 1.0)
        cosines.append(g @ short / np.linalg.norm(g) / np.linalg.norm(short))
        norms.append(float(np.linalg.norm(short)))
        theirs = torch.zeros(50, dtype=torch.float64, requires_grad=True)
        theirs.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        gaps.append(np.abs(theirs.grad.numpy() - short).max())
    yield above("Cosine between a gradient and its clipped self, least", min(cosines), 1 - 1e-9)
    yield below("Longest clipped gradient, limit 1", max(norms), 1 + 1e-12)
    yield below("Distance to torch's clip_grad_norm_", max(gaps), 1e-5)
    free = walk(1.25, math.inf, 2)
    yield above("Without clipping: loss after at most 2 steps from 1.25", loss(free[-1]), 1e6)
    yield near("Clipped to 1: w after 300 steps", walk(1.25, 1.0, 300)[-1], MINIMUM, 1e-4)
    yield near("The minimum ½^(1/20)", MINIMUM, 0.96594, 1e-4)
