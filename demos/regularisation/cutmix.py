"""CutMix: paste a piece, split the label.

CutMix cuts a box out of one picture, pastes it into another, and mixes the labels by area: with
`λ` drawn at random the box has sides `√(1 − λ)` of the picture, and its centre is anywhere. Near
the border part of it falls off. So `λ` is computed again from the pixels really replaced: the label
is `λ` of the first, `1 − λ` of the second. Without that it would be wrong by 0.18 on average
(exactly 43/240). No part of a picture may be relied on: it may be gone.

**Try:** click near a corner: the box is clipped, and the label bar moves away from the λ drawn.

Source: Yun et al. (2019), CutMix: regularization strategy to train strong classifiers with
localizable features.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Place, Question, Slider, interactive, lab, near, same
from engine.data.shipped import photograph
from engine.views import Array, Bars, Curve, Field, Frame, Tiles, View

SIDE, EXTENT = 64, (0.0, 64.0, 0.0, 64.0)
NAMES = ("flower", "temple")


@functools.cache
def photographs() -> tuple[Array, Array]:
    """Two photographs in grey, `(64, 64)` in [0, 1] each, row 0 at the top."""
    small = []
    for name, left in (("flower", 180), ("china", 60)):
        grey = photograph(name).mean(2)[:384, left : left + 384]
        small.append(grey.reshape(SIDE, 6, SIDE, 6).mean((1, 3)))  # the mean of 6 × 6 pixels
    return small[0], small[1]


def box(lam: float, x: float, y: float, side: int = SIDE) -> tuple[int, int, int, int]:
    """Left, right, top and bottom pixel of the box that is left after clipping."""
    half = side * np.sqrt(1 - lam) / 2
    left, right, top, bottom = (
        round(float(one)) for one in (x - half, x + half, y - half, y + half)
    )
    return max(left, 0), min(right, side), max(top, 0), min(bottom, side)


def cutmix(a: Array, b: Array, lam: float, x: float, y: float) -> tuple[Array, float]:
    """`a` with a box of `b`, both `(side, side)`, and the label weight of `a` from the area."""
    left, right, top, bottom = box(lam, x, y, len(a))
    mixed = a.copy()
    mixed[top:bottom, left:right] = b[top:bottom, left:right]
    return mixed, 1 - (right - left) * (bottom - top) / a.size


def moved(lam: Array) -> Array:
    """By how much clipping moves λ on average, over all centres: `s³/2 − s⁴/16`, `s = √(1 − λ)`."""
    s = np.sqrt(1 - lam)
    return np.asarray(s**3 / 2 - s**4 / 16)


@lab(
    covers=["cutmix"],
    seconds=1,
    quick={},
    tries={
        "In the middle": {"place": [32.0, 32.0], "lam": 0.5},
        "In the corner": {"place": [62.0, 2.0], "lam": 0.5},
        "A huge box": {"place": [10.0, 50.0], "lam": 0.05},
    },
    question=Question(
        "λ = 0.5 was drawn, and the box lies with its centre in a corner. What is its true share?",
        ("1/2", "1/4", "1/8"),
        2,
        "Only a quarter of the box is inside the picture: a quarter of 1/2 is 1/8.",
    ),
    needs=["image-augmentation"],
)
def run(
    place: Annotated[list[float], Place(EXTENT, "mixed", help="Centre of the box")] = [44.0, 40.0],  # noqa: B006
    lam: Annotated[float, Slider(0.0, 1.0, help="λ drawn: a smaller box", live=True)] = 0.6,
    seed: Annotated[int, Slider(0, 99, help="Other random boxes", live=True)] = 0,
) -> Frames:
    """Move the box in from a corner, then paste it where the learner clicks."""
    changes = None
    for way in np.linspace(0, 1, 20):
        x, y = place[0] * way, place[1] * way
        changes = yield _picture([x, y], lam, seed)
        if changes:
            break
    live: dict[str, Any] = {"place": place, "lam": lam, "seed": seed}
    yield from interactive(_picture, **live | dict(changes or {}))


def _picture(place: list[float], lam: float, seed: int) -> Frame:
    a, b = photographs()
    x, y = place[0], SIDE - place[1]  # the click counts from the bottom, pixels from the top
    mixed, weight = cutmix(a, b, lam, x, y)
    left, right, top, bottom = box(lam, x, y)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    rim = np.array([(column, SIDE - row) for column, row in corners], dtype=float)
    random = np.random.default_rng(seed)
    draws = [(random.random(), *(SIDE * random.random(2))) for _ in range(12)]
    gallery = [cutmix(a, b, *one) for one in draws]
    names = tuple(
        f"{one[1]:.2f} {NAMES[0]} (drawn {draw[0]:.2f})"
        for one, draw in zip(gallery, draws, strict=True)
    )
    title = f"{weight:.0%} {NAMES[0]}, {1 - weight:.0%} {NAMES[1]}"
    label = {"by area": np.array([weight, 1 - weight]), "as drawn": np.array([lam, 1 - lam])}
    lams = np.linspace(0, 1, 51)
    views: dict[str, View] = {
        "mixed": Field(
            mixed[::-1], EXTENT, {"box": rim}, title,
            scale="grey", xlabel="column [pixel]", ylabel="row from the bottom [pixel]",
        ),
        "label": Bars(
            NAMES, label, ylabel="label", title="the label: by area, and by the λ drawn",
        ),
        "gallery": Tiles(
            np.array([one[0] for one in gallery]), names, across=4, title="random boxes"
        ),
        "moved": Curve(
            lams, {"mean over all centres": moved(lams)}, "λ drawn", "λ by area − λ drawn",
            marks={"now": lam}, title="how far clipping moves λ",
        ),
    }  # fmt: skip
    facts = {"λ drawn": lam, "λ by area": float(weight), "moved by clipping": float(weight - lam)}
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """2,000 random boxes: the label is the area that was pasted, and clipping moves λ by 0.18."""
    random = np.random.default_rng(0)
    a, b = np.zeros((224, 224)), np.ones((224, 224))
    wrong, shifts = 0, []
    for lam, x, y in random.random((2000, 3)):
        mixed, weight = cutmix(a, b, lam, 224 * x, 224 * y)
        wrong += int(mixed.sum()) != round((1 - weight) * mixed.size)
        shifts.append(abs(weight - lam))
    yield same("Boxes of 2,000 whose label is not the pasted area, pixel by pixel", wrong, 0)
    exact, lams = 43 / 240, (np.arange(10_000) + 0.5) / 10_000
    yield near("Mean distance of λ from the one drawn", float(np.mean(shifts)), exact, 0.01)
    yield near("The same by the formula, over all λ", float(moved(lams).mean()), exact, 1e-6)
