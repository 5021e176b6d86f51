"""The same picture, from LeNet to ConvNeXt.

Thirty years of networks on one page: how many parameters they learn, how many multiply-adds one
picture costs, and how often they are right on ImageNet. From each family a small member is trained
here on the same digits; one digit then goes through all of them, and you see what each makes of it
on the way: after the first layers, half way, and at the end.

**Try:** change the digit; then compare two networks of equal cost in the chart.

Source: the papers named in the builder's templates; accuracies from torchvision's model pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Choice, Claim, Frames, Question, Slider, above, below, interactive, lab, same
from engine.data.shipped import digits
from engine.network.build import build
from engine.network.describe import describe
from engine.network.templates import find, templates
from engine.network.twins import NETWORKS, gap
from engine.views import Array, Bars, Frame, Points, Table, Tiles, View

ZOO = {  # template -> year, ImageNet top-1 [%] of the weights first published with torchvision
    "alexnet": (2012, 56.5), "vgg16": (2014, 71.6), "vgg19": (2014, 72.4),
    "googlenet": (2014, 69.8), "inception-v3": (2015, 77.3), "resnet18": (2015, 69.8),
    "resnet34": (2015, 73.3), "resnet50": (2015, 76.1), "resnet101": (2015, 77.4),
    "resnet152": (2015, 78.3), "densenet121": (2016, 74.4), "densenet169": (2016, 75.6),
    "densenet201": (2016, 76.9), "resnext50": (2016, 77.6), "mobilenet-v2": (2018, 71.9),
    "shufflenet-v2-half": (2018, 60.6), "shufflenet-v2": (2018, 69.4),
    "mobilenet-v3-small": (2019, 67.7), "mobilenet-v3-large": (2019, 74.0),
    "efficientnet-b0": (2019, 77.7), "efficientnet-b3": (2019, 82.0),
    "efficientnet-b7": (2019, 84.1), "regnet-y-400mf": (2020, 74.0),
    "regnet-y-800mf": (2020, 76.4), "convnext-tiny": (2022, 82.5), "convnext-base": (2022, 84.1),
}  # fmt: skip
FAMILIES = ("Images", "Mobile")
SMALL = (
    *("lenet", "vgg", "inception", "resnet", "densenet"),
    *("mobilenet", "shufflenet", "efficientnet", "convnext"),
)


def journey(net: nn.Module, x: Tensor) -> Array:
    """What one picture looks like after the first layers, half way, and at the end, `(3, 8, 8)`."""
    seen: list[Any] = []  # what each layer gives: a tensor
    layers = [m for m in net.modules() if not list(m.children())]
    hooks = [m.register_forward_hook(lambda _m, _i, out: seen.append(out)) for m in layers]
    with torch.no_grad():
        net.eval()(x)
    for hook in hooks:
        hook.remove()
    maps = [
        z for z in seen if isinstance(z, Tensor) and z.ndim == 4 and 1 < z.shape[-1] == z.shape[-2]
    ]
    chosen = (maps[2], maps[len(maps) // 2], maps[-1])
    strongest = [z[0, z[0].flatten(1).std(1).argmax()][None, None] for z in chosen]
    shown = torch.cat([F.interpolate(z, size=(8, 8)) for z in strongest])[:, 0]
    pictures: Array = shown.numpy()
    return pictures


def train(name: str, x: Tensor, y: Tensor, epochs: int) -> tuple[nn.Module, float]:
    """A family's small member after training, and its accuracy on 400 digits it did not see."""
    torch.manual_seed(0)
    net = build(find(f"{name}-digits").spec)
    optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
    for batch in (b for _ in range(epochs) for b in torch.randperm(1397).split(64)):
        optimizer.zero_grad()
        F.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        return net, float((net.eval()(x[1397:]).argmax(1) == y[1397:]).float().mean())


@lab(
    covers=["architecture-comparison"],
    seconds=15,
    quick={"nets": 1, "epochs": 1},
    tries={"An eight": {"digit": 8}, "Accuracy for its work": {"axis": "multiply-adds"}},
    question=Question(
        "EfficientNet-B0 is as accurate as ResNet-101. How many of its parameters has it?",
        ("As many", "A half", "An eighth"),
        2,
        "5.3 against 44.5 million; in 2012 AlexNet used 61 million for 56 %.",
    ),
    needs=["lenet-5", "resnet", "convnext"],
)
def run(
    digit: Annotated[int, Slider(0, 9, live=True, help="Which digit travels")] = 3,
    axis: Annotated[str, Choice(("parameters", "multiply-adds"), live=True)] = "parameters",
    nets: Annotated[int, Slider(1, 9, help="How many small networks are trained")] = 9,
    epochs: Annotated[int, Slider(1, 6, help="Longer training")] = 2,
) -> Frames:
    """Train the families' small members in turn; one digit travels through them all."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    y = torch.tensor(labels[order])
    totals = {name: describe(find(name).spec.to_json())["totals"] for name in ZOO}
    rows = tuple(
        (name, year, totals[name]["parameters"], round(totals[name]["flops"] / 2e6, 1), top)
        for name, (year, top) in ZOO.items()
    )
    trained: dict[str, tuple[nn.Module, float]] = {}

    def picture(digit: int, axis: str) -> Frame:
        column = 2 if axis == "parameters" else 3
        places = np.array([(np.log10(row[column]), row[4]) for row in rows])
        years = np.array([(row[1] - 2012) // 3 for row in rows])
        seen = x[1397:][y[1397:] == digit][:1]
        tiles = np.concatenate([journey(net, seen) for net, _ in trained.values()])
        words = tuple(
            f"{name}: {where}" for name in trained for where in ("first", "half way", "last")
        )
        scores = {"accuracy": np.array([score for _, score in trained.values()])}
        what = "parameters" if axis == "parameters" else "million multiply-adds"
        eras, top = ("2012-14", "2015-17", "2018-20", "2021-"), "ImageNet top-1 [%]"
        across = f"{what} [log₁₀]"
        views: dict[str, View] = {
            "journey": Tiles(
                tiles, words, "sequential", across=6, title=f"one {digit} through all"
            ),
            "zoo": Points(places, years, eras, xlabel=across, ylabel=top, title="thirty years"),
            "race": Bars(tuple(trained), scores, "small member", "accuracy on 400 digits"),
            "table": Table(("network", "year", "parameters", "million multiply-adds", top), rows),
        }
        facts = {
            "networks in the zoo": len(rows),
            "best small accuracy": float(scores["accuracy"].max()),
        }
        return Frame(len(trained), nets, views, facts)

    shown: dict[str, Any] = {"digit": digit, "axis": axis}
    for name in SMALL[:nets]:
        trained[name] = train(name, x, y, epochs)
        shown.update((yield partial(picture, **shown)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """The builder's networks are the published ones, in number and in what they compute."""
    published = [t for t in templates().values() if t.parameters and t.family in FAMILIES]
    counts = [describe(t.spec.to_json())["totals"]["parameters"] for t in published]
    right = [t.parameters == count for t, count in zip(published, counts, strict=True)]
    yield same("Published networks whose count differs from the builder's", right.count(False), 0)
    yield above("Networks whose parameters agree to the unit", right.count(True), 25)
    for name in NETWORKS:
        yield below(f"{name}: template − written by hand, copied weights", gap(name), 1e-4)
