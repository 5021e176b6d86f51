"""A dense layer is a convolution that fits once.

Flattening a feature map `(c, h, w)` and multiplying it with a matrix `W` is one convolution whose
kernel is as large as the map: fold each row of `W` back to `(c, h, w)`. Nothing changes on a small
picture, but the folded layer can slide over a larger one and answers at every place: a reader of
single digits finds all digits of a page. Dense layers are also where the parameters are.

**Try:** choose a class and look where on the page its map lights up.

Source: Sermanet et al. (2014), OverFeat: Integrated Recognition, Localization and Detection.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import (
    Claim,
    Frames,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    near,
)
from engine.views import Bars, Field, Frame, Matrix, Tiles, View

MAPS = 24  # random filters
PAGE = (3, 5)  # digits below and beside one another
EXTENT, INNER = (0.0, 60.0, 0.0, 36.0), (4.0, 56.0, 4.0, 32.0)  # left, right, bottom, top
DENSE = {  # (inputs, outputs) of the dense layers
    "AlexNet": ((9216, 4096), (4096, 4096), (4096, 1000)),
    "VGG-16": ((25088, 4096), (4096, 4096), (4096, 1000)),
}
ALL = {"AlexNet": 61_100_840, "VGG-16": 138_357_544}


def fold(weight: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Rows of a dense layer as kernels: `(out, c · h · w)` to `(out, c, h, w)`."""
    return weight.view(-1, *shape)


def dense_share(name: str) -> float:
    """How much of a network's parameters its dense layers hold."""
    return sum((inputs + 1) * outputs for inputs, outputs in DENSE[name]) / ALL[name]


def features(x: Tensor, filters: Tensor) -> Tensor:
    """Random filters, ReLU, pooling: `(n, 1, h, w)` to `(n, 24, h/2 − 1, w/2 − 1)`."""
    return F.max_pool2d(F.conv2d(x, filters).relu(), 2)


def digits() -> tuple[Tensor, Tensor]:
    """1,797 digits with a rim of one pixel, `(n, 1, 10, 10)`, and their classes."""
    from sklearn.datasets import load_digits

    pictures, classes = load_digits(return_X_y=True)
    x = torch.tensor(pictures.reshape(-1, 1, 8, 8) / 16)
    return F.pad(x, (1, 1, 1, 1)), torch.tensor(classes)


def reader(filters: Tensor) -> Tensor:
    """A dense layer `(10, 24 · 4 · 4)` that reads digits, by ridge regression; row 0 to 9.

    Half of what it learns from are digits pushed aside, for which all scores shall be 0.
    """
    x, y = digits()
    aside = torch.cat([x.roll(shift, axis) for axis in (2, 3) for shift in (-4, 4)])[::4]
    flat = features(torch.cat([x, aside]), filters).flatten(1)
    target = torch.zeros(len(flat), 10, dtype=flat.dtype)
    target[torch.arange(len(y)), y] = 1
    ridge = 1e-2 * len(flat) * torch.eye(flat.shape[1], dtype=flat.dtype)
    weights: Tensor = torch.linalg.solve(flat.T @ flat + ridge, flat.T @ target)
    return weights.T.contiguous()


def page(seed: int) -> Tensor:
    """Fifteen digits on a page, `(1, 1, 36, 60)`."""
    random = np.random.default_rng(seed)
    x, _ = digits()
    paper = torch.zeros(1, 1, 12 * PAGE[0], 12 * PAGE[1], dtype=x.dtype)
    for i, j in np.ndindex(*PAGE):
        top, left = 12 * i + random.integers(3), 12 * j + random.integers(3)
        paper[0, :, top : top + 10, left : left + 10] = x[random.integers(len(x))]
    return paper


@lab(
    covers=["fully-connected-head"],
    seconds=1,
    quick={"seed": 1},
    tries={
        "Look for zeros": {"label": 0},
        "Look for fours": {"label": 4},
        "Another page": {"seed": 7},
    },
    question=Question(
        "What share of VGG-16's 138 million parameters is in its three dense layers?",
        ("Under 10 %", "About half", "Nearly 90 %"),
        2,
        "25,088 × 4,096 weights in the first of them alone: 103 million.",
    ),
    needs=["convolution-2d", "pooling"],
)
def run(
    label: Annotated[int, Slider(0, 9, live=True, help="Which class to look for")] = 3,
    seed: Annotated[int, Slider(0, 99, live=True, help="Another page")] = 0,
) -> Frames:
    """Slide the folded layer over a page, row by row."""
    filters = torch.randn(MAPS, 1, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    weight = reader(filters)
    kernels = fold(weight, (MAPS, 4, 4))

    def picture(label: int, seed: int, done: int = 99) -> Frame:
        paper = page(seed)
        scores = F.conv2d(features(paper, filters), kernels)[0]  # (10, 14, 26)
        found = torch.where(torch.arange(scores.shape[1])[:, None] < done, scores[label], torch.nan)
        best = np.unravel_index(int(scores[label].argmax()), scores[label].shape)
        spot = np.array([2.0 * best[1] + 5, 36 - (2.0 * best[0] + 5)])
        ring = {f"best {label}": spot + 5 * np.array([(-1, 1), (1, 1), (1, -1), (-1, -1), (-1, 1)])}
        shares = np.array([dense_share(name) for name in DENSE])
        plane = partial(Field, xlabel="column [pixel]", ylabel="row [pixel]")
        answers = scores.clamp(0, 1).numpy()
        vector = features(paper[..., :10, :10], filters).flatten().numpy()
        pair = np.stack(
            [vector / vector.max(), (weight[label] / weight[label].abs().max()).numpy()]
        )
        rows = ("map", f"weights of {label}")
        views: dict[str, View] = {
            "page": plane(paper[0, 0].flip(0).numpy(), EXTENT, ring, "the page", scale="grey"),
            "found": plane(
                found.flip(0).clamp(0, 1).numpy(), INNER, title=f"how much like a {label}"
            ),
            "maps": Tiles(
                answers, tuple("0123456789"), "sequential", across=5, title="all answers"
            ),
            "vector": Matrix(pair, rows, scale="signed", title="flattened: a map and its weights"),
            "kernels": Tiles(kernels[label].numpy(), scale="signed", across=12, title="folded"),
            "shares": Bars(tuple(DENSE), {"dense layers": shares}, "", "share of the parameters"),
        }
        facts = {"best score": float(scores[label].max()), "answers at once": scores[0].numel()}
        return Frame(min(done, 14), 14, views, facts)

    shown: dict[str, Any] = {"label": label, "seed": seed}
    for done in range(1, 14):
        shown.update((yield partial(picture, **shown, done=done)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """The folded layer is the dense one; the dense layers hold most of the parameters."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(8, 16, 5, 5, generator=random, dtype=torch.float64)
    weight = torch.randn(120, 400, generator=random, dtype=torch.float64)
    bias = torch.randn(120, generator=random, dtype=torch.float64)
    flat = F.linear(x.flatten(1), weight, bias)
    folded = F.conv2d(x, fold(weight, (16, 5, 5)), bias)[..., 0, 0]
    gap = float((flat - folded).abs().max())
    yield below("16 × 5 × 5 to 120: dense − folded, largest difference", gap, 1e-10)
    large = torch.randn(1, 16, 9, 12, generator=random, dtype=torch.float64)
    slid = F.conv2d(large, fold(weight, (16, 5, 5)), bias)[0, :, 3, 6]
    cut = F.linear(large[..., 3:8, 6:11].flatten(1), weight, bias)[0]
    yield below(
        "Slid over a larger map − dense on the cut-out", float((slid - cut).abs().max()), 1e-10
    )
    yield near("Share of the dense layers in VGG-16 [%]", 100 * dense_share("VGG-16"), 89.4, 0.05)
    yield near("Share of the dense layers in AlexNet [%]", 100 * dense_share("AlexNet"), 96.0, 0.05)
    filters = torch.randn(MAPS, 1, 3, 3, generator=random).double()
    pictures, classes = digits()
    scores = features(pictures, filters).flatten(1) @ reader(filters).T
    yield above("Digits the reader reads", float((scores.argmax(1) == classes).float().mean()), 0.9)
