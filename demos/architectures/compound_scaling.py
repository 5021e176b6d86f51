"""EfficientNet: scale depth, width and picture together.

A larger network can be deeper (`d`), wider (`w`) or see a larger picture (`r`). Work grows with
`d · w² · r²`. EfficientNet turns one knob `φ` for all three, `d = α^φ, w = β^φ, r = γ^φ`, with
`α β² γ² ≈ 2`: each step of `φ` about doubles the work. B0 is a searched table; B1 to B7 are the
same table with its channels rounded to multiples of 8 and its blocks rounded up.

**Try:** unlock the three and find another way to the same work. How do the parameters differ?

Source: Tan & Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, Toggle, interactive, lab, near, same
from engine.network.describe import describe
from engine.network.templates.efficientnet import efficientnet
from engine.views import Curve, Edge, Frame, Graph, Node, Points, Table, View

ALPHA, BETA, GAMMA = 1.2, 1.1, 1.15  # depth, width, resolution, found by a small grid search
FAMILY = {  # name -> width, depth, picture [pixel]
    "B0": (1.0, 1.0, 224), "B1": (1.0, 1.1, 240), "B2": (1.1, 1.2, 260), "B3": (1.2, 1.4, 300),
    "B4": (1.4, 1.8, 380), "B5": (1.6, 2.2, 456), "B6": (1.8, 2.6, 528), "B7": (2.0, 3.1, 600),
}  # fmt: skip
PUBLISHED = {"B0": 5_288_548, "B1": 7_794_184, "B3": 12_233_232, "B7": 66_347_960}


def cost(width: float, depth: float, side: int) -> dict[str, Any]:
    """What describe says of the scaled network."""
    return describe(efficientnet(width, depth, side).to_json())


def stages(told: dict[str, Any]) -> tuple[tuple[str | float | bool, ...], ...]:
    """Block after block: channels, side, parameters, multiply-adds [million]."""
    return tuple(
        (id, one["output"][0], one["output"][1], one["parameters"], round(one["flops"] / 2e6, 1))
        for id, one in told["nodes"].items()
        if id.startswith(("conv", "begin", "plain", "reduce", "residual"))
    )


def drawn(width: float) -> Graph:
    """An MBConv block: wide, depthwise, squeezed and excited, narrow, added."""
    wide, narrow, few = round(144 * width), round(24 * width), max(1, round(6 * width))
    words = (
        f"in\n{narrow}",
        f"1 × 1\n{wide}",
        f"depthwise\n{wide}",
        f"×\n{wide}",
        f"1 × 1\n{narrow}",
        "+",
    )
    nodes = [Node(str(i), word, i / 5, 0.4) for i, word in enumerate(words)]
    nodes += [
        Node("mean", "mean of each map", 0.42, 0.85),
        Node("few", f"squeeze\n{few}", 0.52, 0.95),
        Node("gate", f"excite\n{wide}", 0.62, 0.85),
        Node("skip", "skip", 0.5, 0.05),
    ]
    edges = [Edge(str(i), str(i + 1), 0.6) for i in range(5)]
    edges += [
        Edge("2", "mean", 1.0),
        Edge("mean", "few", 1.0),
        Edge("few", "gate", 1.0),
        Edge("gate", "3", 1.0),
    ]
    edges += [Edge("0", "skip", -0.6), Edge("skip", "5", -0.6)]
    return Graph(
        tuple(nodes), tuple(edges), "the block: inverted residual with squeeze and excitation"
    )


@lab(
    covers=["efficientnet-compound-scaling"],
    seconds=1,
    quick={"phi": 0.0},
    tries={
        "φ = 2": {"phi": 2.0},
        "Depth only": {"unlocked": True, "depth": 4.0, "width": 1.0, "resolution": 1.0},
        "Width only": {"unlocked": True, "depth": 1.0, "width": 2.0, "resolution": 1.0},
    },
    question=Question(
        "Four times the work, by width alone: what happens to the parameters?",
        ("They stay", "They double", "They grow about fourfold"),
        2,
        "Twice the channels on both sides: four times the weights. A larger picture costs none.",
    ),
    needs=["mobilenet"],
    network="efficientnet-b0",
)
def run(
    phi: Annotated[float, Slider(0.0, 6.0, live=True, help="Larger in all three ways")] = 1.0,
    unlocked: Annotated[
        bool, Toggle(live=True, help="Use the three sliders below instead")
    ] = False,
    depth: Annotated[float, Slider(0.5, 4.0, live=True, help="More blocks")] = 1.2,
    width: Annotated[float, Slider(0.5, 2.5, live=True, help="More channels")] = 1.1,
    resolution: Annotated[float, Slider(0.5, 2.5, live=True, help="A larger picture")] = 1.15,
) -> Frames:
    """The scaled network, its place among its family, and its block."""
    told = {name: cost(*sizes)["totals"] for name, sizes in FAMILY.items()}
    known = np.array([(one["parameters"] / 1e6, one["flops"] / 2e9) for one in told.values()])

    def picture(
        phi: float, unlocked: bool, depth: float, width: float, resolution: float, grown: int = 8
    ) -> Frame:
        if not unlocked:
            depth, width, resolution = ALPHA**phi, BETA**phi, GAMMA**phi
        side = max(32, round(224 * resolution))
        yours = cost(width, depth, side)
        parameters, work = yours["totals"]["parameters"], yours["totals"]["flops"] // 2
        places = np.vstack([known[:grown], [parameters / 1e6, work / 1e9]])
        labels = np.array([*range(min(grown, 8)), 8])
        steps = np.linspace(0, 6, 25)
        lines = {"depth αᶠ": ALPHA**steps, "width βᶠ": BETA**steps, "picture γᶠ": GAMMA**steps}
        headings = ("stage", "channels", "side [pixel]", "parameters", "multiply-adds [million]")
        views: dict[str, View] = {
            "family": Points(
                places,
                labels,
                (*FAMILY, "yours"),
                {"family": known[:grown]},
                xlabel="parameters [million]",
                ylabel="multiply-adds [billion]",
                title="B0 to B7, and yours",
            ),
            "factors": Curve(
                steps, lines, "φ", "factor", marks={"now": phi}, title="one knob for three"
            ),
            "block": drawn(width),
            "stages": Table(
                headings, stages(yours), f"depth {depth:.2f}, width {width:.2f}, {side} pixels"
            ),
        }
        facts = {
            "parameters": parameters,
            "multiply-adds [million]": work / 1e6,
            "d · w² · r²": depth * width**2 * resolution**2,
        }
        return Frame(grown, 8, views, facts)

    shown: dict[str, Any] = {"phi": phi, "unlocked": unlocked, "depth": depth}
    shown |= {"width": width, "resolution": resolution}
    for grown in range(1, 8):
        shown.update((yield partial(picture, **shown, grown=grown)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """The rule's product, and the family from the B0 table."""
    yield near("α β² γ²", ALPHA * BETA**2 * GAMMA**2, 1.920, 5e-4)
    for name, count in PUBLISHED.items():
        yield same(f"{name}: parameters", cost(*FAMILY[name])["totals"]["parameters"], count)
