"""AdaGrad: rare features take larger steps.

Words are rare or frequent, and one learning rate cannot suit both. AdaGrad gives each weight its
own: it adds up the squares of all its gradients, `v ← v + g²`, and divides by the root,
`w ← w − η g / √v`. A feature seen often has a large `v` and moves little; one seen a hundred times
less still learns when it comes. The price: `v` only grows. Under a constant gradient step `t` is
`η/√t`, so AdaGrad slows down whether or not it has arrived.

**Try:** make the second feature rarer. SGD has the rate that is best for the frequent one.

Source: Duchi, Hazan & Singer (2011), Adaptive subgradient methods for online learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, near, ticks
from engine.optimisers import Memory, adagrad, sgd
from engine.views import Array, Curve, Field, Frame, View

TARGET = (1.0, 1.0)  # what both weights should become
EXTENT = (-0.2, 1.4, -0.2, 1.4)
NAMES = ("frequent", "rare")
SIZE = (5.0, 1.0)  # of the features: the frequent one is also the larger, so its valley is steep
SGD_RATE = 1 / SIZE[0] ** 2  # the best for the frequent feature; beyond twice that SGD diverges


def gradient(w: torch.Tensor, step: int, every: int) -> torch.Tensor:
    """Slope of `½ (x (w − 1))²` in the features x of this step, `(2,)`; the second is often 0."""
    x = torch.tensor([SIZE[0], SIZE[1] * (step % every == 0)], dtype=torch.float64)
    return x**2 * (w - torch.tensor(TARGET, dtype=torch.float64))


def steps_on_a_ramp(every: int, steps: int, rate: float = 1.0) -> Array:
    """How far AdaGrad moves each weight at each step if each gradient seen is 1: `(steps, 2)`."""
    w, memory, places = torch.zeros(2, dtype=torch.float64), Memory(), [np.zeros(2)]
    for step in range(1, steps + 1):
        g = torch.tensor([1.0, float(step % every == 0)], dtype=torch.float64)
        w, memory = adagrad(w, g, memory, learning_rate=rate)
        places.append(w.numpy())
    return -np.diff(np.array(places), axis=0)


@lab(
    covers=["adagrad"],
    seconds=1,
    quick={"steps": 10},
    tries={
        "Once in a hundred": {"every": 100, "steps": 1000},
        "Both as frequent": {"every": 1},
        "A timid rate": {"rate": 0.02},
    },
    question=Question(
        "A weight's gradient is 1 at every step. How large is AdaGrad's hundredth step?",
        ("As large as the first", "A tenth of it", "A hundredth of it"),
        1,
        "After 100 gradients v = 100, and the step is η/√100.",
    ),
    needs=["gd-variants"],
)
def run(
    every: Annotated[int, Slider(1, 100, log=True, help="The second feature is rarer")] = 20,
    rate: Annotated[
        float, Slider(0.005, 1.0, log=True, help="Longer steps of AdaGrad", live=True)
    ] = 0.3,
    steps: Annotated[int, Slider(10, 2000, log=True, help="A longer walk")] = 400,
) -> Frames:
    """Two weights, one of them seldom trained, by SGD and by AdaGrad."""
    places = np.meshgrid(np.linspace(*EXTENT[:2], 60), np.linspace(*EXTENT[2:], 60))
    first, second = ((axis - 1) ** 2 for axis in places)
    height = 0.5 * (SIZE[0] ** 2 * first + SIZE[1] ** 2 * second / every)
    plain = adapted = torch.zeros(2, dtype=torch.float64)
    memory, sums, rates = Memory(), [np.zeros(2)], [np.full(2, np.nan)]
    paths = {"SGD": [plain.numpy()], "AdaGrad": [adapted.numpy()]}
    for step, show in ticks(steps, 100):
        plain, _ = sgd(plain, gradient(plain, step, every), Memory(), learning_rate=SGD_RATE)
        g = gradient(adapted, step, every)
        adapted, memory = adagrad(adapted, g, memory, learning_rate=rate)
        v = torch.as_tensor(memory.v).numpy()
        sums.append(v)
        rates.append(rate / np.sqrt(np.where(v > 0, v, np.nan)))
        paths["SGD"].append(plain.numpy())
        paths["AdaGrad"].append(adapted.numpy())
        if show:
            lines = {name: np.array(path) for name, path in paths.items()}
            views: dict[str, View] = {
                "paths": Field(
                    height, EXTENT, lines, "mean loss: the rare feature's valley is flat",
                    contours=True, xlabel="weight of the frequent feature",
                    ylabel="weight of the rare feature",
                ),
                "rates": Curve(
                    np.arange(step + 1), dict(zip(NAMES, np.array(rates).T, strict=True)),
                    ylabel="η / √v", log=True, title="effective learning rate of AdaGrad",
                ),
                "sums": Curve(
                    np.arange(step + 1), dict(zip(NAMES, np.array(sums).T, strict=True)),
                    ylabel="v, sum of squared gradients", title="the accumulators",
                ),
            }  # fmt: skip
            facts = {
                "rare weight by SGD": plain[1].item(),
                "rare weight by AdaGrad": adapted[1].item(),
                "target": 1.0,
            }
            changes = yield Frame(step, steps, views, facts)
            rate = float((changes or {}).get("rate", rate))  # type: ignore[arg-type]


def check() -> Iterator[Claim]:
    """Under a constant gradient step t is η/√t, and a rare feature moves more when it is seen."""
    moves = steps_on_a_ramp(every=100, steps=1000)
    exact = 1 / np.sqrt(np.arange(1, 1001))
    yield below("Largest distance of step t to η/√t", np.abs(moves[:, 0] - exact).max(), 1e-9)
    yield near("Step 100 over step 1", moves[99, 0] / moves[0, 0], 0.1, 1e-9)
    seen = moves[99::100, 1]
    ratio = float(seen.mean() / moves[:, 0].mean())
    yield above("Mean move when seen, once in 100 steps against always", ratio, 5)
