"""AlexNet: two towers and a bar of parameters.

Eight layers, ReLU, dropout, overlapping pooling and two graphics cards: the network that won in
2012. Each card held half of the channels, so three convolutions read only their own half. After
ReLU, large answers damp their neighbours: `b_i = a_i / (k + α Σ_j a_j²)^β` over `n` channels
around `i`, the local response normalisation. Nearly all parameters sit in three dense layers.

**Try:** strengthen α and watch a strong channel silence its neighbours.

Source: Krizhevsky et al. (2012), ImageNet classification with deep convolutional networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, Toggle, below, interactive, lab, near, same
from engine.network.describe import describe
from engine.network.templates import find
from engine.views import Array, Bars, Curve, Edge, Frame, Graph, Node, Note, View

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5", "linear1", "linear2", "scores")
SPLIT = {"conv1": 1, "conv2": 2, "conv3": 1, "conv4": 2, "conv5": 2, "linear1": 1}


def respond(a: Tensor, n: int, k: float, alpha: float, beta: float) -> Tensor:
    """The paper's local response normalisation of `(batch, channels, rows, columns)`."""
    channels = a.shape[1]
    damped = torch.empty_like(a)
    for i in range(channels):
        near_by = a[:, max(0, i - n // 2) : min(channels, i + n // 2 + 1)]
        damped[:, i] = a[:, i] / (k + alpha * near_by.square().sum(1)) ** beta
    return damped


def parameters(name: str) -> Array:
    """Parameters of the eight layers of a template."""
    nodes = describe(find(name).spec.to_json())["nodes"]
    return np.array([float(nodes[layer]["parameters"]) for layer in LAYERS])


def towers(split: bool) -> Graph:
    """Two towers, and where their channels meet."""
    at = {layer: i / (len(LAYERS) - 1) for i, layer in enumerate(LAYERS)}
    halves = {"card 1": 0.75, "card 2": 0.25} if split else {"one tower": 0.5}
    nodes = [
        Node(f"{card} {one}", one, at[one], y, kind=card)
        for card, y in halves.items()
        for one in LAYERS
    ]
    edges = []
    for before, layer in pairwise(LAYERS):
        for card in halves:
            for other in halves:
                if card == other or SPLIT.get(layer, 1) == 1:
                    edges.append(
                        Edge(f"{card} {before}", f"{other} {layer}", 1.0 if card == other else -0.6)
                    )
    return Graph(tuple(nodes), tuple(edges), "who reads whom (orange: across the cards)")


@lab(
    covers=["alexnet"],
    seconds=3,
    tries={
        "Strong damping": {"alpha": 0.3, "n": 5},
        "As in the paper": {"alpha": 1e-4, "n": 5, "k": 2.0, "beta": 0.75},
        "One tower": {"split": False},
    },
    question=Question(
        "Which layers hold most of AlexNet's 61 million parameters?",
        ("The five convolutions", "The three dense layers", "About half and half"),
        1,
        "96 %: the first dense layer alone has 9,216 × 4,096 = 37.7 million weights.",
    ),
    needs=["lenet-5", "fully-connected-head"],
    network="alexnet",
)
def run(
    split: Annotated[bool, Toggle(live=True, help="Two cards as in 2012, or one tower")] = True,
    n: Annotated[int, Slider(1, 15, live=True, help="More neighbouring channels")] = 5,
    k: Annotated[float, Slider(0.5, 4.0, live=True, help="Less damping of small answers")] = 2.0,
    alpha: Annotated[float, Slider(1e-4, 1.0, log=True, live=True, help="More damping")] = 0.05,
    beta: Annotated[float, Slider(0.1, 1.5, live=True, help="Steeper damping")] = 0.75,
    seed: Annotated[int, Slider(0, 99, live=True, help="Other channels")] = 0,
) -> Frames:
    """The towers, the bar of parameters, and the damping of a column of channels."""
    both = {"two towers": parameters("alexnet-original"), "one tower": parameters("alexnet")}

    def picture(split: bool, n: int, k: float, alpha: float, beta: float, seed: int) -> Frame:
        a = torch.randn(40, generator=torch.Generator().manual_seed(seed)).mul(3).relu()
        a[20] = 20.0
        b = respond(a[None, :, None, None], n, k, alpha, beta)[0, :, 0, 0]
        lines = {"ReLU": a.numpy(), "damped, rescaled": (b * a.max() / b.max()).numpy()}
        chosen = both["two towers" if split else "one tower"]
        dense = float(chosen[5:].sum() / chosen.sum())
        views: dict[str, View] = {
            "towers": towers(split),
            "parameters": Bars(
                LAYERS, both, "layer", "parameters", title="where the parameters are"
            ),
            "response": Curve(
                np.arange(40), lines, "channel", "answer", dots=True, title="one pixel's channels"
            ),
            "words": Note(
                f"{chosen.sum():,.0f} parameters, {dense:.1%} of them in three dense layers."
            ),
        }
        facts = {"parameters": float(chosen.sum()), "share of the dense layers [%]": 100 * dense}
        return Frame(1, 1, views, facts)

    yield from interactive(picture, split=split, n=n, k=k, alpha=alpha, beta=beta, seed=seed)


def check() -> Iterator[Claim]:
    """Both counts, and the paper's normalisation is torch's with α multiplied by n."""
    one = parameters("alexnet")
    yield same(
        "Two towers, grouped: parameters", int(parameters("alexnet-original").sum()), 60_965_224
    )
    yield same("One tower: parameters", int(one.sum()), 61_100_840)
    yield near(
        "One tower: share of the three dense layers [%]",
        100 * one[5:].sum() / one.sum(),
        96.0,
        0.05,
    )
    a = 10 * torch.rand(
        2, 24, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    for n in (3, 5, 7):
        ours, torchs = (
            respond(a, n, 2.0, 1e-4, 0.75),
            F.local_response_norm(a, n, n * 1e-4, 0.75, 2.0),
        )
        yield below(
            f"Paper's α against torch's n·α, n = {n}: gap",
            float((ours - torchs).abs().max()),
            1e-10,
        )
    gap = float(
        (respond(a, 5, 2.0, 1e-2, 0.75) - F.local_response_norm(a, 5, 1e-2, 0.75, 2.0)).abs().max()
    )
    yield same("Without the factor n they differ", gap > 1e-3, True)
