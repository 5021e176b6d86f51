"""RegNet: a straight line of widths.

Instead of one network, search a *space* of networks and keep what its good members share. What was
left is a line: block `j` should be `u_j = w_0 + w_a j` wide. To make stages of equal blocks, widths
are rounded to powers, `w_j = w_0 w_m^⌊s_j⌉` with `s_j = log(u_j/w_0)/log w_m`, then to multiples of
8 and of the group width. Five numbers describe the whole network.

**Try:** change the slope `w_a` and watch the steps follow the line; then sample the space.

Source: Radosavovic et al. (2020), Designing Network Design Spaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, interactive, lab, same
from engine.data.shipped import digits
from engine.network.describe import describe
from engine.network.sketch import Sketch
from engine.network.templates import find
from engine.network.templates.regnet import regnet
from engine.views import Array, Curve, Frame, Histogram, Points, Table, View

SAMPLED = 100


def widths(w_0: float, w_a: float, w_m: float, d: int, q: int = 8) -> tuple[Array, Array]:
    """The line and its steps, `(d,)` each: `u_j` and widths that are multiples of `q`."""
    line = w_0 + w_a * np.arange(d)
    power = np.round(np.log(line / w_0) / np.log(w_m))
    steps = np.round(w_0 * w_m**power / q) * q
    return line, np.maximum(steps, q).astype(int)


def stages(w_0: float, w_a: float, w_m: float, d: int, g: int) -> tuple[list[int], list[int]]:
    """Width and number of blocks of each stage, widths made multiples of the group width."""
    found, depths = np.unique(widths(w_0, w_a, w_m, d)[1], return_counts=True)
    fitting = [max(g, round(width / g) * g) for width in found.tolist()]
    merged = dict.fromkeys(sorted(set(fitting)), 0)
    for width, depth in zip(fitting, depths.tolist(), strict=True):
        merged[width] += depth
    return list(merged), list(merged.values())


def cost(wide: list[int], deep: list[int], g: int, side: int = 224) -> dict[str, Any]:
    """Totals of the network as the builder counts them."""
    net = Sketch(3, side, side)
    net.conv(32, 3, 2)
    spec = regnet(net, tuple(wide), tuple(deep), g, excited=False, classes=1000)
    totals: dict[str, Any] = describe(spec.to_json())["totals"]
    return totals


def tiny_error(random: np.random.Generator, x: torch.Tensor, y: torch.Tensor) -> float:
    """Test error of a small random network of the space after a short training on digits."""
    w_0, w_a, d = (
        int(random.integers(1, 4)) * 8,
        float(random.uniform(0, 12)),
        int(random.integers(1, 4)),
    )
    wide = widths(w_0, w_a, 2.0, d)[1].tolist()
    layers: list[nn.Module] = []
    for before, width in zip([1, *wide], wide, strict=False):
        layers += [nn.Conv2d(before, width, 3, 2, 1), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide[-1], 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for batch in torch.randperm(len(x) - 300).split(64)[:12]:
        optimizer.zero_grad()
        F.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        return float((net(x[-300:]).argmax(1) != y[-300:]).float().mean())


def data() -> tuple[torch.Tensor, torch.Tensor]:
    """The 1,797 digits, shuffled, `(n, 1, 8, 8)`, and their classes."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(images[order, None], dtype=torch.float32)
    return x, torch.tensor(labels[order])


@lab(
    covers=["regnet"],
    seconds=1,
    quick={"sampled": 3},
    tries={
        "RegNetX-400MF": {"w_0": 24, "w_a": 24.48, "w_m": 2.54, "d": 22, "g": 16},
        "A steep line": {"w_a": 60.0},
        "Many small steps": {"w_m": 1.5},
    },
    question=Question(
        "w_0 = 24, w_a = 24.48, d = 22: how wide does the line say the last block should be?",
        ("384", "538", "24"),
        1,
        "24 + 24.48 · 21 = 538; the nearest power 24 · 2.54³ = 393 makes it 384, a multiple of 16.",
    ),
    needs=["resnet"],
    network="regnet-x-400mf",
)
def run(
    w_0: Annotated[int, Slider(8, 96, live=True, unit="channels", help="A wider first block")] = 24,
    w_a: Annotated[float, Slider(1.0, 80.0, live=True, help="A steeper line")] = 24.48,
    w_m: Annotated[float, Slider(1.3, 3.5, live=True, help="Larger steps, fewer stages")] = 2.54,
    d: Annotated[int, Slider(1, 28, live=True, unit="blocks", help="A deeper network")] = 22,
    g: Annotated[int, Slider(1, 48, live=True, unit="channels", help="Wider groups")] = 16,
    sampled: Annotated[int, Slider(2, SAMPLED, help="Small networks trained on digits")] = 60,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Sample the space one small network at a time; the line answers all the while."""
    torch.manual_seed(seed)
    random, (x, y) = np.random.default_rng(seed), data()
    errors: list[float] = []

    def picture(w_0: int, w_a: float, w_m: float, d: int, g: int) -> Frame:
        line, steps = widths(w_0, w_a, w_m, d)
        wide, deep = stages(w_0, w_a, w_m, d, g)
        totals = cost(wide, deep, g)
        blocks = np.arange(d)
        lines = {
            "line": line,
            "to powers of w_m, by 8": steps.astype(float),
            "by groups": np.repeat(wide, deep).astype(float),
        }
        edges = np.linspace(0, 1, 21)
        ranked = np.sort(errors)
        share = (np.arange(len(ranked)) + 1) / len(ranked)
        rows = tuple((i + 1, w, n, w // g) for i, (w, n) in enumerate(zip(wide, deep, strict=True)))
        views: dict[str, View] = {
            "widths": Curve(
                blocks, lines, "block", "channels", dots=True, title="the line and its steps"
            ),
            "stages": Table(
                ("stage", "channels", "blocks", "groups"), rows, "five numbers make this"
            ),
            "space": Points(
                np.stack([ranked, share], 1),
                extent=(0.0, 1.0, 0.0, 1.05),
                xlabel="error on 300 digits",
                ylabel="share of networks",
                title="error distribution of sampled networks",
            ),
            "histogram": Histogram(
                edges,
                {"networks": np.histogram(errors, edges)[0]},
                xlabel="error",
                ylabel="networks",
            ),
        }
        facts = {
            "parameters": totals["parameters"],
            "multiply-adds [million]": totals["flops"] / 2e6,
            "stages": len(wide),
        }
        return Frame(len(errors), sampled, views, facts)

    shown: dict[str, Any] = {"w_0": w_0, "w_a": w_a, "w_m": w_m, "d": d, "g": g}
    for _ in range(sampled):
        errors.append(tiny_error(random, x, y))
        shown.update((yield partial(picture, **shown)) or {})
    yield from interactive(picture, **shown)


def check() -> Iterator[Claim]:
    """Five numbers give RegNetX-400MF, to the parameter."""
    wide, deep = stages(24, 24.48, 2.54, 22, 16)
    yield same("Widths of the stages", ",".join(map(str, wide)), "32,64,160,384")
    yield same("Blocks of the stages", ",".join(map(str, deep)), "1,2,7,12")
    yield same("Parameters of the network they make", cost(wide, deep, 16)["parameters"], 5_157_512)
    for name, count in (("regnet-x-400mf", 5_157_512), ("regnet-y-400mf", 4_344_144)):
        told = describe(find(name).spec.to_json())["totals"]
        yield same(f"{name}: parameters", told["parameters"], count)
    yield same(
        "With the last stage rounded to 400, as torchvision does",
        cost([32, 64, 160, 400], deep, 16)["parameters"],
        5_495_976,
    )
