"""XOR's missing line.

A single unit draws a line: `y = [w₁x₁ + w₂x₂ + b > 0]`. Of the 16 functions of two bits a line can
do 14. "Either, but not both" (XOR) and its opposite put equal answers on the two diagonals, and any
line gets at most three corners right. Two hidden units draw two lines, and a third unit combines
them: `XOR = OR and not AND`. Training must find such lines; with spare units it nearly always does.

**Try:** turn your line until three corners are right. Then look for the fourth.

Source: Minsky & Papert (1969), Perceptrons; Rumelhart, Hinton & Williams (1986).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from demos.kit import Choice, Claim, Frames, Pick, Question, Slider, between, lab, same
from engine.views import Array, Field, Frame, Matrix, Points, Tiles, View

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = 0b0110  # a function's number: its answers at the corners, read as bits
WIDTHS, STARTS, STEPS = (1, 2, 4, 8), 50, 400
EXTENT = (-0.5, 1.5, -0.5, 1.5)
PLANE = np.stack(np.meshgrid(*[np.linspace(-0.5, 1.5, 61)] * 2), axis=-1)  # (61, 61, 2)
USED = torch.arange(max(WIDTHS)) < torch.tensor(WIDTHS).repeat_interleave(STARTS)[:, None, None]
WHO = ("your line", "two units by hand", *(f"{width} trained" for width in WIDTHS))
NAMES = (
    *("never", "NOR", "b, not a", "not a", "a, not b", "not b", "XOR", "NAND"),
    *("AND", "equal", "b", "a implies b", "a", "b implies a", "OR", "always"),
)


def answers(function: int) -> Array:
    """What the function says at the four corners, `(4,)` of 0 and 1."""
    return np.array([function >> place & 1 for place in range(4)])


def line(x: Array, w: Array, b: float) -> Array:
    """A linear threshold: 1 where `w · x + b > 0`, `(..., 2)` to `(...)`."""
    return np.asarray((x @ w + b > 0).astype(int))


def by_hand(x: Array) -> Array:
    """XOR from three lines: OR, AND, and "OR but not AND"."""
    hidden = np.stack([line(x, np.ones(2), -0.5), line(x, np.ones(2), -1.5)], axis=-1)
    return line(hidden, np.array([1.0, -2.0]), -0.5)


def best_line(function: int) -> int:
    """How many corners the best line gets right; these lines make every cut there is."""
    ways = [(np.array(w) - 1.0, b) for w in np.ndindex(3, 3) for b in (-1.5, -0.5, 0.5, 1.5)]
    return max(int((line(CORNERS, *way) == answers(function)).sum()) for way in ways)


LIMITS = [best_line(function) for function in range(16)]


def score(weights: list[torch.Tensor], x: Array) -> torch.Tensor:
    """What 200 networks (50 starts of each width) make of points `(n, 2)`: `(200, n)`, > 0 is 1."""
    W, b, v, c = weights
    inputs = torch.from_numpy(2 * x - 1).float()  # bits as −1 and 1
    return ((torch.tanh(inputs @ W + b) * USED) @ v + c).squeeze(2)


def training(function: int, seed: int) -> Iterator[list[torch.Tensor]]:
    """Train all 200 as one batch, from random starts; their weights after every step."""
    random = torch.Generator().manual_seed(seed)
    count, units = len(WIDTHS) * STARTS, max(WIDTHS)
    shapes = ((2, units), (1, units), (units, 1), (1, 1))
    weights = [(2 * torch.rand(count, *s, generator=random) - 1).requires_grad_() for s in shapes]
    adam = torch.optim.Adam(weights, lr=0.05, fused=True)
    truth = torch.from_numpy(answers(function)).float().expand(count, 4)
    for _ in range(STEPS):
        loss = cross_entropy(score(weights, CORNERS), truth, reduction="sum") / 4
        adam.zero_grad()
        loss.backward()
        adam.step()
        yield [weight.detach() for weight in weights]


def solved(weights: list[torch.Tensor], function: int) -> Array:
    """Which networks get all four corners right, `(widths, starts)`."""
    right = (score(weights, CORNERS).numpy() > 0) == answers(function)
    return np.asarray(right.all(axis=1).reshape(len(WIDTHS), STARTS))


@lab(
    covers=["xor-problem"],
    seconds=4,
    tries={
        "Two lines, by hand": {"who": "two units by hand"},
        "Training with two": {"who": "2 trained", "start": 3},
    },
    question=Question(
        "How many of XOR's four corners can a single straight line get right?",
        ("Two", "Three", "Four"),
        1,
        "A line can cut off one corner, but the two ones face each other across a diagonal.",
    ),
    needs=["perceptron"],
)
def run(
    function: Annotated[int, Pick(16, "functions", help="Click on a truth table")] = XOR,
    who: Annotated[str, Choice(WHO, help="Who separates", live=True)] = "your line",
    angle: Annotated[float, Slider(0, 360, unit="degrees", live=True)] = 45.0,
    offset: Annotated[float, Slider(-1, 1, help="Shift your line", live=True)] = -0.35,
    start: Annotated[int, Slider(0, STARTS - 1, help="Which start is drawn", live=True)] = 0,
    seed: Annotated[int, Slider(0, 99, help="Other random starts")] = 0,
) -> Frames:
    """Separate by hand while 200 networks learn the chosen truth table."""
    now: dict[str, Any] = {"function": function, "who": who, "start": start}
    now |= {"angle": angle, "offset": offset}
    while True:
        trained = now["function"]
        for step, weights in enumerate(training(trained, seed), 1):
            if step % 4 == 0 and now["function"] == trained:
                now |= (yield partial(_picture, step, weights, **now)) or {}
        while now["function"] == trained:
            now |= (yield replace(_picture(STEPS, weights, **now), waits=True)) or {}


def _picture(step: int, weights: list[torch.Tensor], **now: Any) -> Frame:
    function, who = now["function"], now["who"]
    height, cuts = _separator(weights, who, now["angle"], now["offset"], now["start"])
    guess = height[[15, 45, 15, 45], [15, 15, 45, 45]] > 0  # the four corners of the square
    right = int((guess == answers(function)).sum())
    title = f"{NAMES[function]}: {who}, {right} of 4 right"
    corners, height = Points(CORNERS, 1 - answers(function), ("1", "0")), np.clip(height, -1, 1)
    plane = Field(height, EXTENT, cuts, title, corners, "signed", xlabel="a", ylabel="b")
    tables = np.array([answers(one).reshape(2, 2).T[::-1] for one in range(16)], dtype=float)
    marks = {one: "no line" for one in range(16) if LIMITS[one] < 4} | {function: "yours"}
    tiles = Tiles(tables, NAMES, "grey", True, 8, marks, "functions of two bits (a across, b up)")
    share = 100 * (done := solved(weights, function)).mean(axis=1)
    rows = tuple(f"{width} hidden: {part:.0f} %" for width, part in zip(WIDTHS, share, strict=True))
    after = f"solved after {step} steps, of 50 starts"
    starts = Matrix(done.astype(float), rows, xlabel="random start", title=after)
    views: dict[str, View] = {"plane": plane, "functions": tiles, "starts": starts}
    facts = {"corners right": float(right), "best any line can do": float(LIMITS[function])}
    return Frame(step, STEPS, views, facts)


def _separator(
    weights: list[torch.Tensor], who: str, angle: float, offset: float, start: int
) -> tuple[Array, dict[str, Array]]:
    """Heights over the plane, `(61, 61)`, 1 where positive; and the lines that make them."""
    if who == "your line":
        w = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
        b = -offset - w.sum() / 2  # turned about the middle of the square
        return PLANE @ w + b, {"your line": _cut(w, b)}
    if who == "two units by hand":
        cuts = {name: _cut(np.ones(2), b) for name, b in (("OR", -0.5), ("AND", -1.5))}
        return 2.0 * by_hand(PLANE) - 1, cuts
    width = int(who.split()[0])
    member = WIDTHS.index(width) * STARTS + start
    scores = score(weights, PLANE.reshape(-1, 2))[member]
    W, b = (weight[member].numpy().astype(float) for weight in weights[:2])
    lines = {f"unit {i + 1}": _cut(2 * W[:, i], b[0, i] - W[:, i].sum()) for i in range(width)}
    return torch.tanh(scores).view(61, 61).numpy(), lines


def _cut(w: Array, b: float) -> Array:
    """Two far points of the line `w · x + b = 0`."""
    length = max(float(np.linalg.norm(w)), 1e-6)
    foot = 0.5 - (w.sum() / 2 + b) * w / length**2  # the point of the line nearest the middle
    return np.array([foot, foot]) + np.array([[w[1], -w[0]], [-w[1], w[0]]]) * 2 / length


def check() -> Iterator[Claim]:
    """What lines can and cannot do, the network made by hand, and how often training finds one."""
    random = np.random.default_rng(0)
    lines = CORNERS @ random.normal(size=(2, 100_000)) + random.normal(size=100_000)
    most = int(((lines.T > 0) == answers(XOR)).sum(axis=1).max())
    yield same("Corners of XOR right: best of 100,000 random lines, of 4", most, 3)
    yield same("Functions of two bits that a line can do, of 16", LIMITS.count(4), 14)
    hand = bool((by_hand(CORNERS) == answers(XOR)).all())
    yield same("Two hidden units set by hand solve XOR", hand, True)
    bounds = ((0, 0), (30, 65), (85, 100), (98, 100))
    trained = [list(training(XOR, seed))[-1] for seed in range(3)]
    shares = [100 * solved(weights, XOR).mean(axis=1) for weights in trained]
    for width, (low, high), share in zip(WIDTHS, bounds, np.transpose(shares), strict=True):
        text = f"{width} hidden: solved of 50 random starts [%]"
        yield from (between(text, one, low, high) for one in share)
