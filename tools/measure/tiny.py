"""Tiny perceptrons, which people play with first: our run against the eager loop of a tutorial."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tools.measure import Row

ROUNDS = 5
BATCH, POINTS, RATE = 10, 300, 0.03
MAPS = 100  # cells of every unit's picture, either way


def rows() -> list[Row]:
    """Steps a second of CPU time, one thread; spirals, tanh, SGD, batches of ten."""
    torch.set_num_threads(1)
    from engine.training.fast import ready

    ready.prepare()
    found = []
    for widths, goal in (((4, 2), 100_000.0), ((8, 8, 8), 75_000.0)):
        pairs = [(_tutorial(widths), _ours(widths)) for _ in range(ROUNDS)]
        eager, ours = (statistics.median(one) for one in zip(*pairs, strict=True))
        found.append(
            Row(
                f"tiny perceptron {list(widths)}, the Train page's own run",
                f"{ours:,.0f} steps/s",
                f"≥ {goal:,.0f} steps/s",
                ours >= goal,
                f"{ours / eager:.0f} × the tutorial's loop ({eager:,.0f}), in turn",
            )
        )
    maps = statistics.median(_maps() for _ in range(ROUNDS))
    text = "[8, 8, 8]: epochs with every unit's 100 × 100 picture"
    found.append(
        Row(text, f"{maps:,.0f} epochs/s", "≥ 1,000 epochs/s", maps >= 1000, "compiled loop")
    )
    cloud = statistics.median(_cloud() for _ in range(3))
    text = "30 networks of [8, 8, 8] in one process"
    goal_words = "≥ 100,000 network-steps/s"
    figure = f"{cloud:,.0f} network-steps/s"
    found.append(Row(text, figure, goal_words, cloud >= 100_000, "in turn, an epoch each"))
    return found


def _spec(widths: tuple[int, ...]) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [{"id": "point", "type": "Input", "params": {"shape": [2]}}]
    for number, width in enumerate(widths):
        nodes.append({"id": f"hidden{number}", "type": "Linear", "params": {"out_features": width}})
        nodes.append({"id": f"tanh{number}", "type": "Tanh"})
    nodes.append({"id": "scores", "type": "Linear", "params": {"out_features": 2}})
    ids = [node["id"] for node in nodes]
    edges = [list(pair) for pair in itertools.pairwise(ids)]
    return {"version": 1, "nodes": nodes, "edges": edges, "outputs": ["scores"]}


def _tutorial(widths: tuple[int, ...]) -> float:
    """DataLoader, eager, SGD."""
    layers: list[nn.Module] = []
    for before, width in zip((2, *widths), widths, strict=False):
        layers += [nn.Linear(before, width), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(widths[-1], 2))
    points = TensorDataset(torch.randn(POINTS, 2), torch.randint(2, (POINTS,)))
    loader = DataLoader(points, batch_size=BATCH, shuffle=True)
    optimizer, criterion = torch.optim.SGD(model.parameters(), RATE), nn.CrossEntropyLoss()
    begun, steps = time.process_time(), 0
    while steps < 1500:
        for x, y in loader:
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()
            steps += 1
    return steps / (time.process_time() - begun)


def _free() -> bool:
    return True


def _ours(widths: tuple[int, ...], epochs: int = 1000) -> float:
    """The run that the browser starts, with its checkpoints, curves and judgements."""
    from engine.training.run import train

    with tempfile.TemporaryDirectory() as folder:
        run = train(
            _spec(widths),
            "spirals",
            folder=Path(folder),
            free=_free,
            epochs=epochs,
            batch_size=BATCH,
            learning_rate=RATE,
            optimizer="SGD",
        )
        first = _step(next(run))
        begun, item = time.process_time(), None
        for item in run:  # noqa: B007 - the last one counts
            pass
        passed = time.process_time() - begun
    return (_step(item) - first) / passed


def _step(item: Any) -> int:
    """How far a run is that yielded this."""
    make: Callable[[], Any] = item
    return int(make().step)


def _maps() -> float:
    """Epochs a second, each followed by every unit's answers over the plane."""
    import numpy as np

    from engine.data import load
    from engine.network.spec import NetworkSpec
    from engine.training.run import begin
    from engine.training.settings import Settings

    chosen = Settings(batch_size=BATCH, epochs=10_000, optimizer="SGD", learning_rate=RATE)
    session = begin(NetworkSpec.parse(_spec((8, 8, 8))), load("spirals"), chosen)
    network = session.route.network
    if network is None:
        return 0.0
    axis = np.linspace(-1.5, 1.5, MAPS, dtype=np.float32)
    plane = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    begun, epochs = time.process_time(), 0
    while epochs < 300:
        epoch = session.epoch
        while session.epoch == epoch:
            session.advance(free=True)
        network.answers(plane)
        epochs += 1
    return epochs / (time.process_time() - begun)


def _cloud() -> float:
    """Steps of all networks a second."""
    from engine.contest.cloud import cloud

    settings = {"batch_size": BATCH, "epochs": 100, "optimizer": "SGD", "learning_rate": RATE}
    run = cloud(_spec((8, 8, 8)), "spirals", settings, networks=30)
    _step(next(run))
    begun, item = time.process_time(), None
    for item in run:  # noqa: B007 - the last one counts
        pass
    passed = time.process_time() - begun
    return 30 * 99 * (POINTS // BATCH) / passed if item is not None else 0.0
