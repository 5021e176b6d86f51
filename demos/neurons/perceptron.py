"""The perceptron learns from its mistakes.

A perceptron says `sign(w · x)`. Whenever it is wrong about an example with label `y = ±1`, it adds
the example to its weights, `w ← w + y x`: the line turns a little towards getting it right. If a
line with margin `γ` exists and no example is longer than `R`, Novikoff proved that it makes at most
`(R/γ)²` mistakes, whatever the order. If none exists, it never settles.

**Try:** once it has settled, click a point onto the wrong side and watch it learn on.

Source: Rosenblatt (1958), The perceptron; Novikoff (1962), On convergence proofs on perceptrons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from demos.kit import Choice, Claim, Frames, Place, Question, Slider, above, below, lab, same
from engine.views import Array, Curve, Field, Frame, Note, Points, View

EXTENT, NOWHERE = (-1.0, 1.0, -1.0, 1.0), [0.0, 0.0]
GRID = np.linspace(-1, 1, 61)
PLANE = np.stack([*np.meshgrid(GRID, GRID), np.ones((61, 61))], axis=-1)  # (61, 61, 3)
PATIENCE = 300  # mistakes before it is called hopeless
SIDES = ("orange, −1", "blue, +1")


def two_classes(points: int, gap: float, seed: int) -> tuple[Array, Array]:
    """Points `(n, 3)` as (x, y, 1), at least `gap` from a random line, and their labels ±1."""
    random = np.random.default_rng(seed)
    angle, shift = random.uniform(0, 2 * np.pi), random.uniform(-0.3, 0.3)
    truth = np.array([np.cos(angle), np.sin(angle), shift])
    x = np.concatenate([random.uniform(-1, 1, (40 * points, 2)), np.ones((40 * points, 1))], axis=1)
    x = x[np.abs(x @ truth) >= gap][:points]
    return x, np.sign(x @ truth)


def next_mistake(w: Array, x: Array, y: Array, start: int) -> int | None:
    """The first example from `start` on, going round, that `w` gets wrong; None if none."""
    wrong = np.flatnonzero(np.roll(y * (x @ w) <= 0, -start))
    return int(wrong[0] + start) % len(x) if len(wrong) else None


def mistakes(x: Array, y: Array) -> tuple[Array, int]:
    """Rosenblatt's rule until nothing is wrong: the weights, and how many mistakes it took."""
    w, count, place = np.zeros(3), 0, 0
    while (wrong := next_mistake(w, x, y, place)) is not None and count < 100_000:
        w, count, place = w + y[wrong] * x[wrong], count + 1, wrong + 1
    return w, count


def margin(x: Array, y: Array, rounds: int = 2000) -> float:
    """A margin some line through the data has; below the widest one, and near it.

    Gilbert's walk to the point nearest 0 in the hull of all `y x`: its direction is the widest
    line's. Not above 0 if the classes cannot be separated.
    """
    ends = y[:, None] * x
    w = ends[0]
    for _ in range(rounds):
        far = ends[np.argmin(ends @ w)]
        step = (w - far) @ w / max(float((w - far) @ (w - far)), 1e-12)
        w = w + min(max(step, 0.0), 1.0) * (far - w)
    return float((ends @ w).min() / max(float(np.linalg.norm(w)), 1e-12))


@lab(
    covers=["perceptron"],
    seconds=1,
    quick={"points": 12},
    tries={
        "A wide gap": {"gap": 0.3},
        "A narrow gap": {"gap": 0.02, "seed": 14},
        "Another set": {"seed": 7},
    },
    question=Question(
        "You halve the gap between the classes. How does Novikoff's bound on mistakes change?",
        ("It doubles", "It becomes four times as large", "It stays"),
        1,
        "The bound is (R/γ)²: half the margin, four times the mistakes allowed.",
    ),
    needs=["linalg-transform"],
)
def run(
    points: Annotated[int, Slider(4, 100, help="More examples")] = 40,
    gap: Annotated[float, Slider(0.01, 0.4, log=True, help="Distance kept from the line")] = 0.08,
    seed: Annotated[int, Slider(0, 99, help="Other examples")] = 9,
    add: Annotated[str, Choice(SIDES, help="Class of the points you click", live=True)] = SIDES[0],
    place: Annotated[list[float], Place(EXTENT, "plane", help="Click to add a point")] = NOWHERE,
) -> Frames:
    """Correct one mistake a frame; then wait for points clicked into the plane."""
    x, y = two_classes(points, gap, seed)
    if place != NOWHERE:
        x, y = _added(x, y, place, add)
    w, count, at = np.zeros(3), 0, 0
    while True:
        bound, wrong = _bound(x, y), next_mistake(w, x, y, at)
        while wrong is not None and count < PATIENCE:
            changes = yield _frame(w, x, y, count, bound, wrong)
            w, count, at = w + y[wrong] * x[wrong], count + 1, wrong + 1
            if changes and (add := str(changes.get("add", add))) and "place" in changes:
                x, y = _added(x, y, changes["place"], add)
                bound = _bound(x, y)
            wrong = next_mistake(w, x, y, at)
        changes = (yield replace(_frame(w, x, y, count, bound, wrong), waits=True)) or {}
        add = str(changes.get("add", add))
        if "place" in changes:
            x, y = _added(x, y, changes["place"], add)
            count = 0 if count >= PATIENCE else count


def _added(x: Array, y: Array, place: Any, side: str) -> tuple[Array, Array]:
    label = 1.0 if side == SIDES[1] else -1.0
    return np.concatenate([x, [[*place, 1.0]]])[-300:], np.append(y, label)[-300:]


def _bound(x: Array, y: Array) -> float:
    """Novikoff's `(R/γ)²`, or 0 where no line separates the classes."""
    γ = margin(x, y)
    return float((np.linalg.norm(x, axis=1).max() / γ) ** 2) if γ > 1e-4 else 0.0


def _frame(w: Array, x: Array, y: Array, count: int, bound: float, wrong: int | None) -> Frame:
    size = max(float(np.linalg.norm(w[:2])), 1e-9)
    paths = {"weights w": np.array([[0.0, 0.0], w[:2] / size * 0.5])}
    if wrong is not None:
        paths["wrong about"] = x[[wrong, wrong], :2] + [[-0.04, 0], [0.04, 0]]
    dots = Points(x[:, :2], (y < 0).astype(int), ("+1", "−1"))
    score = np.tanh(3 * (PLANE @ w) / size) if count else np.zeros((61, 61))
    title = f"{count} mistakes so far, {int((y * (x @ w) <= 0).sum())} examples wrong now"
    lines = {"mistakes": np.arange(count + 1.0)}
    if bound:
        lines["Novikoff's bound"] = np.full(count + 1, bound)
    told = f"A line exists: at most {bound:.0f} mistakes." if bound else "No line separates these."
    views: dict[str, View] = {
        "plane": Field(score, EXTENT, paths, title, dots, "signed", xlabel="x", ylabel="y"),
        "mistakes": Curve(
            np.arange(count + 1.0),
            lines,
            "correction",
            "mistakes",
            title="mistakes and their bound",
        ),
        "words": Note(told, tone="plain" if bound else "warning"),
    }
    facts = {
        "mistakes": float(count),
        "bound (R/γ)²": bound,
        "right [%]": 100 * float((y * (x @ w) > 0).mean()),
    }
    return Frame(min(count, PATIENCE), PATIENCE, views, facts)


def check() -> Iterator[Claim]:
    """On 20 separable sets the rule ends, and never makes more mistakes than the bound."""
    ratios, counts, left = [], [], 0
    for seed in range(20):
        x, y = two_classes(40, 0.08, seed)
        w, count = mistakes(x, y)
        left += int((y * (x @ w) <= 0).sum())
        counts.append(count)
        ratios.append(count / _bound(x, y))
    yield below("Mistakes over Novikoff's bound, largest of 20 random sets", max(ratios), 1.0)
    yield above("Most mistakes made on a set", max(counts), 2)
    yield same("Examples still wrong at the end, all 20 sets", left, 0)
