"""Our training loop against the eager loop a tutorial would write, in turn."""

from __future__ import annotations

import statistics
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tools.measure import Row

ROUNDS = 5
BATCH = 64


def rows() -> list[Row]:
    """Images a second of LeNet on 28 × 28 random pictures, one thread."""
    torch.set_num_threads(1)
    tutorial, ours, halved = [], [], []
    for _ in range(ROUNDS):
        tutorial.append(_tutorial())
        ours.append(_ours())
        halved.append(_ours("bfloat16"))
    quick = statistics.median(o / t for o, t in zip(halved, tutorial, strict=True))
    ratio = statistics.median(o / t for o, t in zip(ours, tutorial, strict=True))
    figures = f"{statistics.median(ours):,.0f} against {statistics.median(tutorial):,.0f} images/s"
    return [
        Row(
            "LeNet, our loop over the tutorial's",
            f"{ratio:.2f} ×",
            "≥ 1.6 ×",
            ratio >= 1.6,
            figures,
        ),
        Row(
            "the same with bfloat16 products, which the Train page offers",
            f"{quick:.2f} ×",
            "≥ 1.6 ×",
            quick >= 1.6,
            f"{statistics.median(halved):,.0f} images/s",
        ),
    ]


def _tutorial() -> float:
    """The loop of a thousand tutorials: DataLoader, eager, Adam."""
    from engine.network.build import build
    from engine.network.templates import spec_of

    model, samples = build(spec_of("lenet")), 60 * BATCH
    pictures = TensorDataset(torch.rand(samples, 1, 28, 28), torch.randint(10, (samples,)))
    loader = DataLoader(pictures, batch_size=BATCH, shuffle=True)
    optimizer, criterion = torch.optim.Adam(model.parameters(), 1e-3), nn.CrossEntropyLoss()
    begun = time.process_time()
    for x, y in loader:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    return samples / (time.process_time() - begun)


def _ours(precision: str = "float32") -> float:
    """The same number of steps of the run that the browser starts."""
    from engine.network.templates import spec_of
    from engine.training.run import train

    run = train(
        spec_of("lenet"),
        "mnist",
        batch_size=BATCH,
        learning_rate=1e-3,
        epochs=3,
        precision=precision,
    )
    for _ in range(20):
        next(run)
    begun = time.process_time()
    for _ in range(60):
        next(run)
    rate = 60 * BATCH / (time.process_time() - begun)
    run.close()
    return rate
