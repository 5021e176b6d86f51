"""Our training loop against the eager loop a tutorial would write, in turn."""

from __future__ import annotations

import itertools
import statistics
import time
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tools.measure import Row

ROUNDS = 5
BATCH = 64
BEFORE = 40  # steps: at first, where most happens, the run looks at itself more often
MEASURED = 102  # three times from one judgement of a sample to the next


def rows() -> list[Row]:
    """Images a second on 28 × 28 random pictures, one thread."""
    from engine.network.templates import spec_of

    torch.set_num_threads(1)
    lenet = spec_of("lenet")
    words = "the same with bfloat16 products, which the Train page offers"
    return [
        *_compared({"LeNet, our loop over the tutorial's": 1.6, words: 1.6}, lenet),
        *_compared({"two convolutions of 16 and 32": 1.35, words: 2.4}, small()),
    ]


def small() -> dict[str, Any]:
    """A network of two convolutions, `small 2-conv` of the goals."""
    layers = [
        ("image", "Input", {"shape": [1, 28, 28]}),
        ("conv1", "Conv2d", {"out_channels": 16, "kernel_size": 3, "padding": 1}),
        ("relu1", "ReLU", {}),
        ("pool1", "MaxPool2d", {"kernel_size": 2}),
        ("conv2", "Conv2d", {"out_channels": 32, "kernel_size": 3, "padding": 1}),
        ("relu2", "ReLU", {}),
        ("pool2", "MaxPool2d", {"kernel_size": 2}),
        ("flat", "Flatten", {}),
        ("scores", "Linear", {"out_features": 10}),
    ]
    ids = [id for id, _, _ in layers]
    return {
        "version": 1,
        "nodes": [{"id": id, "type": kind, "params": params} for id, kind, params in layers],
        "edges": [[one, other] for one, other in itertools.pairwise(ids)],
        "outputs": ids[-1:],
    }


def _compared(goals: dict[str, float], spec: dict[str, Any]) -> list[Row]:
    """A row for single precision and one for bfloat16, both over the tutorial's loop."""
    ways = dict(zip(goals, ("float32", "bfloat16"), strict=True))
    found = [(_tutorial(spec), *(_ours(spec, one) for one in ways.values())) for _ in range(ROUNDS)]
    theirs, *ours = ([one[place] for one in found] for place in range(3))
    rows = []
    for (words, goal), rates in zip(goals.items(), ours, strict=True):
        ratio = statistics.median(o / t for o, t in zip(rates, theirs, strict=True))
        here, there = statistics.median(rates), statistics.median(theirs)
        figures = f"{here:,.0f} against {there:,.0f} images/s"
        rows.append(Row(words, f"{ratio:.2f} ×", f"≥ {goal} ×", ratio >= goal, figures))
    return rows


def _tutorial(spec: dict[str, Any]) -> float:
    """The loop of a thousand tutorials: DataLoader, eager, Adam, layers one after the other."""
    from engine.network.build import build, program
    from engine.network.spec import NetworkSpec

    layers = [one.module for one in program(build(NetworkSpec.parse(spec)))]
    model, samples = nn.Sequential(*layers), MEASURED * BATCH
    pictures = TensorDataset(torch.rand(samples, 1, 28, 28), torch.randint(10, (samples,)))
    loader = DataLoader(pictures, batch_size=BATCH, shuffle=True)
    optimizer, criterion = torch.optim.Adam(model.parameters(), 1e-3), nn.CrossEntropyLoss()
    begun = time.process_time()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    return samples / (time.process_time() - begun)


def _ours(spec: dict[str, Any], precision: str = "float32") -> float:
    """The same number of steps of the run that the browser starts, its judgements among them."""
    from engine.training.run import train

    run = train(spec, "mnist", batch_size=BATCH, learning_rate=1e-3, epochs=3, precision=precision)
    for _ in range(BEFORE):
        next(run)
    begun = time.process_time()
    for _ in range(MEASURED):
        next(run)
    rate = MEASURED * BATCH / (time.process_time() - begun)
    run.close()
    return rate
