"""Pooling: keep what, forget where.

Pooling replaces each `k × k` patch of a feature map by its largest or mean value. The map
becomes smaller, and when the picture moves by a pixel the pooled map changes less: a maximum does
not care where in its patch it stood. *Global* pooling keeps one number a map, so moving changes
nothing at all, and the dense layer behind it needs hardly any weights.

**Try:** move the digit by one pixel, then make the patches larger and watch the difference fade.

Source: Scherer et al. (2010), Evaluation of Pooling Operations;
Lin et al. (2014), Network in Network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import (
    Choice,
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
from engine.data.shipped import digits
from engine.views import Bars, Frame, Tiles, View

KINDS = ("max", "average")


def pool(x: Tensor, size: int, stride: int, kind: str) -> Tensor:
    """Largest or mean value of every patch: `(n, c, h, w)` to `(n, c, h', w')`."""
    patches = x.unfold(2, size, stride).unfold(3, size, stride)  # (n, c, h', w', size, size)
    return patches.amax((4, 5)) if kind == "max" else patches.mean((4, 5))


def features(x: Tensor, kernels: Tensor) -> Tensor:
    """Random filters and ReLU on a picture whose edges meet: `(n, 1, h, w)` to `(n, 8, h, w)`."""
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), kernels).relu()


def change(before: Tensor, after: Tensor) -> float:
    """How far apart, relative to the size of the first."""
    return float((after - before).norm() / before.norm())


def pictures() -> Tensor:
    """Ten digits, one a class, smoothly enlarged, in the middle of `(10, 1, 20, 20)`."""
    x = torch.from_numpy(digits()[0][:10, None])
    x = F.interpolate(x, size=(14, 14), mode="bilinear")
    return F.pad(x, (3, 3, 3, 3))


def kernels(seed: int) -> Tensor:
    """Eight random filters, `(8, 1, 3, 3)`."""
    return torch.randn(8, 1, 3, 3, generator=torch.Generator().manual_seed(seed))


def head(features: int, classes: int) -> int:
    """Parameters of a dense layer."""
    return sum(p.numel() for p in nn.Linear(features, classes, device="meta").parameters())


@lab(
    covers=["pooling"],
    seconds=1,
    quick={"seed": 1},
    tries={
        "No overlap": {"size": 4, "stride": 4, "shift": 1},
        "Overlapping, as in AlexNet": {"size": 3, "stride": 2, "shift": 1},
        "Average": {"kind": "average", "size": 4, "stride": 4},
    },
    question=Question(
        "The digit moves one pixel. Which representation changes least?",
        ("The feature map", "After 4 × 4 max pooling", "After global average pooling"),
        2,
        "A mean over the whole map does not depend on where anything stands.",
    ),
    needs=["convolution-2d"],
)
def run(
    digit: Annotated[int, Slider(0, 9, live=True, help="Another digit")] = 3,
    shift: Annotated[int, Slider(0, 8, live=True, unit="pixel", help="Moves it further right")] = 1,
    size: Annotated[int, Slider(1, 8, live=True, unit="pixel", help="Larger patches")] = 4,
    stride: Annotated[int, Slider(1, 8, live=True, unit="pixel", help="Patches further apart")] = 4,
    kind: Annotated[str, Choice(KINDS, live=True)] = "max",
    seed: Annotated[int, Slider(0, 99, live=True, help="Other random filters")] = 0,
) -> Frames:
    """The digit and its moved copy, their maps, and how different they are."""
    x = pictures()

    def picture(digit: int, shift: int, size: int, stride: int, kind: str, seed: int) -> Frame:
        k = kernels(seed)
        both = torch.stack([x[digit], x[digit].roll(shift, 2)])  # (2, 1, 20, 20)
        maps = features(both, k)
        pooled = pool(maps, size, stride, kind)
        levels = {
            "pixels": both,
            "feature maps": maps,
            f"{kind} pooled": pooled,
            "global average": maps.mean((2, 3)),
            "global maximum": maps.amax((2, 3)),
        }
        changes = {name: change(pair[0], pair[1]) for name, pair in levels.items()}
        shown = [both[:, 0], maps[:, 0], F.interpolate(pooled, size=(20, 20))[:, 0]]
        tiles = torch.cat([torch.stack([a, b, (a - b).abs()]) for a, b in shown]).numpy()
        words = tuple(
            f"{level}{what}"
            for level in list(levels)[:3]
            for what in ("", ", moved", ": difference")
        )
        weights = {
            "flatten": head(maps[0].numel(), 10),
            "pool, flatten": head(pooled[0].numel(), 10),
            "global average": head(8, 10),
        }
        views: dict[str, View] = {
            "maps": Tiles(
                tiles,
                words,
                "sequential",
                shared=False,
                across=3,
                title=f"a digit, and moved by {shift} pixel",
            ),
            "change": Bars(
                tuple(changes),
                {"change": np.array(list(changes.values()))},
                ylabel="relative change",
                title="what moving changes",
            ),
            "weights": Bars(
                tuple(weights),
                {"parameters": np.array(list(weights.values()), dtype=float)},
                ylabel="parameters of the dense layer",
                log=True,
                title="what the head costs",
            ),
        }
        facts = {f"change of {name}": round(value, 6) for name, value in changes.items()}
        return Frame(1, 1, views, facts | {"values left of each map": pooled[0, 0].numel()})

    yield from interactive(
        picture, digit=digit, shift=shift, size=size, stride=stride, kind=kind, seed=seed
    )


def check() -> Iterator[Claim]:
    """Mean pooling is a convolution; pooled maps move less; a pooled head is 48.9 times smaller."""
    x = pictures()
    constant = torch.full((1, 1, 4, 4), 1 / 16)
    gap = float((pool(x, 4, 4, "average") - F.conv2d(x, constant, stride=4)).abs().max())
    yield below("Average pooling − convolution with a constant kernel", gap, 1e-6)
    library = float((pool(x, 3, 2, "max") - F.max_pool2d(x, 3, 2)).abs().max())
    yield below("Our max pooling − torch's", library, 0.0)
    for seed in range(5):
        maps, moved = features(x, kernels(seed)), features(x.roll(1, 3), kernels(seed))
        whole, pooled = (
            change(maps, moved),
            change(pool(maps, 4, 4, "max"), pool(moved, 4, 4, "max")),
        )
        yield above(f"Change of the maps, one pixel (seed {seed})", whole, 0.35)
        yield below(f"Change after 4 × 4 max pooling (seed {seed})", pooled, min(0.36, whole))
        yield below(
            f"Change after global average (seed {seed})",
            change(maps.mean((2, 3)), moved.mean((2, 3))),
            1e-5,
        )
    ratio = head(512 * 7 * 7, 1000) / head(512, 1000)
    yield near("512 × 7 × 7 to 1,000: parameters of flatten over global average", ratio, 48.9, 0.05)
