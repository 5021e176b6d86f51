"""Train a network, step by step, as a run that can be watched, steered and interrupted."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated, Any

import torch

from engine.data import DataSet, load
from engine.forms import Choice, Slider, Value
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.store.files import write_json
from engine.training.door import refuse_misfit
from engine.training.optimizers import optimizers
from engine.training.pictures import Pictures
from engine.training.session import Diverged, Session, Settings
from engine.views import Yielded

SAVE_EVERY = 4.0  # seconds between checkpoints: at most five may be lost


def train(
    spec: dict[str, Any],
    data: str | DataSet,
    *,
    folder: Path | None = None,
    learning_rate: Annotated[
        float, Slider(1e-5, 3.0, log=True, live=True, help="Longer steps")
    ] = 0.003,
    batch_size: Annotated[
        int, Slider(1, 512, log=True, live=True, help="Smoother, fewer steps an epoch")
    ] = 64,
    epochs: Annotated[int, Slider(1, 1000, log=True, live=True, help="Longer training")] = 5,
    optimizer: Annotated[
        str, Choice(tuple(optimizers.all()), help="How gradients become steps")
    ] = "Adam",
    momentum: Annotated[
        float, Slider(0.0, 0.99, live=True, help="More of the last step is kept (β₁ in Adam)")
    ] = 0.9,
    weight_decay: Annotated[
        float, Slider(0.0, 0.1, live=True, help="Weights are pulled to zero harder")
    ] = 0.0,
    seed: Annotated[int, Slider(0, 9999, help="Other first weights, other batches")] = 0,
) -> Generator[Yielded, Mapping[str, Value] | None, None]:
    """Train a network on a data set; show curves, confusion, filters and gradients.

    Args:
        spec: The network, as `NetworkSpec` in JSON.
        data: Name of a data set, perhaps with settings: `"spirals?arms=3"`; or one at hand.
        folder: Where checkpoint, weights and summary are kept; a checkpoint found there is
            gone on from, exactly.
        learning_rate: Length of a step.
        batch_size: Samples a step.
        epochs: How often every training sample is seen.
        optimizer: How gradients become steps.
        momentum: Part of the last step that is kept.
        weight_decay: How hard weights are pulled to zero.
        seed: Fixes first weights, order of samples and dropout.

    Yields:
        After every step a function that makes its frame.

    Raises:
        ValueError: Network and data do not fit; says where and what to do.
        Diverged: The loss stopped being finite; says where that began.
    """
    network = NetworkSpec.parse(spec)
    samples = data if isinstance(data, DataSet) else load(data)
    settings = Settings(learning_rate, batch_size, epochs, optimizer, weight_decay, momentum, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(network)
    refuse_misfit(network, module, samples)
    session = Session(module, samples, settings)
    if folder is not None:
        session.restore(folder)
        write_json(folder / "spec.json", network.to_json())
        chosen = {"data": data if isinstance(data, str) else data.name, **settings.__dict__}
        write_json(folder / "settings.json", chosen)
    yield from _go(session, folder)


def _go(
    session: Session, folder: Path | None
) -> Generator[Yielded, Mapping[str, Value] | None, None]:
    pictures = Pictures(session)
    saved = -SAVE_EVERY  # so the first step is kept too: a run can be resumed from its beginning
    healthy = True
    try:
        if session.finished:
            yield pictures.frame
        while not session.finished:
            session.advance()
            if folder is not None and time.monotonic() - saved > SAVE_EVERY:
                session.save(folder)
                saved = time.monotonic()
            if changes := (yield pictures.frame):
                session.change(changes)
    except Diverged:
        healthy = False  # the last good checkpoint stays
        raise
    finally:
        if folder is not None and healthy:
            session.save(folder)
