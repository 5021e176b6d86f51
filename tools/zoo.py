"""Train the ready generative models: `make zoo`, or `python -m tools.zoo NAME ...` for some.

Each is one safetensors file of at most 4 MB, with its recipe and its scores in the header. All
learn from data that the playground ships or draws itself, on one thread, from a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from engine.forms import Form
from engine.generate import kept
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.source import open_source
from engine.network.templates import spec_of
from engine.store.files import write_json
from engine.training.run import train
from engine.views import frame_of

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
    "gan-grid": Ready("gan", "grid", "GAN on a grid of Gaussians", 10_000, learning_rate=5e-4),
    "wgan-gp-ring": Ready("wgan-gp", "ring", "Wasserstein GAN on a ring", 6000),
    "diffusion-ring": Ready(
        "diffusion", "ring", "Diffusion on a ring", 4000, batch=256, learning_rate=2e-3
    ),
    "flow-matching-spiral": Ready(
        "flow matching", "spiral", "Flow matching on a spiral", 4000, batch=256, learning_rate=2e-3
    ),
    "spline-flow-moons": Ready(
        "spline-flow", "two moons", "Spline flow on two moons", 3000, learning_rate=2e-3
    ),
    "energy-moons": Ready("energy", "two moons", "Energy of two moons", 3000),
    "cyclegan-plane": Ready(
        "cyclegan", "clouds", "CycleGAN between two sets of points", 1500, batch=64
    ),
    "vae-digits": Ready("vae", "digits", "VAE on digits", 6000, learning_rate=2e-3),
    "conditional-vae-digits": Ready(
        "conditional-vae",
        "digits",
        "Conditional VAE on digits",
        5000,
        {"latent": 3},
        learning_rate=2e-3,
    ),
    "beta-vae-factors": Ready(
        "beta-vae",
        "factors",
        "β-VAE on shapes",
        1800,
        {"beta": 1.5, "latent": 8, "style": "convolutional", "width": 32},
        learning_rate=2e-3,
    ),
    "vq-vae-digits": Ready(
        "vq-vae", "digits", "VQ-VAE on digits", 2500, batch=64, learning_rate=2e-3
    ),
    "pixelcnn-digits": Ready(
        "pixelcnn",
        "digits",
        "PixelCNN on digits",
        1500,
        {"told": True},
        batch=32,
        learning_rate=6e-3,
    ),
    "glow-digits": Ready("glow", "digits", "Glow on digits", 1500, batch=64, learning_rate=2e-3),
    "dcgan-digits": Ready("dcgan", "digits", "DCGAN on digits", 2500, batch=64, learning_rate=5e-4),
    "conditional-gan-digits": Ready(
        "conditional-gan", "digits", "Conditional GAN on digits", 3000, batch=64, learning_rate=5e-4
    ),
    "stylegan-digits": Ready("stylegan", "digits", "StyleGAN on digits", 3000, batch=64),
    "pix2pix-outlines": Ready(
        "pix2pix", "outlines", "pix2pix: outlines to shapes", 400, batch=32, learning_rate=2e-3
    ),
    "diffusion-digits": Ready(
        "diffusion", "digits", "Diffusion on digits", 1500, batch=128, learning_rate=2e-3
    ),
    "latent-diffusion-digits": Ready(
        "latent diffusion",
        "digits",
        "Latent diffusion on digits",
        3000,
        {"first": 1200},
        learning_rate=2e-3,
    ),
    "diffusion-glyphs": Ready(
        "diffusion",
        "glyphs",
        "Diffusion on printed digits",
        2000,
        {"channels": 16, "average": 0.998},
        batch=48,
        learning_rate=2e-3,
    ),
}


@dataclass(frozen=True)
class Writer:
    """A text model to be made: a network of the templates, kept as a run keeps it.

    Attributes:
        template: The network.
        data: What it reads.
        title: What it is called.
        settings: Of the training, where they differ from the usual.
    """

    template: str
    data: str
    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)


WRITERS = {
    "text-plays": Writer(
        "gpt-pieces",
        "plays_pieces",
        "GPT in pieces of words, on Shakespeare",
        {
            "epochs": 14,
            "batch_size": 16,
            "learning_rate": 0.002,
            "schedule": "one-cycle",
            "initialisation": "normal",
            "optimizer": "AdamW",
            "weight_decay": 0.1,
        },
    ),
    "text-stories": Writer(
        "gpt-small",
        "stories",
        "Small GPT, on tiny stories",
        {
            "epochs": 5,
            "batch_size": 16,
            "learning_rate": 0.002,
            "schedule": "cosine",
            "initialisation": "normal",
        },
    ),
    "text-blanks": Writer(
        "bert-blanks",
        "blanks?size=20000",
        "BERT that fills blanks, on tiny stories",
        {"epochs": 24, "learning_rate": 0.003, "schedule": "cosine"},
    ),
}


def write(name: str) -> None:
    """Train a text model and write it; says its size, time and score."""
    one = WRITERS[name]
    form = Form.of(train, "zoo")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        settings: dict[str, Any] = {**form.fill(one.settings), "panels": ""}
        for made in train(spec_of(one.template), one.data, folder=Path(place), **settings):
            frame = frame_of(made)
            if frame.step % max(1, frame.of // 20) == 0:
                told = "  ".join(f"{key} {value:.4g}" for key, value in frame.facts.items())
                print(f"{name} {frame.step:>6}/{frame.of}  {told}", flush=True)
        folder = kept.ZOO / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("spec.json", "settings.json", "summary.json", "weights.safetensors"):
            shutil.copyfile(Path(place) / file, folder / file)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    write_json(folder / "summary.json", {**summary, "title": one.title})
    minutes = (time.perf_counter() - begun) / 60
    size = (folder / "weights.safetensors").stat().st_size
    _refuse_large(name, size, folder / "weights.safetensors")
    print(f"{name}: {size / 1000:.0f} kB in {minutes:.1f} min", flush=True)


def _refuse_large(name: str, size: int, path: Path) -> None:
    if size > LARGEST:
        path.unlink()
        raise ValueError(f"{name}: must have at most {LARGEST:,} bytes; has {size:,}")


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
    _refuse_large(name, size, path)
    scores = "  ".join(f"{key} {value:.4g}" for key, value in done.scores.items())
    print(f"{name}: {size / 1000:.0f} kB in {training['minutes']} min  {scores}", flush=True)


def main() -> int:
    """Make all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*READY, *WRITERS]))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.names or [*READY, *WRITERS]:
        if name in WRITERS:
            write(name)
        elif name in READY:
            make(name)
        else:
            known = ", ".join([*READY, *WRITERS])
            print(f"no ready model {name!r}; there are {known}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
