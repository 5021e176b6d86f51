"""Width bends, depth folds.

A hidden ReLU layer of `w` units draws a line with at most `w` bends, and with enough of them it
comes as close to any continuous curve as you like. But depth multiplies: a tent
`t(x) = 2 min(x, 1 − x)` folds the interval in half, and folding `k` times makes `2ᵏ` straight
pieces out of `3k` units. One layer would need `2ᵏ − 1` units for the same zigzag.

**Try:** choose your own curve and move its points: which corners can four units not reach?

Source: Cybenko (1989), Superpositions of a sigmoidal function; Telgarsky (2016), Benefits of depth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Numbers,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    same,
)
from engine.optimisers import Memory, adam
from engine.views import Array, Curve, Frame, View

X = np.linspace(-2.8 * np.pi, 2.8 * np.pi, 401)  # sin(2x) has twelve crests and troughs here
OWN = [0.0, 0.8, -0.6, 1.0, -1.0, 0.4, 0.9, -0.8]
TARGETS = ("sin(2x)", "a step", "|x|", "your curve")


def tent(x: Array) -> Array:
    """`2 min(x, 1 − x)` out of three ReLUs: `2 r(x) − 4 r(x − ½) + 2 r(x − 1)`."""
    return np.asarray(2 * _relu(x) - 4 * _relu(x - 0.5) + 2 * _relu(x - 1))


def folded(x: Array, times: int) -> Array:
    """The tent of the tent of ... `x`."""
    for _ in range(times):
        x = tent(x)
    return x


def shallow(x: Array, hinges: Array, steps: Array) -> Array:
    """A hidden ReLU layer on a line: `Σ sᵢ r(x − cᵢ)`, `(n,)`."""
    return np.asarray(_relu(x[:, None] - hinges) @ steps)


def pieces(x: Array, y: Array) -> int:
    """How many straight pieces the samples of a curve show: stretches of one slope."""
    slopes = np.diff(y) / np.diff(x)
    straight = np.abs(np.diff(slopes)) < 1e-6 * (1 + np.abs(slopes[1:]))
    return int(straight[0]) + int((straight[1:] & ~straight[:-1]).sum())


def target(name: str, own: list[float]) -> Array:
    """The curve to be fitted, at `X`, `(401,)`."""
    known = {"sin(2x)": np.sin(2 * X), "a step": np.sign(X), "|x|": np.abs(X) / 4 - 1}
    return np.asarray(known.get(name, np.interp(X, np.linspace(X[0], X[-1], len(own)), own)))


class Fit:
    """A layer of ReLU units fitted to a curve `y`, `(401,)`.

    It begins with even bends and the output weights that fit best; then Adam moves everything.
    """

    def __init__(self, y: Array, width: int, seed: int) -> None:
        shift = np.random.default_rng(seed).uniform(0, 0.3)
        hinges = X[0] + (X[-1] - X[0]) * (np.arange(width) + shift) / width
        ready = np.concatenate([_relu(X[:, None] - hinges), np.ones((len(X), 1))], axis=1)
        best = np.linalg.lstsq(ready, y, rcond=None)[0]
        w = np.concatenate([np.ones(width), -hinges, best])
        self.x, self.y, self.w = (torch.from_numpy(one).float() for one in (X, y, w))
        self.memory = Memory()

    def output(self, w: torch.Tensor) -> torch.Tensor:
        """`Σ vᵢ r(aᵢ x + bᵢ) + c` at `X`, `(401,)`."""
        a, b, v = w[:-1].view(3, -1)
        return torch.mv(torch.relu(self.x[:, None] * a + b), v) + w[-1]

    def learn(self, rate: float = 0.01) -> None:
        """One step down the mean squared error over all of `X`."""
        w = self.w.requires_grad_()
        (slope,) = torch.autograd.grad(((self.output(w) - self.y) ** 2).mean(), w)
        self.w, self.memory = adam(self.w.detach(), slope, self.memory, rate)

    def error(self) -> float:
        """The largest distance from the curve."""
        return float((self.output(self.w) - self.y).abs().max())


@lab(
    covers=["universal-approximation"],
    seconds=6,
    quick={"steps": 100},
    tries={
        "Four units": {"width": 4},
        "64 units": {"width": 64},
        "A cliff": {"curve": "a step", "width": 16},
    },
    question=Question(
        "Ten tents in a row use 30 ReLUs. How many straight pieces does their zigzag have?",
        ("31", "300", "1,024"),
        2,
        "Each tent doubles the pieces. A single layer of 30 ReLUs draws at most 31.",
    ),
    needs=["mlp"],
)
def run(
    curve: Annotated[str, Choice(TARGETS)] = "sin(2x)",
    own: Annotated[
        list[float], Numbers(8, -1.5, 1.5, across=8, help="Heights of your curve")
    ] = OWN,
    width: Annotated[int, Slider(1, 64, log=True, help="More hidden units")] = 16,
    folds: Annotated[int, Slider(0, 8, help="More tents in a row", live=True)] = 3,
    steps: Annotated[int, Slider(100, 3000, log=True, help="Train longer")] = 1500,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Fit the curve with one layer while tents fold a line beside it."""
    fit = Fit(target(curve, own), width, seed)
    for step in range(1, steps + 1):
        fit.learn()
        if step % 10 == 0:
            changes = yield _frame(step, steps, fit, folds)
            folds = int((changes or {}).get("folds", folds))  # type: ignore[arg-type]
    yield from interactive(lambda folds: _frame(steps, steps, fit, folds), folds=folds)


def _frame(step: int, of: int, fit: Fit, folds: int) -> Frame:
    with torch.no_grad():
        a, b, v = (part.numpy() for part in fit.w[:-1].view(3, -1))
        drawn = fit.output(fit.w).numpy()
    hinges = np.sort((-b / np.where(np.abs(a) > 1e-6, a, 1e-6)).astype(float))
    marks = {f"bend {i + 1}": float(h) for i, h in enumerate(hinges[np.abs(hinges) < X[-1]][:16])}
    units = {f"unit {i + 1}": v[i] * _relu(a[i] * X + b[i]) for i in np.argsort(-np.abs(v))[:8]}
    t, counts = np.linspace(0, 1, 1025), np.arange(1, 9)
    lines = {"folded: 3 units a layer": 2.0**counts, "one layer of as many units": 3.0 * counts + 1}
    name, title = f"{folds} tents in a row", f"folded {folds} times: {2**folds} pieces"
    fitted = {"curve": fit.y.numpy(), "network": drawn}
    views: dict[str, View] = {
        "fit": Curve(X, fitted, "x", "y", marks=marks, title="one hidden layer: a bend a unit"),
        "units": Curve(X, units, "x", "v · ReLU(a x + b)", title="its eight largest units"),
        "fold": Curve(t, {name: folded(t, folds)}, "x", "height", title=title),
        "pieces": Curve(
            3.0 * counts, lines, "ReLUs", "straight pieces", True, title="width or depth"
        ),
    }
    facts = {"largest error": fit.error(), "pieces of the fold": float(2**folds)}
    return Frame(step, of, views, facts)


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def check() -> Iterator[Claim]:
    """Folding doubles the pieces, width adds them, and width buys accuracy."""
    t = np.linspace(0, 1, 1025)
    counted = [pieces(t, folded(t, k)) for k in range(1, 9)]
    yield same(
        "Straight pieces of k = 1..8 tents in a row", str(counted), str([2**k for k in range(1, 9)])
    )
    random, x, most = np.random.default_rng(0), np.linspace(-1, 1, 200_001), 0
    for _ in range(5):
        most = max(most, pieces(x, shallow(x, random.uniform(-1, 1, 64), random.normal(size=64))))
    yield below("Straight pieces of one layer of 64 ReLUs, most of 5 random ones", most, 65)
    # Twelve extremes, five pieces: one piece must pass three of them, +1, −1, +1, and misses one
    # of those by 1. So no training of four units can do better.
    few, many = (_trained(width, steps) for width, steps in ((4, 500), (64, 200)))
    yield above("sin(2x) with 4 units: largest error, best of 3 fits", min(few), 0.9)
    yield below("sin(2x) with 64 units: largest error, worst of 3 fits", max(many), 0.3)


def _trained(width: int, steps: int) -> list[float]:
    fits = [Fit(target("sin(2x)", OWN), width, seed) for seed in range(3)]
    for fit in fits:
        for _ in range(steps):
            fit.learn()
    return [fit.error() for fit in fits]
