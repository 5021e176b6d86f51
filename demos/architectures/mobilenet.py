"""MobileNet: how small can it be?

MobileNet is built of depthwise separable convolutions and has two knobs: the width `α` scales all
channels, the resolution `ρ` the picture. Work falls with `α²` and `ρ²`, parameters with `α²` only.
Version 2 turns the block inside out: narrow between blocks, wide within, no activation on the
narrow end; version 3 was found by search, with squeeze-and-excitation and a hard swish.

**Try:** halve the width, then the resolution: which one saves parameters?

Source: Howard et al. (2017), MobileNets; Sandler et al. (2018), MobileNetV2.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch

from demos.kit import Choice, Claim, Frames, Question, Slider, interactive, lab, near, same
from engine.network.build import build
from engine.network.describe import describe
from engine.network.templates import find
from engine.network.templates.mobilenet import mobilenet
from engine.views import Bars, Curve, Edge, Frame, Graph, Node, Points, View

WIDTHS = (0.25, 0.5, 0.75, 1.0)
SIDES = (128, 160, 192, 224)
BLOCKS = {
    "v1: separable": (("in", 64, ""), ("depthwise 3 × 3", 64, "ReLU"), ("1 × 1", 128, "ReLU")),
    "v2: inverted residual": (("in", 24, ""), ("1 × 1", 144, "ReLU6"),
        ("depthwise 3 × 3", 144, "ReLU6"), ("1 × 1, linear", 24, "")),
    "v3: with excitation": (("in", 40, ""), ("1 × 1", 120, "ReLU"),
        ("depthwise 5 × 5", 120, "ReLU"),
        ("squeeze, excite", 120, "hard sigmoid"), ("1 × 1, linear", 40, "")),
}  # fmt: skip


def cost(width: float, side: int) -> tuple[int, int, float]:
    """Parameters, multiply-adds, and the share of 1 × 1 in the convolutions' work."""
    told = describe(mobilenet(width, side).to_json())
    convs = [one for one in told["nodes"].values() if "Conv2d" in one["code"]]
    ones = sum(one["flops"] for one in convs if "kernel_size=1" in one["code"].replace(" ", ""))
    totals = told["totals"]
    share = ones / sum(one["flops"] for one in convs)
    return totals["parameters"], totals["flops"] // 2, share


def seconds(width: float, side: int) -> float:
    """Median time of one picture through the network here, of three [s]."""
    net = build(mobilenet(width, side)).eval()
    x, taken = torch.zeros(1, 3, side, side), []
    with torch.no_grad():
        for _ in range(3):
            begun = time.perf_counter()
            net(x)
            taken.append(time.perf_counter() - begun)
    return float(np.median(taken))


def drawn(block: str) -> Graph:
    """The block's layers in a row, each as high as it is wide."""
    layers = BLOCKS[block]
    nodes = [
        Node(
            str(i),
            f"{name}\n{width}",
            i / (len(layers) - 1),
            0.4,
            float(width),
            detail=f"{width} channels {activation}",
        )
        for i, (name, width, activation) in enumerate(layers)
    ]
    edges = [
        Edge(str(i), str(i + 1), layers[i + 1][1] / 150, layers[i + 1][2])
        for i in range(len(layers) - 1)
    ]
    if layers[0][1] == layers[-1][1]:
        nodes.append(Node("skip", "skip", 0.5, 0.9))
        edges += [Edge("0", "skip", -0.4), Edge("skip", str(len(layers) - 1), -0.4)]
    return Graph(tuple(nodes), tuple(edges), block)


@lab(
    covers=["mobilenet"],
    seconds=1,
    quick={"width": 0.25, "side": 128},
    tries={
        "Half the width": {"width": 0.5, "side": 224},
        "A smaller picture": {"width": 1.0, "side": 160},
        "Inverted residual": {"block": "v2: inverted residual"},
    },
    question=Question(
        "In MobileNet v1, which convolutions do most of the work?",
        ("The 3 × 3 windows", "The 1 × 1 ones: 95 %", "About half each"),
        1,
        "A depthwise window costs 9 multiplications an output, a 1 × 1 over 512 channels 512.",
    ),
    needs=["depthwise-separable-convolution"],
    network="mobilenet-v1",
)
def run(
    width: Annotated[float, Slider(0.25, 1.0, live=True, help="More channels everywhere")] = 1.0,
    side: Annotated[int, Slider(96, 256, live=True, unit="pixel", help="A larger picture")] = 224,
    block: Annotated[str, Choice(tuple(BLOCKS), live=True)] = "v1: separable",
) -> Frames:
    """The two knobs with their price, and the block opened."""
    table = {(w, s): cost(w, s) for w in WIDTHS for s in SIDES}

    def picture(width: float, side: int, block: str, grown: int = 16) -> Frame:
        parameters, work, share = cost(width, side)
        known = list(table.values())[:grown]
        places = np.array([(p / 1e6, m / 1e6) for p, m, _ in [*known, (parameters, work, share)]])
        labels = np.array([*(i // 4 for i in range(len(known))), 4])
        names = (*(f"width {w:g}" for w in WIDTHS), "yours")
        lines = {f"width {w:g}": np.array([table[w, s][1] / 1e6 for s in SIDES]) for w in WIDTHS}
        left = np.array([100 * share, 100 - 100 * share])
        views: dict[str, View] = {
            "zoo": Points(
                places,
                labels,
                names,
                xlabel="parameters [million]",
                ylabel="multiply-adds [million]",
                title="what the knobs cost",
            ),
            "resolution": Curve(
                np.array(SIDES), lines, "picture [pixel]", "multiply-adds [million]", dots=True
            ),
            "share": Bars(("1 × 1", "all else"), {"work": left}, "", "share of the work [%]"),
            "block": drawn(block),
        }
        facts = {
            "parameters": parameters,
            "multiply-adds [million]": work / 1e6,
            "time here [s]": seconds(width, side),
        }
        return Frame(grown, 16, views, facts)

    shown: dict[str, Any] = {"width": width, "side": side, "block": block}
    for grown in range(4, 16, 4):
        shown.update((yield partial(picture, **shown, grown=grown)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """The paper's table, to its digits."""
    parameters, work, share = cost(1.0, 224)
    yield same("v1: parameters", parameters, 4_231_976)
    yield near("v1: multiply-adds [million]", work / 1e6, 568.7, 0.05)
    yield near("v1: share of the 1 × 1 convolutions in the work [%]", 100 * share, 95.0, 0.05)
    for width, millions, adds in ((0.5, 1.33, 149.5), (0.25, 0.47, 41.0)):
        count, work, _ = cost(width, 224)
        yield near(f"v1, width {width}: parameters [million]", count / 1e6, millions, 0.005)
        yield near(f"v1, width {width}: multiply-adds [million]", work / 1e6, adds, 0.05)
    yield near("v1 at 192 pixels: multiply-adds [million]", cost(1.0, 192)[1] / 1e6, 418, 0.5)
    published = {
        "mobilenet-v2": 3_504_872,
        "mobilenet-v3-small": 2_542_856,
        "mobilenet-v3-large": 5_483_032,
    }
    for name, count in published.items():
        totals = describe(find(name).spec.to_json())["totals"]
        yield same(f"{name}: parameters", totals["parameters"], count)
        if name == "mobilenet-v2":
            yield near("v2: multiply-adds [million]", totals["flops"] / 2e6, 300.8, 0.05)
