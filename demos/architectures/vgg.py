"""VGG: many small windows instead of one large.

A stack of `n` convolutions of 3 × 3 sees `2n + 1` pixels, as one window of that width does, but
with `9 n C²` weights instead of `(2n + 1)² C²`, and with a non-linearity after each. VGG takes
nothing else: five blocks of 3 × 3, each pooled, then three dense layers; its versions A to E differ
only in how many convolutions each block has.

**Try:** five layers: which is cheaper, the stack or an 11 × 11 window, and by how much?

Source: Simonyan & Zisserman (2015), Very Deep Convolutional Networks for Large-Scale Recognition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn

from demos.kit import Choice, Claim, Frames, Question, Slider, interactive, lab, near, same
from engine.network.describe import describe
from engine.network.templates import find
from engine.views import Array, Bars, Curve, Field, Frame, View

VERSIONS = {"A: VGG-11": "vgg11", "B: VGG-13": "vgg13", "D: VGG-16": "vgg16", "E: VGG-19": "vgg19"}
SIDE = 25
EXTENT = (-12.5, 12.5, -12.5, 12.5)  # left, right, bottom, top


def stack(layers: int, channels: int) -> nn.Sequential:
    """`layers` convolutions of 3 × 3 without biases."""
    return nn.Sequential(
        *(nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(layers))
    )


def window(layers: int, channels: int) -> nn.Conv2d:
    """One convolution that sees as far."""
    return nn.Conv2d(channels, channels, 2 * layers + 1, padding=layers, bias=False)


def weights(net: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(p.numel() for p in net.parameters())


def seen(net: nn.Module, channels: int) -> Array:
    """How much each pixel moves the output in the middle, `(25, 25)`."""
    x = torch.rand(1, channels, SIDE, SIDE, requires_grad=True)
    (slope,) = torch.autograd.grad(net(x)[0, :, SIDE // 2, SIDE // 2].sum(), x)
    influence: Array = slope.abs().sum((0, 1)).numpy()
    return influence


def layers(name: str) -> dict[str, Any]:
    """Layer -> what describe says, for those that learn."""
    nodes = describe(find(name).spec.to_json())["nodes"]
    return {id: told for id, told in nodes.items() if told["parameters"]}


@lab(
    covers=["vgg"],
    seconds=1,
    tries={
        "Three layers: 7 × 7": {"depth": 3},
        "Five layers: 11 × 11": {"depth": 5},
        "VGG-19": {"version": "E: VGG-19"},
    },
    question=Question(
        "Three 3 × 3 layers or one 7 × 7, the same channels: which has more weights?",
        ("The three layers", "The 7 × 7: 81 % more", "The same"),
        1,
        "27 C² against 49 C²: 49/27 = 1.81.",
    ),
    needs=["receptive-field", "alexnet"],
    network="vgg16",
)
def run(
    depth: Annotated[int, Slider(1, 8, live=True, unit="layers", help="A taller stack")] = 3,
    channels: Annotated[int, Slider(1, 16, live=True, help="More channels")] = 8,
    version: Annotated[str, Choice(tuple(VERSIONS), live=True)] = "D: VGG-16",
) -> Frames:
    """Stack against window, and the chosen version layer by layer."""

    def picture(depth: int, channels: int, version: str) -> Frame:
        torch.manual_seed(0)
        pair = {"stack of 3 × 3": stack(depth, channels), "one window": window(depth, channels)}
        counts = np.array([weights(net) for net in pair.values()], dtype=float)
        tall = np.arange(1, 9)
        lines = {
            "stack of 3 × 3": 9.0 * tall * channels**2,
            "one window": (2.0 * tall + 1) ** 2 * channels**2,
        }
        told = layers(VERSIONS[version])
        numbers = {
            "parameters [million]": np.array([one["parameters"] / 1e6 for one in told.values()])
        }
        work = {"multiply-adds [billion]": np.array([one["flops"] / 2e9 for one in told.values()])}
        by_stack, by_window = (seen(net, channels) for net in pair.values())
        views: dict[str, View] = {
            "stack": Field(
                by_stack,
                EXTENT,
                title=f"seen through {depth} layers of 3 × 3",
                xlabel="column [pixel]",
                ylabel="row [pixel]",
            ),
            "window": Field(
                by_window,
                EXTENT,
                title=f"seen by one {2 * depth + 1} × {2 * depth + 1}",
                xlabel="column [pixel]",
                ylabel="row [pixel]",
            ),
            "weights": Curve(
                2 * tall + 1,
                lines,
                "sees [pixel]",
                "weights",
                marks={"now": 2.0 * depth + 1},
                dots=True,
            ),
            "parameters": Bars(
                tuple(told), numbers, "layer", "parameters [million]", title=version
            ),
            "work": Bars(tuple(told), work, "layer", "multiply-adds [billion]", title=version),
        }
        facts = {
            "sees [pixel]": 2 * depth + 1,
            "window over stack": counts[1] / counts[0],
            "parameters of the version": sum(one["parameters"] for one in told.values()),
        }
        return Frame(1, 1, views, facts)

    yield from interactive(picture, depth=depth, channels=channels, version=version)


def check() -> Iterator[Claim]:
    """Published counts; three layers see 7 × 7 with 27 C² weights."""
    for name, count in (("vgg16", 138_357_544), ("vgg19", 143_667_240)):
        yield same(
            f"{name}: parameters", sum(one["parameters"] for one in layers(name).values()), count
        )
    wide = [int((seen(net, 4).sum(0) > 0).sum()) for net in (stack(3, 4), window(3, 4))]
    yield same("Three 3 × 3 layers see [pixel], by gradient", wide[0], 7)
    yield same("One 7 × 7 layer sees [pixel], by gradient", wide[1], 7)
    yield same("Weights of the stack over C², C = 64", weights(stack(3, 64)) // 64**2, 27)
    yield same("Weights of the window over C², C = 64", weights(window(3, 64)) // 64**2, 49)
    more = 100 * (weights(window(3, 64)) / weights(stack(3, 64)) - 1)
    yield near("How many more the window has [%]", more, 81, 0.6)
