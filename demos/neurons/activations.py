"""Activation functions, side by side.

Without a bend between them, layers collapse into one: `W₂(W₁x) = (W₂W₁)x`. An activation `φ` bends.
Sigmoid and tanh flatten at both ends, where their slope, and with it learning, fades. ReLU keeps
slope 1 on the right. Leaky ReLU, ELU, GELU `x Φ(x)` and SiLU `x σ(x)` (Swish) leave something alive
on the left; the last two dip below zero on their way.

**Try:** slide the inputs to the left, and see whose output and slope die out.

Source: Nair & Hinton (2010); Clevert et al. (2016); Hendrycks & Gimpel (2016); Ramachandran (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as f

from demos.kit import Choice, Claim, Frames, Question, Slider, below, interactive, lab, near
from engine.data import load
from engine.optimisers import Memory, adam
from engine.views import Curve, Frame, Histogram, Table, View

Function = Callable[[torch.Tensor], torch.Tensor]
X = torch.linspace(-5, 5, 401, dtype=torch.float64)


def gelu_by_tanh(x: torch.Tensor) -> torch.Tensor:
    """The quick form: `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS: Mapping[str, Function] = {
    "sigmoid": lambda x: 1 / (1 + torch.exp(-x)),
    "tanh": torch.tanh,
    "ReLU": lambda x: x.clamp(min=0),
    "leaky ReLU": lambda x: torch.where(x > 0, x, 0.01 * x),
    "ELU": lambda x: torch.where(x > 0, x, torch.expm1(x.clamp(max=0))),
    "GELU": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "SiLU (Swish)": lambda x: x / (1 + torch.exp(-x)),
    "none": lambda x: x,
}
SETS = {
    "all": tuple(ACTIVATIONS),
    "old and new": ("sigmoid", "tanh", "ReLU"),
    "the ReLU family": ("ReLU", "leaky ReLU", "ELU"),
    "smooth": ("ReLU", "GELU", "SiLU (Swish)"),
}


def slope(φ: Function, x: torch.Tensor) -> torch.Tensor:
    """`φ′(x)`, by autograd, of the shape of x."""
    x = x.detach().clone().requires_grad_()
    (s,) = torch.autograd.grad(φ(x).sum(), x)
    return s


class Race:
    """A network 2-16-16-1 for each activation, all with the same start, on the same spirals."""

    def __init__(self, seed: int) -> None:
        data = load(f"spirals?turns=1&seed={seed}")
        self.x, self.y = data.train_x, data.train_y.float()
        self.test = data.valid_x, data.valid_y
        random = torch.Generator().manual_seed(seed)
        shapes = ((3, 16), (17, 16), (17, 1))  # the last row of each is the offset
        start = [torch.randn(r, c, generator=random) * math.sqrt(2 / r) for r, c in shapes]
        self.weights = {name: [w.clone() for w in start] for name in ACTIVATIONS}
        self.memory = {name: [Memory()] * 3 for name in ACTIVATIONS}

    def score(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Above 0 for the second class, `(n,)`."""
        for place, w in enumerate(self.weights[name]):
            x = ACTIVATIONS[name](x) if place else x
            x = x @ w[:-1] + w[-1]
        return x[:, 0]

    def step(self, name: str, rate: float) -> None:
        """One step of Adam on all points."""
        weights = [w.requires_grad_() for w in self.weights[name]]
        loss = f.binary_cross_entropy_with_logits(self.score(name, self.x), self.y)
        slopes = torch.autograd.grad(loss, weights)
        for i, s in enumerate(slopes):
            w, self.memory[name][i] = adam(weights[i].detach(), s, self.memory[name][i], rate)
            self.weights[name][i] = w

    def accuracy(self, name: str) -> float:
        """Test points on the right side [%]."""
        with torch.no_grad():
            right = (self.score(name, self.test[0]) > 0) == (self.test[1] > 0)
        return 100 * float(right.double().mean())


@lab(
    covers=["activations-gallery"],
    seconds=1,
    quick={"steps": 20},
    tries={
        "Inputs far left": {"mean": -3.0},
        "The ReLU family": {"shown": "the ReLU family"},
        "Large inputs saturate": {"spread": 4.0, "shown": "old and new"},
    },
    question=Question(
        "What is the largest slope a sigmoid has?",
        ("1", "½", "¼"),
        2,
        "σ′ = σ (1 − σ), largest at σ = ½. Thirty layers multiply by ¼ thirty times.",
    ),
    needs=["derivatives-chain-rule", "mlp"],
)
def run(
    shown: Annotated[str, Choice(tuple(SETS), live=True)] = "all",
    mean: Annotated[float, Slider(-4, 4, help="Move the inputs right", live=True)] = 0.0,
    spread: Annotated[float, Slider(0.1, 5, help="Spread the inputs", live=True)] = 1.0,
    rate: Annotated[float, Slider(0.001, 0.1, log=True, help="Learning rate", live=True)] = 0.02,
    steps: Annotated[int, Slider(10, 400, help="A longer race")] = 200,
    seed: Annotated[int, Slider(0, 99)] = 0,
) -> Frames:
    """Race eight networks on spirals; beside them, curves, slopes and what inputs become."""
    race, history = Race(seed), {name: [50.0] for name in ACTIVATIONS}
    now: dict[str, Any] = {"shown": shown, "mean": mean, "spread": spread, "rate": rate}
    for step in range(1, steps + 1):
        for name in ACTIVATIONS:
            race.step(name, now["rate"])
        if step % 5 == 0 or step == steps:
            for name, past in history.items():
                past.append(race.accuracy(name))
            now |= (yield _frame(step, steps, history, **now)) or {}
    yield from interactive(partial(_frame, steps, steps, history), **now)


def _frame(step: int, of: int, history: dict[str, list[float]], **now: Any) -> Frame:
    chosen = SETS[now["shown"]]
    normal = torch.randn(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inputs = now["mean"] + now["spread"] * normal
    out = {name: ACTIVATIONS[name](inputs) for name in chosen}
    rows = tuple(
        (
            name,
            h.mean().item(),
            h.std().item(),
            slope(ACTIVATIONS[name], inputs).abs().mean().item(),
        )
        for name, h in out.items()
    )
    edges = np.linspace(-3, 5, 65)
    counts = {name: np.histogram(h.clamp(-2.99, 4.99).numpy(), edges)[0] for name, h in out.items()}
    curves = {name: ACTIVATIONS[name](X).numpy() for name in chosen}
    slopes = {name: slope(ACTIVATIONS[name], X).numpy() for name in chosen}
    races = {name: np.array(history[name]) for name in chosen}
    marks, at = {"mean input": now["mean"]}, np.linspace(0, step, len(history["none"]))
    heads = ("activation", "mean out", "spread out", "mean slope")
    views: dict[str, View] = {
        "curves": Curve(X.numpy(), curves, "x", "φ(x)", marks=marks, title="activations"),
        "slopes": Curve(X.numpy(), slopes, "x", "slope φ′(x)", marks=marks, title="their slopes"),
        "race": Curve(
            at, races, "step", "test accuracy [%]", title="race: 2-16-16-1 on two spirals"
        ),
        "outputs": Histogram(
            edges, counts, xlabel="φ(x)", ylabel="of 4,000", title="what comes out"
        ),
        "table": Table(heads, rows, f"inputs: mean {now['mean']:.2g}, spread {now['spread']:.2g}"),
    }
    facts = {f"{name} [%]": history[name][-1] for name in ("sigmoid", "ReLU", "GELU")}
    return Frame(step, of, views, facts)


def check() -> Iterator[Claim]:
    """Largest slopes, depths of the dips, the quick GELU, and PyTorch's own functions."""
    x = torch.linspace(-5, 5, 100_001, dtype=torch.float64)
    steepest = {"sigmoid": 0.25, "tanh": 1.0, "GELU": 1.129, "SiLU (Swish)": 1.100}
    for name, value in steepest.items():
        yield near(
            f"Largest slope of {name}", slope(ACTIVATIONS[name], x).max().item(), value, 1e-3
        )
    for name, low, place in (("GELU", -0.1700, -0.752), ("SiLU (Swish)", -0.2785, -1.278)):
        y = ACTIVATIONS[name](x)
        yield near(f"Lowest value of {name}", y.min().item(), low, 1e-3)
        yield near(f"{name} is lowest at x", x[y.argmin()].item(), place, 1e-3)
    gap = (gelu_by_tanh(x) - ACTIVATIONS["GELU"](x)).abs().max().item()
    yield below("GELU by tanh against the exact one, largest gap", gap, 5e-4)
    theirs: list[Function] = [torch.sigmoid, f.relu, f.leaky_relu, f.elu, f.gelu, f.silu]
    ours = [φ for name, φ in ACTIVATIONS.items() if name not in ("tanh", "none")]
    gaps = [(a(x) - b(x)).abs().max().item() for a, b in zip(ours, theirs, strict=True)]
    yield below("Six of ours against PyTorch's own, largest gap", max(gaps), 1e-12)
