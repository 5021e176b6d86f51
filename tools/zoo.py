"""Train the ready generative models: `make zoo`, or `python -m tools.zoo NAME ...` for some.

Each is one safetensors file of at most 4 MB, with its recipe and its scores in the header. All
learn from data that the playground ships or draws itself, on one thread, from a fixed seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from engine.generate import kept
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.source import open_source

LARGEST = 4_000_000  # bytes of a file


@dataclass(frozen=True)
class Ready:
    """A model to be made.

    Attributes:
        family: Its family.
        data: What it learns.
        title: What it is called.
        steps: How many steps.
        own: The family's settings, where they differ from the usual.
        batch: Samples of one step.
        learning_rate: Length of a step.
    """

    family: str
    data: str
    title: str
    steps: int
    own: Mapping[str, Any] = field(default_factory=dict)
    batch: int = 128
    learning_rate: float = 1e-3
    seed: int = 0


READY = {
    "gan-grid": Ready("gan", "grid", "GAN on a grid of Gaussians", 10_000),
}


def make(name: str) -> None:
    """Train one and write it; says its size, time and scores.

    Raises:
        ValueError: The file is too large.
    """
    one = READY[name]
    source = open_source(one.data)
    recipe = fitting(one.family, source, one.own, {}, title=one.title)
    begun = time.perf_counter()
    learner = Learner(source, recipe, one.steps, one.batch, one.learning_rate, one.seed)
    while not learner.finished:
        learner.advance()
        if learner.step % max(1, one.steps // 20) == 0:
            passed = time.perf_counter() - begun
            told = "  ".join(f"{key} {value:.4g}" for key, value in learner.measured.items())
            print(f"{name} {learner.step:>6}/{one.steps} {passed:6.0f} s  {told}", flush=True)
    training = {
        "learning_rate": one.learning_rate,
        "batch_size": one.batch,
        "steps": one.steps,
        "seed": one.seed,
        "made with": f"PyTorch {torch.__version__.partition('+')[0]}, one thread of a CPU",
        "minutes": round((time.perf_counter() - begun) / 60, 1),
    }
    done = replace(recipe, training=training, step=learner.step, scores=learner.judge())
    path = kept.ZOO / f"{name}.safetensors"
    kept.keep(path, learner.model, done, half=True)
    size = path.stat().st_size
    if size > LARGEST:
        path.unlink()
        raise ValueError(f"{name}: must have at most {LARGEST:,} bytes; has {size:,}")
    scores = "  ".join(f"{key} {value:.4g}" for key, value in done.scores.items())
    print(f"{name}: {size / 1000:.0f} kB in {training['minutes']} min  {scores}", flush=True)


def main() -> int:
    """Make all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(READY))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names or READY:
        if name not in READY:
            print(f"no ready model {name!r}; there are {', '.join(READY)}", file=sys.stderr)
            return 2
        make(name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
