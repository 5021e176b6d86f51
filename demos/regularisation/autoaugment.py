"""Let a search choose the augmentation.

Which changes of a picture help depends on the task; so try them out. A *policy* here is two
operations with a strength each, applied to every training picture. AutoAugment searches such
policies by the accuracy they bring on held-out data: in the paper 5 pairs of (16 operations × 10
strengths × 11 probabilities), `(16 · 10 · 11)^10 ≈ 2.9 · 10³²` policies, with a learnt controller;
RandAugment found that a random search in a far smaller space does about as well. That is what runs
here: 200 digits to learn from, all others moved by a pixel.

**Try:** click a bar to see what its policy does to the digits, the worst one first.

Source: Cubuk et al. (2019), AutoAugment: learning augmentation strategies from data; Cubuk et al.
(2020), RandAugment: practical automated data augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import (
    Claim,
    Frames,
    Pick,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    near,
    same,
)
from engine.data.shipped import digits
from engine.views import Bars, Edge, Frame, Graph, Node, Table, Tiles, View

STEPS, MOST = 120, 40


def _shift(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    reach = 1 + round(strength)  # 1 or 2 pixels
    right, down = torch.randint(-reach, reach + 1, (2, len(x)), generator=random)
    wide, at = nn.functional.pad(x, (8, 8, 8, 8)), torch.arange(8, 16)
    rows, columns = at - down[:, None], at - right[:, None]
    return wide[torch.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _noise(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    return x + strength * torch.randn(x.shape, generator=random)


def _brightness(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    return x * (1 + strength * (2 * torch.rand(len(x), 1, 1, generator=random) - 1))


def _erase(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """A square of random place becomes black."""
    side = 1 + round(4 * strength)
    corner, at = torch.randint(0, 9 - side, (2, len(x), 1), generator=random), torch.arange(8)
    rows, columns = ((at >= one) & (at < one + side) for one in corner)
    return torch.where(rows[:, :, None] & columns[:, None, :], 0.0, x)


def _levels(x: Tensor, strength: float, _: torch.Generator) -> Tensor:
    steps = max(1, round(8 * (1 - strength)))
    return (x * steps).round() / steps


OPERATIONS: dict[str, Callable[[Tensor, float, torch.Generator], Tensor]] = {
    "shift": _shift,
    "noise": _noise,
    "brightness": _brightness,
    "erase": _erase,
    "levels": _levels,
    "invert": lambda x, strength, _: x + strength * (1 - 2 * x),
    "mirror": lambda x, _, random: torch.where(
        torch.rand(len(x), 1, 1, generator=random) < 0.5, x.flip(2), x
    ),
    "nothing": lambda x, *_: x,
}
Policy = tuple[tuple[str, float], ...]


def policies(count: int, seed: int) -> list[Policy]:
    """Pairs of operations with strengths 0.1 … 1, drawn at random."""
    random = np.random.default_rng(seed)
    names = list(OPERATIONS)
    return [
        tuple(
            (names[random.integers(len(names))], float(random.integers(1, 11)) / 10) for _ in "ab"
        )
        for _ in range(count)
    ]


def apply(policy: Policy, x: Tensor, random: torch.Generator) -> Tensor:
    """Images `(n, 8, 8)` after each operation in turn."""
    for name, strength in policy:
        x = OPERATIONS[name](x, strength, random)
    return x


def words(policy: Policy) -> str:
    """A policy as a reader would write it."""
    return " + ".join(f"{name} {strength:.1f}" for name, strength in policy) or "no augmentation"


@dataclass(frozen=True)
class Task:
    """200 digits to learn; 400 to choose a policy by and 1,197 to test, moved by one pixel."""

    x: list[Tensor]
    y: list[Tensor]

    @classmethod
    def of(cls, seed: int) -> Task:
        """Shuffle the digits and move all but the first 200 to a random neighbour."""
        random = torch.Generator().manual_seed(seed)
        images, labels = digits()
        order = torch.randperm(len(labels), generator=random)
        x, y = torch.from_numpy(images)[order], torch.from_numpy(labels)[order]
        x = torch.cat([x[:200], _shift(x[200:], 0.0, random)])
        return cls(list(x.split([200, 400, 1197])), list(y.split([200, 400, 1197])))

    def accuracy(self, policy: Policy) -> tuple[float, float]:
        """Train 64-128-10 with the policy; held-out and test accuracy [%]."""
        torch.manual_seed(0)
        random = torch.Generator().manual_seed(0)
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        adam = torch.optim.Adam(net.parameters(), lr=0.01, fused=True)
        for _ in range(STEPS):
            adam.zero_grad()
            nn.functional.cross_entropy(net(apply(policy, self.x[0], random)), self.y[0]).backward()
            adam.step()
        with torch.no_grad():
            right = [(net(self.x[i]).argmax(1) == self.y[i]).double().mean() for i in (1, 2)]
        return 100 * float(right[0]), 100 * float(right[1])


@lab(
    covers=["autoaugment"],
    seconds=11,
    quick={"count": 3},
    tries={"Another population": {"seed": 1}, "A longer search": {"count": 40}},
    question=Question(
        "All test digits are moved by a pixel. Can a badly chosen augmentation do harm?",
        ("No, more data never harms", "Yes, it may cost over ten points"),
        1,
        "Inverted digits look like nothing in the test; the network learns another task.",
    ),
    needs=["image-augmentation"],
)
def run(
    count: Annotated[int, Slider(2, MOST, help="A longer search")] = 24,
    shown: Annotated[int, Pick(MOST + 1, "scores", help="Whose pictures to show")] = 0,
    seed: Annotated[int, Slider(0, 99, help="Other policies")] = 0,
) -> Frames:
    """Train with no augmentation, then with one random policy after the other."""
    task, population = Task.of(0), [(), *policies(count, seed)]
    scores: list[tuple[float, float]] = []
    live: dict[str, Any] = {"shown": shown}

    def picture(shown: int) -> Frame:
        return _frame(task, population[: len(scores)], np.array(scores), shown, count)

    for policy in population:
        scores.append(task.accuracy(policy))
        live.update((yield partial(picture, **live)) or {})
    yield from interactive(picture, **live)


def _frame(task: Task, tried: list[Policy], scores: Any, shown: int, count: int) -> Frame:
    best, worst = int(scores[:, 0].argmax()), int(scores[:, 0].argmin())
    chosen = tried[min(shown, len(tried) - 1)]
    names = tuple(words(policy) for policy in tried)
    views: dict[str, View] = {
        "scores": Bars(
            names, {"held out": scores[:, 0]}, ylabel="read right [%]",
            level={"no augmentation": float(scores[0, 0])}, title="policies, held-out digits",
        ),
        "pictures": Tiles(
            torch.cat([_look(task, one) for one in (tried[best], tried[worst], chosen)]).numpy(),
            across=8, title=f"best: {names[best]} · worst: {names[worst]} · shown: {words(chosen)}",
        ),
        "tree": _tree(tried, scores[:, 0] - scores[0, 0]),
        "winners": Table(
            ("policy", "held out [%]", "test [%]"),
            tuple((names[i], *scores[i].round(1).tolist()) for i in np.argsort(-scores[:, 0])[:5]),
            "the best so far",
        ),
    }  # fmt: skip
    gain = scores[:, 1] - scores[0, 1]
    facts = {"best policy: test gain [points]": float(gain[best])}
    facts |= {"worst policy: test gain [points]": float(gain[worst])}
    return Frame(len(tried) - 1, count, views, facts)


def _look(task: Task, policy: Policy) -> Tensor:
    return apply(policy, task.x[0][:8], torch.Generator().manual_seed(0)).clamp(0, 1)


def _tree(tried: list[Policy], gain: Any) -> Graph:
    """First operation, then the policies that begin with it; blue where they help."""
    firsts = sorted({policy[0][0] for policy in tried if policy})
    order = sorted(range(1, len(tried)), key=lambda i: tried[i][0][0])
    nodes = [Node("start", "start", 0, 0.5)]
    nodes += [Node(f, f, 0.5, 1 - (i + 0.5) / len(firsts)) for i, f in enumerate(firsts)]
    nodes += [
        Node(f"{i}", words(tried[i]), 1, 1 - (row + 0.5) / len(order), float(gain[i]))
        for row, i in enumerate(order)
    ]
    edges = [Edge("start", first) for first in firsts]
    edges += [Edge(tried[i][0][0], f"{i}", float(gain[i])) for i in order]
    return Graph(tuple(nodes), tuple(edges), "the search tree, gain over no augmentation [points]")


def check() -> Iterator[Claim]:
    """The paper's space is huge; 24 random policies hold one that helps and one that harms."""
    size = (16 * 10 * 11) ** 10
    yield near("Policies in the paper's space [10³²]", size / 1e32, 2.9, 0.05)
    task, population = Task.of(0), policies(24, 0)
    _, plain = task.accuracy(())
    scores = np.array([task.accuracy(policy) for policy in population])
    best, worst = int(scores[:, 0].argmax()), int(scores[:, 0].argmin())
    yield same(
        f"The winner ({words(population[best])}) shifts", "shift" in dict(population[best]), True
    )
    yield above("Winner, test accuracy over none [points]", scores[best, 1] - plain, 10)
    yield below(
        f"Worst ({words(population[worst])}), over none [points]", scores[worst, 1] - plain, -10
    )
