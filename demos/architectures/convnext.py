"""ConvNeXt: from ResNet, one switch at a time.

Could a plain convolutional network do what transformers do, if it were built as they are? Seven
changes lead from ResNet-50 to ConvNeXt: the ratio of the stages, a stem of patches, depthwise
windows, a block that is wide inside, a large window, fewer activations and norms, layer norm. A
depthwise layer on `C` channels has `k² C` weights, `1/C` of the dense one: that pays for 7 × 7.

**Try:** step through the switches and watch which one changes the cost, and which the accuracy.

Source: Liu et al. (2022), A ConvNet for the 2020s, figure 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, interactive, lab, near, same
from engine.data.shipped import digits
from engine.network.build import build
from engine.network.describe import describe
from engine.network.sketch import Sketch
from engine.network.spec import NetworkSpec
from engine.network.templates import find
from engine.views import Bars, Curve, Edge, Frame, Graph, Node, View

STEPS = (
    "ResNet-50",
    "stage ratio",
    "patchify",
    "depthwise",
    "inverted",
    "7 × 7",
    "GELU, fewer",
    "LN",
)
PAPER = (78.8, 79.4, 79.5, 80.5, 79.9, 80.6, 81.4, 82.0)  # ImageNet top-1 [%], as published


def norm(net: Sketch, step: int) -> None:
    """Batch norm, or layer norm over the channels after the last switch."""
    if step < 7:
        net("BatchNorm2d")
        return
    net("Permute", order=[1, 2, 0])
    net("LayerNorm")
    net("Permute", order=[2, 0, 1])


def block(net: Sketch, step: int, width: int, large: int) -> None:
    """One block after the first `step` switches; keeps the shape."""
    skip, few = net.last, step >= 6
    kernel = large if step >= 5 else 3
    layers = {  # out channels, kernel size, groups
        0: ((width // 4, 1, 1), (width // 4, 3, 1), (width, 1, 1)),
        1: ((width, 1, 1), (width, kernel, width), (width, 1, 1)),
        2: ((width, kernel, width), (4 * width, 1, 1), (width, 1, 1)),
    }[(step >= 3) + (step >= 4)]
    for place, (channels, size, groups) in enumerate(layers):
        net("Conv2d", out_channels=channels, kernel_size=size, padding=size // 2, groups=groups)
        if not few or place == 0:
            norm(net, step)
        if place == 1 or (place == 0 and not few):
            net("GELU" if few else "ReLU")
    net("Add", skip, net.last)
    if not few:
        net("ReLU")


def network(step: int, small: bool) -> NetworkSpec:
    """The network after `step` switches: for 224 pixels, or a small one for digits."""
    net = Sketch(1, 8, 8) if small else Sketch(3, 224, 224)
    widths = (16, 32) if small else (96, 192, 384, 768) if step >= 3 else (256, 512, 1024, 2048)
    depths = (
        ((1, 3) if step >= 1 else (2, 2)) if small else (3, 3, 9, 3) if step >= 1 else (3, 4, 6, 3)
    )
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        patch = 1 if small else 4
        if stage == 0 and step < 2 and not small:
            net("Conv2d", out_channels=64, kernel_size=7, stride=2, padding=3)
            net("MaxPool2d", kernel_size=3, stride=2, padding=1)
            patch = 1
        size = patch if stage == 0 else 2
        net("Conv2d", out_channels=width, kernel_size=size, stride=size)
        norm(net, step)
        for _ in range(depth):
            block(net, step, width, 5 if small else 7)
    net("GlobalAvgPool")
    net("Linear", name="scores", out_features=10 if small else 1000)
    return net.spec()


def drawn(step: int) -> Graph:
    """A block of 96 channels after these switches."""
    net = Sketch(96, 56, 56)
    block(net, step, 96, 7)
    told = describe(net.spec().to_json())
    count = len(told["nodes"]) - 1
    nodes = []
    for place, (id, one) in enumerate(told["nodes"].items()):
        name = one["code"].partition("(")[0].removeprefix("nn.") or "in"
        words = f"{name}\n{one['output'][0]}" if "Conv" in name or name == "in" else name
        nodes.append(
            Node(id, words, place / count, 0.5 + 0.18 * (-1) ** place, float(one["parameters"]))
        )
    edges = [Edge(one["source"], one["target"], 0.6) for one in told["edges"]]
    return Graph(tuple(nodes), tuple(edges), f"the block after: {STEPS[step]}")


def train(step: int, epochs: int, seed: int) -> float:
    """Accuracy of the small network on 400 digits it did not see."""
    torch.manual_seed(seed)
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    y, net = torch.tensor(labels[order]), build(network(step, small=True))
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    for _ in range(epochs):
        for batch in torch.randperm(1397).split(64):
            optimizer.zero_grad()
            scores: Tensor = net(x[batch])
            F.cross_entropy(scores, y[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        return float((net.eval()(x[1397:]).argmax(1) == y[1397:]).float().mean())


@lab(
    covers=["convnext"],
    seconds=1,
    quick={"epochs": 1, "last": 0},
    tries={"A bottleneck": {"switch": 0}, "Wide inside": {"switch": 4}, "ConvNeXt": {"switch": 7}},
    question=Question(
        "7 × 7 windows on 96 channels: dense or depthwise, how many times the weights?",
        ("7 times", "49 times", "96 times"),
        2,
        "Every output channel would read all 96; depthwise, it reads its own.",
    ),
    needs=["resnet", "layer-norm-rmsnorm", "depthwise-separable-convolution"],
    network="convnext-tiny",
)
def run(
    switch: Annotated[int, Slider(0, 7, live=True, help="How many switches are turned")] = 7,
    last: Annotated[int, Slider(0, 7, help="Up to which switch small networks are trained")] = 7,
    epochs: Annotated[int, Slider(1, 6, help="Longer training of the small networks")] = 2,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Turn the switches one after the other; train a small network after each."""
    totals = [describe(network(step, small=False).to_json())["totals"] for step in range(8)]
    scores: list[float] = []

    def picture(switch: int) -> Frame:
        found = np.array([*scores, *[np.nan] * (8 - len(scores))])
        cost = {"multiply-adds [billion]": np.array([one["flops"] / 2e9 for one in totals])}
        size = {"parameters [million]": np.array([one["parameters"] / 1e6 for one in totals])}
        lines = {"small, on digits": 100 * found, "full, on ImageNet (paper)": np.array(PAPER)}
        views: dict[str, View] = {
            "block": drawn(switch),
            "accuracy": Curve(np.arange(8), lines, "switches turned", "accuracy [%]", dots=True),
            "cost": Bars(STEPS, cost, "", "multiply-adds [billion]", title="full size, 224 pixels"),
            "size": Bars(STEPS, size, "", "parameters [million]", title="full size"),
        }
        now = totals[switch]
        facts = {"parameters": now["parameters"], "multiply-adds [billion]": now["flops"] / 2e9}
        return Frame(len(scores), last + 1, views, facts)

    shown: dict[str, Any] = {}
    for step in range(last + 1):
        scores.append(train(step, epochs, seed))
        shown.update((yield partial(picture, **{"switch": step} | shown)) or {})
    yield from interactive(picture, **{"switch": switch} | shown)


def check() -> Iterator[Claim]:
    """Published counts; a depthwise window costs one part in C."""
    for name, count in (("convnext-tiny", 28_589_128), ("convnext-base", 88_591_464)):
        told = describe(find(name).spec.to_json())["totals"]
        yield same(f"{name}: parameters", told["parameters"], count)
    dense, depthwise = (
        torch.nn.Conv2d(96, 96, 7, groups=g, bias=False, device="meta") for g in (1, 96)
    )
    share = depthwise.weight.numel() / dense.weight.numel()
    yield near("7 × 7 on 96 channels: weights depthwise over dense", share, 1 / 96, 1e-15)
