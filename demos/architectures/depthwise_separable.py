"""A convolution taken apart: depthwise, then pointwise.

A convolution mixes places and channels at once, with `k² C_in C_out` weights. The separable pair
does one after the other: a `k × k` window for each channel alone, then `1 × 1` over all channels:
`k² C_in + C_in C_out`. The pair costs `1/C_out + 1/k²` of the whole, about a ninth for 3 × 3. It is
a convolution of a special kind: its kernels are products, `W[o, c] = p[o, c] · d[c]`.

**Try:** enlarge the window, then the channels. Which of the two makes the saving larger?

Source: Howard et al. (2017), MobileNets; Chollet (2017), Xception.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, below, interactive, lab, near, same
from engine.network.describe import describe
from engine.network.sketch import Sketch
from engine.views import Bars, Curve, Edge, Frame, Graph, Node, Tiles, View


def factorised(depth: Tensor, point: Tensor) -> Tensor:
    """The dense kernel that equals the pair: `(c, 1, k, k)`, `(o, c, 1, 1)` to `(o, c, k, k)`."""
    return point * depth[:, 0]


def costs(kernel: int, before: int, after: int, side: int) -> dict[str, tuple[int, int]]:
    """Layer -> (weights, multiply-adds), as the builder counts them."""
    found = {}
    for name, plan in {
        "standard": ((after, kernel, 1),),
        "depthwise": ((before, kernel, before),),
        "pointwise": ((after, 1, 1),),
    }.items():
        net = Sketch(before, side, side)
        for channels, window, groups in plan:
            sizes: dict[str, Any] = {
                "out_channels": channels,
                "kernel_size": window,
                "padding": window // 2,
            }
            net("Conv2d", **sizes, groups=groups, bias=False)
        totals = describe(net.spec().to_json())["totals"]
        found[name] = (totals["parameters"], totals["flops"] // 2)
    return found


def drawn(separable: int, inputs: int = 4, outputs: int = 6) -> Graph:
    """Wires between channels: all at once, or window by window and then pointwise."""
    nodes = [Node(f"i{i}", f"in {i}", 0.0, (i + 1) / (inputs + 1)) for i in range(inputs)]
    nodes += [Node(f"o{o}", f"out {o}", 1.0, (o + 1) / (outputs + 1)) for o in range(outputs)]
    pairs = [(i, o) for i in range(inputs) for o in range(outputs)]
    if not separable:
        edges = [Edge(f"i{i}", f"o{o}", 1.0) for i, o in pairs]
        return Graph(tuple(nodes), tuple(edges), "standard: a window on every wire")
    nodes += [Node(f"m{i}", f"{i}", 0.5, (i + 1) / (inputs + 1)) for i in range(inputs)]
    edges = [Edge(f"i{i}", f"m{i}", 1.0) for i in range(inputs)]
    if separable > 1:
        edges += [Edge(f"m{i}", f"o{o}", -0.3) for i, o in pairs]
    return Graph(
        tuple(nodes), tuple(edges), "a window a channel (blue), one number a wire (orange)"
    )


@lab(
    covers=["depthwise-separable-convolution"],
    seconds=1,
    tries={
        "MobileNet's 3 × 3, 64 to 128": {"kernel": 3, "before": 64, "after": 128},
        "A 7 × 7 window": {"kernel": 7},
        "Few channels": {"before": 3, "after": 4},
    },
    question=Question(
        "3 × 3, 64 to 128 channels, taken apart: what share of the work is left?",
        ("A half", "A ninth and a little", "1/64"),
        1,
        "1/9 + 1/128 = 0.119: nearly all of it in the 1 × 1 convolution.",
    ),
    needs=["convolution-2d"],
)
def run(
    kernel: Annotated[int, Slider(1, 9, live=True, unit="pixel", help="A larger window")] = 3,
    before: Annotated[int, Slider(1, 256, live=True, unit="channels", help="More come in")] = 64,
    after: Annotated[int, Slider(1, 256, live=True, unit="channels", help="More go out")] = 128,
    seed: Annotated[int, Slider(0, 99, live=True, help="Another picture and other kernels")] = 0,
) -> Frames:
    """The wires, then the work and the weights, then a picture through both."""

    def picture(kernel: int, before: int, after: int, seed: int, stage: int = 2) -> Frame:
        found = costs(kernel, before, after, 56)
        odd = 2 * np.arange(5) + 1
        shares = {"work left": 1 / after + 1 / odd**2, "1/k²": 1.0 / odd**2}
        work = np.array([both[1] / 1e6 for both in found.values()])
        weights = np.array([float(both[0]) for both in found.values()])
        random = torch.Generator().manual_seed(seed)
        x = F.avg_pool2d(torch.rand(1, 3, 26, 26, generator=random), 3, 1)
        depth = torch.randn(3, 1, 3, 3, generator=random)
        point = torch.randn(3, 3, 1, 1, generator=random)
        middle = F.conv2d(x, depth, groups=3)
        steps = [F.pad(middle, (1, 1, 1, 1)), F.pad(F.conv2d(middle, point), (1, 1, 1, 1))]
        tiles = torch.cat([x, *steps])[:, :].flatten(0, 1).numpy()
        names = tuple(f"{what} {c}" for what in ("in", "depthwise", "pointwise") for c in range(3))
        views: dict[str, View] = {
            "wires": drawn(stage),
            "work": Bars(
                tuple(found),
                {"multiply-adds [million]": work},
                "",
                "multiply-adds [million]",
                title="at 56 × 56 pixels",
            ),
            "weights": Bars(tuple(found), {"weights": weights}, "", "weights", log=True),
            "share": Curve(odd, shares, "window [pixel]", "share of the work", log=True, dots=True),
            "maps": Tiles(tiles, names, "signed", False, 3, title="three channels on their way"),
        }
        left = (found["depthwise"][1] + found["pointwise"][1]) / found["standard"][1]
        return Frame(
            stage, 2, views, {"work left": left, "1/C_out + 1/k²": 1 / after + 1 / kernel**2}
        )

    shown: dict[str, Any] = {"kernel": kernel, "before": before, "after": after, "seed": seed}
    for stage in (0, 1):
        shown.update((yield partial(picture, **shown, stage=stage)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """Work and weights of the pair, and its one dense kernel."""
    found = costs(3, 64, 128, 56)
    pair = [a + b for a, b in zip(found["depthwise"], found["pointwise"], strict=True)]
    yield same("Pair, 3 × 3, 64 to 128 at 56 × 56: multiply-adds", pair[1], 27_496_448)
    yield same("Standard: multiply-adds", found["standard"][1], 231_211_008)
    yield same(
        "Share is 1/128 + 1/9 exactly", pair[1] * 128 * 9 == found["standard"][1] * (128 + 9), True
    )
    yield near("… which is", pair[1] / found["standard"][1], 0.11892, 5e-6)
    yield same("Pair: weights", pair[0], 8_768)
    yield same("Standard: weights", found["standard"][0], 73_728)
    random = torch.Generator().manual_seed(0)
    x, depth, point = (
        torch.randn(*shape, generator=random, dtype=torch.float64)
        for shape in ((2, 16, 12, 12), (16, 1, 3, 3), (24, 16, 1, 1))
    )
    two = F.conv2d(F.conv2d(x, depth, groups=16), point)
    one = F.conv2d(x, factorised(depth, point))
    yield below("Pair − one factorised dense kernel", float((two - one).abs().max()), 1e-10)
