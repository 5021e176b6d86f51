"""A cloud of seeds: the same network many times, each from other first weights.

One run says little: another seed may end elsewhere. Hundreds of tiny networks are trained in one
process, in turn; for small perceptrons each turn is an epoch of the compiled loop.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from engine.contest.lanes import Lane
from engine.contest.lanes import settings as checked
from engine.data import load
from engine.forms import Slider, Value
from engine.network.spec import NetworkSpec
from engine.training.run import begin
from engine.views import Curve, Frame, Histogram, View

BINS = 24
MOST_STEPS = 40_000_000  # of all networks together


def cloud(
    spec: dict[str, Any],
    data: str,
    settings: Mapping[str, Any] | None = None,
    *,
    networks: Annotated[int, Slider(2, 300, log=True, help="More seeds")] = 30,
) -> Generator[Any, Mapping[str, Value] | None, None]:
    """Train a network from many seeds; show how far apart they end.

    Args:
        spec: The network.
        data: Name of the data set.
        settings: How to train.
        networks: How many.

    Yields:
        A frame after every round of turns.

    Raises:
        ValueError: That would be more work than a run may ask for.
    """
    samples, parsed, chosen = load(data), NetworkSpec.parse(spec), checked({}, settings or {})
    steps = networks * chosen.epochs * -(-len(samples.train_x) // chosen.batch_size)
    if steps > MOST_STEPS:
        raise ValueError(
            f"cloud: {steps:,} steps are too many; at most {MOST_STEPS:,}: take fewer networks, "
            "fewer epochs or larger batches"
        )
    lanes = [
        Lane(str(seed), begin(parsed, samples, replace(chosen, seed=chosen.seed + seed)))
        for seed in range(networks)
    ]
    while any(not one.over for one in lanes):
        for one in lanes:
            epoch = one.session.epoch
            while not one.over and one.session.epoch == epoch:
                one.turn()
        yield lambda: picture(lanes)
    yield picture(lanes)


def picture(lanes: list[Lane]) -> Frame:
    """The spread of all networks' scores, now and over the epochs."""
    found = np.array([one.score() for one in lanes])
    found = found[np.isfinite(found)]
    steps = np.unique(np.concatenate([one.session.history.steps for one in lanes]))
    grid = np.linspace(steps[0], steps[-1], 200) if len(steps) else np.zeros(0)
    bands = np.array(
        [
            np.interp(grid, one.session.history.steps, one.session.history.lines["loss validation"])
            for one in lanes
            if one.session.history.steps and not one.failure
        ]
    )
    lines = {}
    if bands.size:
        for words, share in (("best tenth", 0.1), ("median", 0.5), ("worst tenth", 0.9)):
            lines[words] = np.quantile(bands, share, axis=0)
    low, high = (found.min(), found.max()) if len(found) else (0.0, 1.0)
    edges = np.linspace(low - 1e-3, high + 1e-3, BINS + 1)
    views: dict[str, View] = {
        "scores": Histogram(
            edges, {"networks": np.histogram(found, edges)[0]}, xlabel="validation score"
        ),
        "loss": Curve(grid, lines, "step", "validation loss", log=True),
    }
    done = sum(one.session.step for one in lanes)
    facts = {"networks": float(len(lanes)), "failed": float(sum(bool(o.failure) for o in lanes))}
    if len(found):
        facts |= {"median score [%]": 100 * float(np.median(found)), "worst [%]": 100 * low}
        facts |= {"best [%]": 100 * high}
    seconds = sum(one.session.seconds for one in lanes)
    facts["network steps/s"] = done / seconds if seconds else 0.0
    whole = sum(one.session.steps for one in lanes if not one.failure)
    return Frame(done, max(done, whole), views, facts)
