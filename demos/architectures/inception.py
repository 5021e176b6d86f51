"""Inception: several windows side by side.

Which window is right, 1 × 1, 3 × 3 or 5 × 5? An Inception module takes all of them and a pooling,
and joins their channels. That would be dear, so 1 × 1 convolutions first bring the channels down:
`k² C_in C_out` multiply-adds a pixel become `C_in C_mid + k² C_mid C_out`. GoogLeNet stacks nine
modules and reads the class half way too, with two auxiliary heads used only in training.

**Try:** take the 1 × 1 reductions away and read the meter; then make the 5 × 5 path wider.

Source: Szegedy et al. (2015), Going Deeper with Convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, Toggle, interactive, lab, near, same
from engine.network.describe import describe
from engine.network.sketch import Sketch
from engine.network.templates import find
from engine.views import Bars, Edge, Frame, Graph, Node, Table, View

SIDE, CAME = 28, 192  # what comes into module 3a
LAYOUT = (
    *(("image", "in", 0.0, 0.5), ("one", "1 × 1", 0.66, 0.92), ("joined", "joined", 1.0, 0.5)),
    *(("reduce3", "1 × 1", 0.33, 0.66), ("three", "3 × 3", 0.66, 0.66)),
    *(("reduce5", "1 × 1", 0.33, 0.37), ("five", "5 × 5", 0.66, 0.37)),
    *(("pool", "pooling", 0.33, 0.1), ("project", "1 × 1", 0.66, 0.1)),
)
PATHS = (("one",), ("reduce3", "three"), ("reduce5", "five"), ("project",))
NAMES = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def module(
    one: int, mid3: int, three: int, mid5: int, five: int, pooled: int, reduced: bool
) -> dict[str, Any]:
    """What describe says of a module of four paths, with or without 1 × 1 reductions."""
    net = Sketch(CAME, SIDE, SIDE)

    def conv(name: str, channels: int, kernel: int, after: str) -> str:
        return net(
            "Conv2d",
            after,
            name=name,
            out_channels=channels,
            kernel_size=kernel,
            padding=kernel // 2,
        )

    ends = [conv("one", one, 1, net.input)]
    ends.append(
        conv("three", three, 3, conv("reduce3", mid3, 1, net.input) if reduced else net.input)
    )
    ends.append(
        conv("five", five, 5, conv("reduce5", mid5, 1, net.input) if reduced else net.input)
    )
    ends.append(net("MaxPool2d", net.input, name="pool", kernel_size=3, stride=1, padding=1))
    if reduced:
        ends[-1] = conv("project", pooled, 1, ends[-1])
    net("Concat", *ends, name="joined")
    return describe(net.spec().to_json())


def millions(told: dict[str, Any], ids: tuple[str, ...]) -> float:
    """Multiply-adds of some layers [million]."""
    return float(sum(told["nodes"][id]["flops"] for id in ids if id in told["nodes"])) / 2e6


def drawn(told: dict[str, Any]) -> Graph:
    """The module; edges are as thick as the channels they carry."""
    words = {id: (kind, x, y) for id, kind, x, y in LAYOUT}
    nodes, edges = [], []
    for id, one in told["nodes"].items():
        work = one["flops"] / 2e6
        nodes.append(Node(id, *words[id], value=work, detail=f"{work:.1f} M multiply-adds"))
    for one in told["edges"]:
        channels = one["shape"][0]
        edges.append(Edge(one["source"], one["target"], channels / 256, str(channels)))
    return Graph(tuple(nodes), tuple(edges), "the module; on the edges: channels")


@lab(
    covers=["inception"],
    seconds=1,
    tries={
        "Without 1 × 1 reductions": {"reduced": False},
        "A wide 5 × 5 path": {"five": 128},
        "Narrow bottlenecks": {"mid3": 32, "mid5": 8},
    },
    question=Question(
        "Module 3a without its 1 × 1 reductions: how much more work?",
        ("A tenth more", "2.4 times", "9 times"),
        1,
        "303.5 instead of 128.0 million multiply-adds: large windows then read all channels.",
    ),
    needs=["vgg"],
    network="googlenet",
)
def run(
    one: Annotated[int, Slider(8, 256, live=True, unit="channels", help="Wider 1 × 1 path")] = 64,
    mid3: Annotated[int, Slider(8, 192, live=True, unit="channels", help="Before the 3 × 3")] = 96,
    three: Annotated[
        int, Slider(8, 256, live=True, unit="channels", help="Wider 3 × 3 path")
    ] = 128,
    mid5: Annotated[int, Slider(4, 96, live=True, unit="channels", help="Before the 5 × 5")] = 16,
    five: Annotated[int, Slider(8, 128, live=True, unit="channels", help="Wider 5 × 5 path")] = 32,
    pooled: Annotated[
        int, Slider(8, 128, live=True, unit="channels", help="Behind the pooling")
    ] = 32,
    reduced: Annotated[bool, Toggle(live=True, help="1 × 1 before the large windows")] = True,
    heads: Annotated[bool, Toggle(live=True, help="GoogLeNet with its auxiliary heads")] = False,
) -> Frames:
    """One module opened, its meter, and the whole network."""

    def picture(heads: bool, reduced: bool, **widths: Any) -> Frame:
        told = {True: module(**widths, reduced=True), False: module(**widths, reduced=False)}
        heights = {
            words: np.array([millions(told[choice], ids) for ids in PATHS])
            for words, choice in (("with 1 × 1", True), ("without", False))
        }
        whole = describe(find("googlenet-auxiliary" if heads else "googlenet").spec.to_json())
        parts = [one for id, one in whole["nodes"].items() if id.startswith("inception")]
        rows = tuple(
            (name, part["output"][0], part["parameters"], part["flops"] / 2e6)
            for name, part in zip(NAMES, parts, strict=True)
        )
        work = {choice: told[choice]["totals"]["flops"] / 2e6 for choice in told}
        names = ("1 × 1", "3 × 3", "5 × 5", "pooling")
        columns = ("module", "channels", "parameters", "multiply-adds [million]")
        views: dict[str, View] = {
            "module": drawn(told[reduced]),
            "work": Bars(names, heights, "path", "multiply-adds [million]", title="the meter"),
            "network": Table(columns, rows, "GoogLeNet"),
        }
        facts = {
            "module [million multiply-adds]": work[reduced],
            "saved by 1 × 1 [factor]": work[False] / work[True],
            "parameters of the module": told[reduced]["totals"]["parameters"],
            "parameters of GoogLeNet": whole["totals"]["parameters"],
        }
        return Frame(1, 1, views, facts)

    widths = {
        "one": one,
        "mid3": mid3,
        "three": three,
        "mid5": mid5,
        "five": five,
        "pooled": pooled,
    }
    yield from interactive(picture, heads=heads, reduced=reduced, **widths)


def check() -> Iterator[Claim]:
    """Module 3a's parameters and work, and the published networks."""
    told, dear = (module(64, 96, 128, 16, 32, 32, reduced)["totals"] for reduced in (True, False))
    yield same("Module 3a: parameters", told["parameters"], 163_696)
    yield near("Module 3a: multiply-adds [million]", told["flops"] / 2e6, 128.0, 0.05)
    yield near("… without the 1 × 1 reductions [million]", dear["flops"] / 2e6, 303.5, 0.05)
    yield near("… how many times more", dear["flops"] / told["flops"], 2.37, 0.005)
    counts = {"googlenet": 6_624_904, "googlenet-auxiliary": 13_004_888, "inception-v3": 27_161_264}
    for name, count in counts.items():
        measured = describe(find(name).spec.to_json())["totals"]["parameters"]
        yield same(f"{name}: parameters", measured, count)
