"""Sixty years of neural networks on the same digits.

1958: a layer of units that learns. 1969: proof of what it cannot learn (XOR), and a winter. 1986:
back-propagation trains hidden layers. 1989 and 1998: shared weights that look at small patches.
2012: ReLU, dropout and speed. 2015: shortcuts `x + f(x)` carry the gradient through any depth.
2017: attention, where every patch asks every other. Here each era's idea, in miniature, learns the
same 1,437 small digits for the same number of epochs.

**Try:** click a date to train its network next, and look at the digits it gets wrong.

Source: Rosenblatt (1958); Minsky & Papert (1969); Rumelhart et al. (1986); LeCun et al. (1989,
1998); Krizhevsky et al. (2012); He et al. (2015); Vaswani et al. (2017).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from demos.kit import Claim, Frames, Pick, Question, Slider, above, lab, near, same
from engine.data.shipped import digits
from engine.models.eras import IDEAS, network
from engine.one_step import one_step
from engine.optimisers import Memory
from engine.views import Curve, Edge, Frame, Graph, Node, Note, Tiles, View

TRAIN, BATCH = 1437, 32  # the other 360 digits are the test
YEARS = tuple(IDEAS)
STORY = {
    1958: "Ten units, one a digit, corrected whenever the wrong one wins. No hidden layer.",
    1969: "A line gets 3 of XOR's 4 corners, never all: see the lab *XOR's missing line*.",
    1986: "A hidden layer of sigmoids, trained by sending the error backwards.",
    1989: "The same small weights look everywhere: few parameters, built for pictures.",
    1998: "LeNet: look, pool, look, pool, decide. Banks read cheques with it.",
    2012: "ReLUs learn fast, dropout keeps many from memorising, GPUs do the work.",
    2015: "`x + f(x)`: each block adds a correction, and the gradient has a way round it.",
    2017: "Every patch asks all others what they know: no convolution at all.",
}


def split(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Digits to learn from, `(1437, 1, 8, 8)` and `(1437,)`, and 360 to test."""
    images, labels = digits()
    order = np.random.default_rng(seed).permutation(len(labels))
    x, y = torch.from_numpy(images[order])[:, None], torch.from_numpy(labels[order])
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]


def learn(year: int, x: Tensor, y: Tensor, epochs: int, seed: int) -> Iterator[nn.Module]:
    """Train an era's network; the network after every epoch, ready to be asked."""
    torch.manual_seed(seed)
    net, memory = network(year), Memory()
    for epoch in range(epochs):
        net.train()
        order = torch.randperm(TRAIN)
        if year == 1958:  # Rosenblatt had no gradients: his rule needs none
            _rosenblatt(cast("nn.Linear", net[1]), x[order], y[order])
        for pick in order.split(BATCH) if year != 1958 else ():
            loss = cross_entropy(net(x[pick]), y[pick])
            memory = one_step(net, loss, memory, learning_rate=0.01 * (1 - epoch / epochs))
        yield net.eval()


def _rosenblatt(units: nn.Linear, x: Tensor, y: Tensor) -> None:
    """Once through the digits: a wrong winner loses the digit from its weights, the right gains."""
    W, b = units.weight.detach().numpy(), units.bias.detach().numpy()  # views of the same numbers
    for pixels, label in zip(x.flatten(1).numpy(), y.tolist(), strict=True):
        won = int(np.argmax(W @ pixels + b))
        if won != label:
            W[label] += pixels
            W[won] -= pixels
            b[label] += 1
            b[won] -= 1


@lab(
    covers=["history-of-neural-networks"],
    seconds=3,
    quick={"epochs": 1},
    tries={"Attention first": {"era": 7}, "The residual network": {"era": 6}, "1969": {"era": 1}},
    question=Question(
        "How many of 100 small digits does the perceptron of 1958 read right?",
        ("About 50", "About 93", "About 99"),
        1,
        "Ten lines go far on small, centred digits. The winter came over what lines cannot do.",
    ),
    needs=["perceptron", "xor-problem"],
)
def run(
    era: Annotated[int, Pick(8, "timeline", help="Click a date")] = 0,
    epochs: Annotated[int, Slider(1, 10, help="Train every era longer")] = 6,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train one era after the other, the clicked one first; height is accuracy."""
    x, y, test_x, test_y = split(seed)
    curves: dict[int, list[float]] = {year: [] for year in YEARS if year != 1969}
    guesses: dict[int, Tensor] = {}
    while waiting := [year for year, curve in curves.items() if not curve]:
        year = YEARS[era] if YEARS[era] in waiting else waiting[0]
        for net in learn(year, x, y, epochs, seed):
            with torch.no_grad():
                guesses[year] = net(test_x).argmax(1)
            curves[year].append(100 * float((guesses[year] == test_y).double().mean()))
            changes = yield _frame(year, test_x, test_y, guesses, curves, epochs)
            era = int((changes or {}).get("era", era))  # type: ignore[arg-type]
    while True:
        frame = _frame(YEARS[era], test_x, test_y, guesses, curves, epochs)
        era = int(((yield replace(frame, waits=True)) or {}).get("era", era))  # type: ignore[arg-type]


def _frame(
    year: int,
    x: Tensor,
    y: Tensor,
    guesses: dict[int, Tensor],
    curves: dict[int, list[float]],
    epochs: int,
) -> Frame:
    nodes = []
    for one, idea in IDEAS.items():
        score = curves[one][-1] if curves.get(one) else 0.0
        value = score or float("nan")  # shown beside the words once it is known
        height = max(0.05, (score - 80) / 20)
        nodes.append(Node(str(one), f"{one} {idea}", (one - 1955) / 65, height, value))
    edges = tuple(Edge(str(a), str(b)) for a, b in pairwise(YEARS))
    guess = guesses.get(year, y)
    wrong = torch.nonzero(guess != y)[:24, 0]
    images = x[wrong, 0].numpy() if len(wrong) else np.zeros((1, 8, 8))
    words = tuple(f"as {one}" for one in guess[wrong].tolist()) or ("none",)
    gaps = {one: [np.nan] * (epochs - len(curve)) for one, curve in curves.items()}
    lines = {str(one): np.array(curve + gaps[one]) for one, curve in curves.items() if curve}
    title, at = "height: accuracy on 360 new digits, 80 to 100 %", np.arange(1, epochs + 1)
    views: dict[str, View] = {
        "timeline": Graph(tuple(nodes), edges, title),
        "learning": Curve(at, lines, "epoch", "test accuracy [%]", dots=True, title="learning"),
        "wrong": Tiles(images, words, across=8, title=f"what {year} gets wrong"),
        "words": Note(f"**{year}** {STORY[year]}"),
    }
    facts = {f"{one} [%]": curve[-1] for one, curve in curves.items() if curve}
    return Frame(sum(map(len, curves.values())), epochs * len(curves), views, facts)


def check() -> Iterator[Claim]:
    """1958 < 1986 < the residual network, on the same split."""
    first = [_scores(1958, 12, seed)[8:] for seed in range(3)]  # it never settles: average a while
    text = "Perceptron of 1958: test accuracy, 3 splits, mean of epochs 9 to 12"
    yield near(text, float(np.mean(first)), 0.93, 0.02)
    second, third = _scores(1986, 12, 0)[-1], _scores(2015, 5, 0)[-1]
    yield above("Sigmoid network of 1986", second, 0.96)
    yield above("Residual network of 2015", third, 0.98)
    yield same("Each better than before, same split", max(first[0]) < second < third, True)


def _scores(year: int, epochs: int, seed: int) -> list[float]:
    x, y, test_x, test_y = split(seed)
    nets = learn(year, x, y, epochs, seed)
    return [float((net(test_x).argmax(1) == test_y).double().mean()) for net in nets]
