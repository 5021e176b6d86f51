"""ShuffleNet: groups that talk to each other.

A grouped convolution splits the channels into `g` groups and connects only within them: `1/g` of
the weights. But two such layers in a row never mix the groups. The channel shuffle mixes for
nothing: write the channels as a table of `g` rows and read it by columns, so that place `j` gets
channel `(j mod g) n + ⌊j/g⌋`, with `n` channels a group. Now every output can use every input.

**Try:** switch the shuffle off and see which inputs an output still reaches.

Source: Zhang et al. (2018), ShuffleNet; Ma et al. (2018), ShuffleNet V2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import Claim, Frames, Question, Slider, Toggle, interactive, lab, near, same
from engine.network.describe import describe
from engine.network.templates import find
from engine.views import Array, Bars, Edge, Frame, Graph, Matrix, Node, View

PUBLISHED = {"shufflenet-v2-half": 1_366_792, "shufflenet-v2": 2_278_604}


def shuffle(x: Tensor, groups: int) -> Tensor:
    """Channels read by columns of a table with `groups` rows: `(n, c, h, w)` to the same."""
    n, channels, rows, columns = x.shape
    table = x.view(n, groups, channels // groups, rows, columns)
    return table.transpose(1, 2).reshape(n, channels, rows, columns)


def order(channels: int, groups: int) -> list[int]:
    """Which channel stands where after the shuffle."""
    x = torch.arange(channels, dtype=torch.float32).view(1, -1, 1, 1)
    return [int(c) for c in shuffle(x, groups).flatten()]


def connected(channels: int, groups: int, shuffled: bool) -> Array:
    """Whether output (row) depends on input (column) through two grouped layers, by gradient."""
    layers = [nn.Conv2d(channels, channels, 1, groups=groups, bias=False) for _ in range(2)]
    for layer in layers:
        nn.init.ones_(layer.weight)
    x = torch.ones(1, channels, 1, 1)

    def through(x: Tensor) -> Tensor:
        middle = layers[0](x)
        out: Tensor = layers[1](shuffle(middle, groups) if shuffled else middle)
        return out.flatten()

    slopes = torch.autograd.functional.jacobian(through, x)
    reached: Array = (slopes.view(channels, channels) != 0).numpy().astype(float)
    return reached


def drawn(channels: int, groups: int, shuffled: bool, output: int) -> Graph:
    """Four columns of channels; wires that lead to one output are bright."""
    n = channels // groups
    moved = order(channels, groups) if shuffled else list(range(channels))
    alive = {output}
    layer2 = [(a, b) for a in range(channels) for b in range(channels) if a // n == b // n]
    middle = {a for a, b in layer2 if b in alive}
    before = {moved[a] for a in middle}
    first = {a for a, b in layer2 if b in before}
    lit = (first, before, middle, alive)
    nodes = [
        Node(f"{stage}.{c}", str(c), stage / 3, 1 - (c + 0.5) / channels, kind=f"group {c // n}")
        for stage in range(4)
        for c in range(channels)
    ]
    edges = [Edge(f"0.{a}", f"1.{b}", 1.0 if b in before else 0.1) for a, b in layer2]
    edges += [
        Edge(f"1.{c}", f"2.{at}", -1.0 if at in middle else -0.2) for at, c in enumerate(moved)
    ]
    edges += [Edge(f"2.{a}", f"3.{b}", 1.0 if b in alive else 0.1) for a, b in layer2]
    return Graph(
        tuple(nodes), tuple(edges), f"output {output} reads {len(lit[0])} of {channels} inputs"
    )


@lab(
    covers=["shufflenet"],
    seconds=1,
    tries={
        "Without shuffle": {"shuffled": False},
        "Two groups": {"groups": 2},
        "Six groups": {"groups": 6},
    },
    question=Question(
        "Two grouped layers, 3 groups, no shuffle: how many inputs does an output use?",
        ("All", "A third", "A ninth"),
        1,
        "It stays in its own group for ever: 4 of 12.",
    ),
    needs=["depthwise-separable-convolution"],
    network="shufflenet-v2",
)
def run(
    shuffled: Annotated[bool, Toggle(live=True, help="Shuffle between the two layers")] = True,
    groups: Annotated[int, Slider(1, 6, live=True, help="More groups, fewer weights")] = 3,
    size: Annotated[int, Slider(1, 6, live=True, unit="channels", help="Channels of a group")] = 4,
    output: Annotated[int, Slider(0, 35, live=True, help="Which output to follow back")] = 5,
) -> Frames:
    """Follow one output back through both layers."""

    def picture(shuffled: bool, groups: int, size: int, output: int) -> Frame:
        channels = groups * size
        reached = connected(channels, groups, shuffled)
        weights = np.array([2.0 * channels**2, 2.0 * channels**2 / groups])
        places = np.zeros((channels, channels))
        places[range(channels), order(channels, groups)] = 1
        views: dict[str, View] = {
            "wires": drawn(channels, groups, shuffled, min(output, channels - 1)),
            "reached": Matrix(reached, xlabel="input", ylabel="output", title="who can use whom"),
            "shuffle": Matrix(
                places, xlabel="channel", ylabel="its new place", title="the shuffle"
            ),
            "weights": Bars(
                ("dense", "grouped"), {"weights": weights}, "", "weights of two layers"
            ),
        }
        facts = {"pairs connected [%]": 100 * float(reached.mean()), "channels": channels}
        return Frame(channels, channels, views, facts)

    shown: dict[str, Any] = {"shuffled": shuffled, "groups": groups, "size": size}
    for follow in range(min(groups * size, 6)):
        shown.update((yield partial(picture, **{"output": follow} | shown)) or {})
    yield from interactive(picture, **{"output": output} | shown)


def check() -> Iterator[Claim]:
    """The permutation, the reach, and the published counts."""
    moved = order(12, 3)
    said = ",".join(map(str, moved))
    yield same("12 channels, 3 groups: the order", said, "0,4,8,1,5,9,2,6,10,3,7,11")
    yield same("It is a bijection", sorted(moved) == list(range(12)), True)
    x = torch.randn(2, 12, 3, 3)
    yield same(
        "It equals torch's own", bool((shuffle(x, 3) == nn.ChannelShuffle(3)(x)).all()), True
    )
    without, with_it = (float(connected(12, 3, shuffled).mean()) for shuffled in (False, True))
    yield near("Input-output pairs connected without it", without, 1 / 3, 1e-12)
    yield near("Input-output pairs connected with it", with_it, 1.0, 1e-12)
    for name, count in PUBLISHED.items():
        told = describe(find(name).spec.to_json())["totals"]
        yield same(f"{name}: parameters", told["parameters"], count)
