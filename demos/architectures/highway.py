"""Highway networks: learn where to drive through.

Each layer has a gate `t = σ(W_t x + b_t)` between 0 and 1 that decides, number by number, how much
is transformed and how much carried on: `y = t · tanh(W x + b) + (1 − t) · x`. With a negative gate
bias everything is carried at first, so even thirty layers begin as the identity and can be trained.
The plain network beside it has the same thirty layers without gates.

**Try:** set the gate bias to 0 and to −4: which layers open in the end?

Source: Srivastava et al. (2015), Highway Networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Claim, Frames, Question, Slider, above, below, lab, same
from engine.views import Curve, Frame, Histogram, Matrix, View

WIDTH = 32


class Highway(nn.Module):
    """One layer `(n, width)` to `(n, width)`; remembers its last gate."""

    def __init__(self, width: int, gate_bias: float) -> None:
        super().__init__()
        self.transform, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, gate_bias)
        self.opened = torch.zeros(1, width)

    def forward(self, x: Tensor) -> Tensor:
        """Transformed where the gate is open, carried where it is shut."""
        t = torch.sigmoid(self.gate(x))
        self.opened = t.detach()
        return t * torch.tanh(self.transform(x)) + (1 - t) * x


def highway(layers: int, gate_bias: float) -> nn.Sequential:
    """64 pixels, highway layers, 10 scores."""
    middle = (Highway(WIDTH, gate_bias) for _ in range(layers))
    return nn.Sequential(nn.Linear(64, WIDTH), nn.Tanh(), *middle, nn.Linear(WIDTH, 10))


def plain(layers: int) -> nn.Sequential:
    """The same layers without gates."""
    middle = (part for _ in range(layers) for part in (nn.Linear(WIDTH, WIDTH), nn.Tanh()))
    return nn.Sequential(nn.Linear(64, WIDTH), nn.Tanh(), *middle, nn.Linear(WIDTH, 10))


def data() -> tuple[Tensor, Tensor]:
    """The 1,797 digits as `(n, 64)` in [0, 1], shuffled, and their classes."""
    from sklearn.datasets import load_digits

    pictures, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(classes))
    return torch.tensor(pictures[order] / 16, dtype=torch.float32), torch.tensor(classes[order])


@lab(
    covers=["highway-network"],
    seconds=2,
    quick={"epochs": 1, "layers": 5},
    tries={
        "Gates open at first": {"gate_bias": 0.0},
        "Gates nearly shut": {"gate_bias": -6.0},
        "Ten layers": {"layers": 10},
    },
    question=Question(
        "Thirty plain tanh layers, the same training: how well do they read digits?",
        ("80 %", "50 %", "10 %: they guess"),
        2,
        "The gradient that reaches the first layers is all but zero.",
    ),
    needs=["vanishing-exploding-gradients"],
)
def run(
    gate_bias: Annotated[float, Slider(-8.0, 2.0, help="More gates open at first")] = -3.0,
    layers: Annotated[int, Slider(1, 40, help="A deeper network")] = 30,
    epochs: Annotated[int, Slider(1, 20, help="Longer training")] = 4,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Train both; show every gate of every layer."""
    torch.manual_seed(seed)
    x, y = data()
    nets = {"plain": plain(layers), "highway": highway(layers, gate_bias)}
    optimizers = [torch.optim.Adam(net.parameters(), lr=3e-3) for net in nets.values()]
    score: dict[str, list[float]] = {name: [] for name in nets}

    def picture(epoch: int) -> Frame:
        with torch.no_grad():
            nets["highway"](x[:200])
        gates = [layer.opened for layer in nets["highway"] if isinstance(layer, Highway)]
        opened = torch.stack([t.mean(0) for t in gates]).numpy()  # (layers, width)
        edges = np.linspace(0, 1, 21)
        counts = {"gates": np.histogram(torch.stack(gates).numpy(), edges)[0]}
        lines = {name: np.array(values) for name, values in score.items()}
        views: dict[str, View] = {
            "gates": Matrix(
                opened, xlabel="number", ylabel="layer", title="how far each gate is open"
            ),
            "accuracy": Curve(np.arange(1, epoch + 1), lines, "epoch", "accuracy on 400 others"),
            "layers": Curve(
                np.arange(1, layers + 1),
                {"mean gate": opened.mean(1)},
                "layer",
                "open",
                title="who transforms, who carries",
            ),
            "histogram": Histogram(edges, counts, xlabel="gate", ylabel="how often"),
        }
        facts = {f"{name}: accuracy": values[-1] for name, values in score.items()}
        return Frame(epoch, epochs, views, facts | {"mean gate": float(opened.mean())})

    for epoch in range(1, epochs + 1):
        for batch in torch.randperm(1397).split(64):
            for net, optimizer in zip(nets.values(), optimizers, strict=True):
                optimizer.zero_grad()
                F.cross_entropy(net(x[batch]), y[batch]).backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
        for name, net in nets.items():
            with torch.no_grad():
                score[name].append(float((net(x[1397:]).argmax(1) == y[1397:]).float().mean()))
        yield partial(picture, epoch)


def check() -> Iterator[Claim]:
    """A shut gate is the identity; thirty plain layers guess where thirty highway layers read."""
    torch.manual_seed(0)
    x = torch.randn(50, WIDTH)
    with torch.no_grad():
        moved = float((Highway(WIDTH, -40.0)(x) - x).abs().max())
    yield same("Change by a highway layer with gate bias −40", moved, 0.0)
    facts = run.last().facts
    yield below("30 plain tanh layers: accuracy", facts["plain: accuracy"], 0.15)
    yield above("30 highway layers, same schedule: accuracy", facts["highway: accuracy"], 0.80)
