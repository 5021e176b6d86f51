"""A small network that is always learning something: what the home page shows on arrival."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import Annotated, Any

from engine.forms import Slider, Value
from engine.training.run import train
from engine.views import Frame, Yielded

NETWORK: dict[str, Any] = {
    "version": 1,
    "title": "Two hidden layers",
    "nodes": [
        {"id": "point", "type": "Input", "params": {"shape": [2]}},
        {"id": "hidden1", "type": "Linear", "params": {"out_features": 16}},
        {"id": "tanh1", "type": "Tanh"},
        {"id": "hidden2", "type": "Linear", "params": {"out_features": 16}},
        {"id": "tanh2", "type": "Tanh"},
        {"id": "scores", "type": "Linear", "params": {"out_features": 2}},
    ],
    "edges": [
        ["point", "hidden1"],
        ["hidden1", "tanh1"],
        ["tanh1", "hidden2"],
        ["hidden2", "tanh2"],
        ["tanh2", "scores"],
    ],
    "outputs": ["scores"],
}
DATA = "spirals?turns=1.25&noise=0.03"
EPOCHS = 110
BATCH = 10


def show(
    seconds: Annotated[float, Slider(0.0, 120.0, unit="s", help="Learns more slowly")] = 20.0,
    seed: Annotated[int, Slider(0, 9999, help="Other first weights")] = 3,
) -> Generator[Yielded, Mapping[str, Value] | None, None]:
    """Learn to tell two spirals apart, paced so that one can watch.

    Args:
        seconds: How long it takes; 0 is as fast as it goes.
        seed: Fixes first weights and order of samples.

    Yields:
        After every step a function that makes its frame: the plane, and the loss.
    """
    run = train(NETWORK, DATA, epochs=EPOCHS, batch_size=BATCH, learning_rate=0.006, seed=seed)
    begun = time.monotonic()
    steps = EPOCHS * 30  # 300 training points, ten a step
    for step, picture in enumerate(run):
        yield lambda make=picture: _two(make)  # type: ignore[misc]
        ahead = seconds * step / steps - (time.monotonic() - begun)
        if ahead > 0.01:  # sleeping less is not worth it
            time.sleep(min(ahead, 0.05))


def _two(make: Any) -> Frame:  # what a training yields: always a function
    """The frame with the two views that a glance takes in."""
    frame: Frame = make()
    views = {slot: frame.views[slot] for slot in ("surface", "loss")}
    return Frame(frame.step, frame.of, views, frame.facts)
