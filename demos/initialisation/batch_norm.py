"""Batch normalisation, on and off while it runs.

A deep network's layers learn from inputs whose distribution moves whenever the layers before them
learn. Batch norm holds it: each neuron's sum is brought to mean 0 and variance 1 over the batch,
`ẑ = (z − μ_B) / √(σ²_B + ε)`, then scaled and shifted by two learned numbers, `γ ẑ + β`. For use
it keeps running means of `μ` and `σ²`, with which it is a linear map that can be folded into the
weights. Eight sigmoid layers at a rate of 0.5 learn nothing without it.

**Try:** start without it, wait for nothing to happen, and switch it on in the middle of the run.

Source: Ioffe & Szegedy (2015), Batch normalization: Accelerating deep network training by
reducing internal covariate shift.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache, partial
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import Choice, Claim, Frames, Question, Slider, Toggle, above, below, lab, ticks
from engine.data import shipped
from engine.normalisation import BatchNorm, folded
from engine.views import Bars, Curve, Field, Frame, View

LAYERS, WIDTH, CLASSES = 8, 64, 10
BINS = np.linspace(-5, 5, 51)
TESTS = ("running means", "the test batch", "folded weights")
How = Annotated[str, Choice(TESTS, help="How the network is tested", live=True)]


def network(seed: int) -> nn.Sequential:
    """Eight linear layers, with norm and sigmoid after all but the last; Xavier's weights."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for width in [WIDTH] * (LAYERS - 1) + [CLASSES]:
        linear = nn.Linear(WIDTH, width)
        nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, BatchNorm(width), nn.Sigmoid()]
    return nn.Sequential(*layers[:-2])


def norms(net: nn.Sequential) -> list[BatchNorm]:
    """Its seven norms."""
    return [layer for layer in net if isinstance(layer, BatchNorm)]


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Digits and their classes, `(1797, 64)` and `(1797,)`; the last 500 are the test."""
    images, labels = map(torch.from_numpy, shipped.digits())
    return images.flatten(1), labels


def learn(net: nn.Sequential, batch: Tensor, rate: float) -> list[float]:
    """One step of gradient descent; the loss [nat], then each linear layer's gradient length."""
    x, y = digits()
    loss = nn.functional.cross_entropy(net.train()(x[batch]), y[batch])
    weights = list(net.parameters())
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)  # no γ, β while a norm is off
    for weight, slope in zip(weights, slopes, strict=True):
        weight.data -= 0 if slope is None else rate * slope
    return [loss.item(), *(g.norm().item() for g in slopes if g is not None and g.dim() == 2)]


@torch.no_grad()
def accuracy(net: nn.Sequential, test: str = TESTS[0]) -> float:
    """Share of 500 test digits that are recognised, in one of three ways."""
    x, y = digits()
    tested = copy.deepcopy(net).train(test == "the test batch")
    if test == "folded weights" and norms(net)[0].on:
        tested = folded(tested)
    return float((tested(x[1297:]).argmax(1) == y[1297:]).float().mean())


def batches(size: int, epochs: int, seed: int) -> Tensor:
    """Which digits go into each step, drawn at random: `(steps, size)`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1297, (epochs * 1297 // size, size), generator=generator)


@torch.no_grad()
def picture(
    net: nn.Sequential, test: str, log: list[list[float]], of: int, marks: dict[str, float]
) -> Frame:
    """What every sigmoid sees, how the network does, and which layers get a gradient."""
    x, rows, twin = digits()[0], [], copy.deepcopy(net).train()
    z = x[:200]
    for layer in twin:
        if isinstance(layer, nn.Sigmoid):
            rows.append(np.histogram(z.clamp(-4.99, 4.99).numpy(), BINS)[0])
        z = layer(z)
    density, on = np.stack(rows, axis=1), norms(net)[0].on
    step, right, loss, *lengths = np.array(log).T
    views: dict[str, View] = {
        "inputs": Field(
            density / density.max(axis=0), (0.5, LAYERS - 0.5, -5, 5), xlabel="layer",
            ylabel="input of the sigmoids", title=f"norm {'on' if on else 'off'}: what they see",
        ),
        "accuracy": Curve(step, {"accuracy": right}, ylabel="accuracy on 500 test digits",
                          marks=marks, title=f"tested with {test}"),
        "loss": Curve(step, {"loss": loss}, ylabel="loss of the batch [nat]", log=True,
                      marks=marks, title="training"),
        "gradients": Bars(
            tuple(f"{i + 1}" for i in range(LAYERS)),
            {"gradient": np.maximum([length[-1] for length in lengths], 1e-12)}, xlabel="layer",
            ylabel="length of its gradient", log=True, title="who may learn?",
        ),
    }  # fmt: skip
    facts = {"accuracy": float(right[-1]), "loss [nat]": float(loss[-1])}
    return Frame(int(step[-1]), of, views, facts)


@lab(
    covers=["batch-normalization"],
    seconds=1,
    quick={"epochs": 1, "batch": 256},
    tries={"With": {"norm": True}, "Small batches": {"norm": True, "batch": 8, "epochs": 2}},
    question=Question(
        "Multiply all weights before a batch norm by 7.3. What changes after it?",
        ("Everything grows 7.3 times", "Nothing", "The variance grows 53 times"),
        1,
        "Mean and standard deviation grow with the sums and are divided out again.",
    ),
    needs=["vanishing-exploding-gradients", "init-xavier-glorot"],
)
def run(
    norm: Annotated[bool, Toggle("Batch norm on", live=True)] = False,
    statistics: How = TESTS[0],
    rate: Annotated[float, Slider(0.01, 2.0, log=True, help="Longer steps", live=True)] = 0.5,
    batch: Annotated[int, Slider(8, 256, log=True, help="Larger batches, fewer steps")] = 32,
    epochs: Annotated[int, Slider(1, 12, help="A longer training")] = 6,
    seed: Annotated[int, Slider(0, 99, help="Other weights and batches")] = 0,
) -> Frames:
    """Train eight sigmoid layers; the norm may be switched at any moment."""
    net, log, marks = network(seed), list[list[float]](), dict[str, float]()
    parts = batches(batch, epochs, seed)
    for (step, show), part in zip(ticks(len(parts), 80), parts, strict=True):
        for layer in norms(net):
            layer.on = norm
        told = learn(net, part, rate)
        if show:
            log.append([step, accuracy(net, statistics), *told])
            changes = (yield partial(picture, net, statistics, log, len(parts), marks)) or {}
            if changes.get("norm", norm) is not norm:
                norm = not norm
                marks[f"{'on' if norm else 'off'} at {step}"] = step
            statistics = str(changes.get("statistics", statistics))
            rate = float(changes.get("rate", rate))  # type: ignore[arg-type]


def trained(norm: bool) -> float:
    """Accuracy after the default run, looked at only once: with the norm or without."""
    net = network(0)
    for layer in norms(net):
        layer.on = norm
    for part in batches(32, 6, 0):
        learn(net, part, 0.5)
    return accuracy(net)


def check() -> Iterator[Claim]:
    """What it guarantees exactly, and what it does for eight sigmoid layers."""
    z = torch.randn(32, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = BatchNorm(5, epsilon=1e-12).double()
    out = exact(z).detach()
    yield below("Largest mean of a normalised neuron", out.mean(0).abs().max().item(), 1e-10)
    yield below("Variance: distance to 1", (out.var(0, correction=0) - 1).abs().max().item(), 1e-10)
    louder = (exact(7.3 * z) - out).abs().max().item()
    yield below("Weights times 7.3: change of the output", louder, 1e-10)
    without, with_it = (trained(norm) for norm in (False, True))
    yield below("Without: accuracy after 6 epochs", without, 0.15)
    yield above("With it", with_it, 0.70)
    net, x = network(0), digits()[0].double()
    for batch in batches(32, 1, 0):
        learn(net, batch, 0.5)
    one = nn.Sequential(net[0], net[1]).double().eval()
    changed = (folded(one)(x) - one(x)).abs().max().item()
    yield below("Folding it into a trained layer changes outputs by", changed, 1e-6)
