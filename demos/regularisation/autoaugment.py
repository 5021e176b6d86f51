"""Let a search choose the augmentation.

Which changes of a picture help depends on the task; so try them out. A *policy* here is two
operations with a strength each, applied to every training picture. AutoAugment searches such
policies by the accuracy they bring on held-out data, in the paper among
`(16 · 10 · 11)^10 ≈ 2.9 · 10³²`, with a learnt controller; RandAugment found that random search in
a far smaller space does about as well. That is what runs here, for digits moved by up to a pixel.

**Try:** click a bar to see what its policy does to the digits, the worst one first.

Source: Cubuk et al. (2019), AutoAugment: learning augmentation strategies from data; Cubuk et al.
(2020), RandAugment: practical automated data augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from demos import kit
from demos.kit import Claim, Frames, Pick, Question, Slider, above, below, near, same
from engine.data.shipped import digits
from engine.views import Bars, Edge, Frame, Graph, Node, Tiles, View

STEPS, MOST = 120, 40


def _shift(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    reach = 1 + round(strength)  # 1 or 2 pixels
    right, down = torch.randint(-reach, reach + 1, (2, len(x)), generator=random)
    wide, at = nn.functional.pad(x, (8, 8, 8, 8)), torch.arange(8, 16)
    rows, columns = at - down[:, None], at - right[:, None]
    return wide[torch.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]]


def _erase(x: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """A square of random place becomes black."""
    side = 1 + round(4 * strength)
    corner, at = torch.randint(0, 9 - side, (2, len(x), 1), generator=random), torch.arange(8)
    rows, columns = ((at >= one) & (at < one + side) for one in corner)
    return torch.where(rows[:, :, None] & columns[:, None, :], 0.0, x)


OPERATIONS: dict[str, Callable[[Tensor, float, torch.Generator], Tensor]] = {
    "shift": _shift,
    "noise": lambda x, s, g: x + s * torch.randn(x.shape, generator=g),
    "brightness": lambda x, s, g: x * (1 + s * (2 * torch.rand(len(x), 1, 1, generator=g) - 1)),
    "erase": _erase,
    "levels": lambda x, s, _: (x * (9 - 8 * s)).round() / (9 - 8 * s),
    "invert": lambda x, s, _: x + s * (1 - 2 * x),
    "half turn": lambda x, *_: x.flip(1, 2),
    "nothing": lambda x, *_: x,
}
Policy = tuple[tuple[str, float], ...]


def policies(count: int, seed: int) -> list[Policy]:
    """Pairs of operations with strengths 0.1 … 1, drawn at random."""
    random = np.random.default_rng(seed)
    names = list(OPERATIONS)
    pairs = random.integers((0, 0, 1, 1), (len(names), len(names), 11, 11), (count, 4)).tolist()
    return [((names[a], i / 10), (names[b], j / 10)) for a, b, i, j in pairs]


def apply(policy: Policy, x: Tensor, random: torch.Generator) -> Tensor:
    """Images `(n, 8, 8)` after each operation in turn."""
    for name, strength in policy:
        x = OPERATIONS[name](x, strength, random)
    return x


def words(policy: Policy) -> str:
    """A policy as a reader would write it."""
    return " + ".join(f"{name} {strength:.1f}" for name, strength in policy) or "no augmentation"


def task(seed: int) -> tuple[list[Tensor], list[Tensor]]:
    """200 digits to learn; 400 to choose a policy by and 1,197 to test, moved by up to a pixel."""
    random = torch.Generator().manual_seed(seed)
    images, labels = digits()
    order = torch.randperm(len(labels), generator=random)
    x, y = torch.from_numpy(images)[order], torch.from_numpy(labels)[order]
    x = torch.cat([x[:200], _shift(x[200:], 0.0, random)])
    return list(x.split([200, 400, 1197])), list(y.split([200, 400, 1197]))


def accuracy(policy: Policy, x: list[Tensor], y: list[Tensor]) -> list[float]:
    """Train 64-128-10 with the policy; held-out and test accuracy [%]."""
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    adam = torch.optim.Adam(net.parameters(), lr=0.01, fused=True)
    for _ in range(STEPS):
        adam.zero_grad()
        nn.functional.cross_entropy(net(apply(policy, x[0], random)), y[0]).backward()
        adam.step()
    with torch.no_grad():
        return [100 * float((net(x[i]).argmax(1) == y[i]).double().mean()) for i in (1, 2)]


@kit.lab(
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
    x, y = task(0)
    population: list[Policy] = [(), *policies(count, seed)]
    scores: list[list[float]] = []
    live: dict[str, Any] = {"shown": shown}

    def picture(shown: int) -> Frame:
        return _frame(x[0][:8], population[: len(scores)], np.array(scores), shown, count)

    for policy in population:
        scores.append(accuracy(policy, x, y))
        live.update((yield partial(picture, **live)) or {})
    yield from kit.interactive(picture, **live)


def _frame(few: Tensor, tried: list[Policy], scores: Any, shown: int, count: int) -> Frame:
    best, worst = int(scores[:, 0].argmax()), int(scores[:, 0].argmin())
    chosen = tried[min(shown, len(tried) - 1)]
    names = tuple(words(policy) for policy in tried)
    three = (tried[best], tried[worst], chosen)
    look = torch.cat([apply(one, few, torch.Generator().manual_seed(0)) for one in three])
    views: dict[str, View] = {
        "scores": Bars(
            names, {"held out": scores[:, 0]}, ylabel="read right [%]",
            level={"no augmentation": float(scores[0, 0])}, title="policies, held-out digits",
        ),
        "pictures": Tiles(
            look.clamp(0, 1).numpy(),
            across=8, title=f"the best, the worst, and {words(chosen)}",
        ),
        "tree": _tree(tried, scores[:, 0] - scores[0, 0]),
    }  # fmt: skip
    gain = scores[:, 1] - scores[0, 1]
    facts = {"best policy: test gain [points]": float(gain[best])}
    facts |= {"worst policy: test gain [points]": float(gain[worst])}
    return Frame(len(tried) - 1, count, views, facts)


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
    x, y = task(0)
    population, plain = policies(24, 0), accuracy((), x, y)[1]
    scores = np.array([accuracy(policy, x, y) for policy in population])
    best, worst = int(scores[:, 0].argmax()), int(scores[:, 0].argmin())
    winner, loser = population[best], population[worst]
    yield same(f"The winner ({words(winner)}) shifts", "shift" in dict(winner), True)
    yield above("Winner, test accuracy over none [points]", scores[best, 1] - plain, 10)
    yield below(f"Worst ({words(loser)}), over none [points]", scores[worst, 1] - plain, -10)
