"""How much more data do you need?

Train the same network on more and more examples: the test error falls along a straight line on
doubly logarithmic axes, a power law `error ≈ a · n^(−b)`. So a fit through a few small runs tells
what a larger set would buy before anyone pays for it: with `b = ½`, four times the labels halve
the error. (The law ends where labels are wrong or pictures ambiguous: there is a floor.)

**Try:** fit only the first three points, and see how well they foretell the last.

Source: Hestness et al. (2017), Deep learning scaling is predictable, empirically.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch

from demos.kit import Claim, Frames, Question, Slider, between, interactive, lab, near
from engine.data.shipped import digits
from engine.views import Array, Curve, Frame, Table, Tiles, View

SIZES = (20, 40, 80, 160, 320, 640, 1297)  # labels; the other 500 digits are the test
WIDTH, STEPS, BATCH = 64, 300, 64


def split(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Shuffled digits: 1,297 to learn from, `(1297, 64)` and `(1297,)`, and 500 to test.

    The first are dealt out evenly, so that 20 labels are two of each digit.
    """
    images, labels = digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    train, test = order[:1297], order[1297:]
    turn = [np.sum(labels[train[:i]] == labels[one]) for i, one in enumerate(train)]
    train = train[np.argsort(turn, kind="stable")]  # every digit's first, then every second, ...
    x, y = torch.from_numpy(images).flatten(1), torch.from_numpy(labels)
    return x[train], y[train], x[test], y[test]


def learn(x: torch.Tensor, y: torch.Tensor, seed: int) -> torch.nn.Module:
    """A 64-64-10 network trained by Adam for the same number of steps whatever the data."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, WIDTH), torch.nn.ReLU(), torch.nn.Linear(WIDTH, 10)
    )
    adam = torch.optim.Adam(net.parameters(), lr=0.005, fused=True)
    for _ in range(STEPS):
        pick = torch.randint(0, len(x), (min(BATCH, len(x)),))
        loss = torch.nn.functional.cross_entropy(net(x[pick]), y[pick])
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net


def power_law(n: Array, error: Array) -> tuple[float, float]:
    """`a` and `b` of `error = a n^(−b)`: a straight line through the logarithms."""
    slope, height = np.polyfit(np.log(n), np.log(error), 1)
    return float(np.exp(height)), float(-slope)


@lab(
    covers=["scaling-with-data"],
    seconds=7,
    quick={"repeats": 1, "largest": 80},
    tries={
        "Foretell from three points": {"fitted": 3},
        "Use them all": {"fitted": 7},
        "One training a size": {"repeats": 1},
    },
    question=Question(
        "The error is 16 % with 80 labels and 8 % with 320. How many labels for 4 %?",
        ("About 400", "About 640", "About 1,280"),
        2,
        "Four times the labels halved the error; halving it again takes four times as many again.",
    ),
)
def run(
    fitted: Annotated[int, Slider(2, 7, help="Points the forecast may use", live=True)] = 4,
    largest: Annotated[int, Slider(20, 1297, log=True, unit="labels", help="Longer curve")] = 1297,
    repeats: Annotated[int, Slider(1, 5, help="Trainings a size, steadier points")] = 2,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train on ever more digits; add each error to the curve and fit the law."""
    sizes = [size for size in SIZES if size <= largest]
    errors: list[list[float]] = [[] for _ in sizes]
    step, of = 0, len(sizes) * repeats
    mistakes: tuple[Array, Array] = (np.zeros((1, 8, 8)), np.zeros(1))
    for place, size in enumerate(sizes):
        for repeat in range(repeats):
            x, y, test_x, test_y = split(100 * seed + repeat)
            guess = learn(x[:size], y[:size], repeat)(test_x).argmax(1)
            wrong = guess != test_y
            errors[place].append(max(float(wrong.double().mean()), 1 / 500))
            mistakes = test_x[wrong][:24].reshape(-1, 8, 8).numpy(), guess[wrong][:24].numpy()
            step += 1
            changes = yield _frame(step, of, sizes, errors, fitted, mistakes)
            fitted = int((changes or {}).get("fitted", fitted))  # type: ignore[arg-type]
    yield from interactive(
        lambda fitted: _frame(of, of, sizes, errors, fitted, mistakes), fitted=fitted
    )


def _frame(
    step: int,
    of: int,
    sizes: list[int],
    errors: list[list[float]],
    fitted: int,
    mistakes: tuple[Array, Array],
) -> Frame:
    known = [i for i, one in enumerate(errors) if one]
    n, mean = np.array([sizes[i] for i in known]), np.array([np.mean(errors[i]) for i in known])
    lines = {"test error": 100 * mean}
    facts = {"test error now [%]": 100 * float(mean[-1])}
    if len(n) >= 2:
        a, b = power_law(n[:fitted], mean[:fitted])
        lines["law through the first points"] = 100 * np.clip(a * n**-b, 1e-4, 1e2)
        facts |= {"exponent b": b, "foretold for 1,297 labels [%]": 100 * min(a * 1297.0**-b, 100)}
    last = float(n[min(fitted, len(n)) - 1])
    rows = tuple(
        (s, len(e), 100 * float(np.mean(e)) if e else "...")
        for s, e in zip(sizes, errors, strict=True)
    )
    views: dict[str, View] = {
        "law": Curve(
            n,
            lines,
            "labels",
            "test error [%]",
            log=True,
            logx=True,
            marks={"fitted up to here": last},
            dots=True,
            title="error against data",
        ),
        "mistakes": Tiles(
            mistakes[0],
            tuple(f"as {one}" for one in mistakes[1]),
            title="what the newest network gets wrong",
        ),
        "runs": Table(("labels", "trainings", "test error [%]"), rows, "measured"),
    }
    return Frame(step, of, views, facts)


def check() -> Iterator[Claim]:
    """The error falls along a power law of exponent about one half."""
    errors = np.zeros((3, len(SIZES)))
    for seed in range(3):
        x, y, test_x, test_y = split(seed)
        for place, size in enumerate(SIZES):
            right = learn(x[:size], y[:size], seed)(test_x).argmax(1) == test_y
            errors[seed, place] = 1 - right.double().mean()
    mean = errors.mean(axis=0)
    _, b = power_law(np.array(SIZES), mean)
    yield near("Log-log slope of the test error, 20 to 1,297 labels", -b, -0.5, 0.15)
    yield between("Test error with 20 labels", mean[0], 0.2, 0.45)
    yield between("Test error with 1,297 labels", mean[-1], 0.015, 0.06)
