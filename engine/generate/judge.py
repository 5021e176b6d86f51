"""The project's own classifier of a data set: the eyes with which images are judged.

Scores such as FID were made for the features of one large network that has seen photographs.
Digits of 8 x 8 pixels need other eyes: a small network that has learnt to tell their classes. Its
scores may be compared with each other on one data set, never with published ones.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from engine.generate.source import Source
from engine.store.home import home
from engine.training.checkpoint import fit

SHIPPED = Path(__file__).parent / "judges"
FEATURES = 32
STEPS = 600
BATCH = 64
_RATE = 2e-3
_known: dict[str, Judge | None] = {}


class Judge(nn.Module):
    """Convolutions down to 4 x 4 pixels, 32 features, and the classes' scores.

    Attributes:
        body: Images `(n, channels, rows, columns)` in [-1, 1] -> 32 numbers.
        head: Those -> logits `(n, classes)`.
        scale: Root mean square of those numbers over the training images.
    """

    scale: torch.Tensor

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        channels, rows, columns = shape
        layers: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU()]
        width = 16
        while max(rows, columns) > 4:
            layers += [nn.Conv2d(width, 32, 3, 2, 1), nn.ReLU()]
            width, rows, columns = 32, (rows + 1) // 2, (columns + 1) // 2
        layers += [nn.Flatten(), nn.Linear(width * rows * columns, FEATURES), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(FEATURES, classes)
        self.register_buffer("scale", torch.ones(()))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What images are compared by, `(n, 32)`: of mean square 1 over the training images."""
        told: torch.Tensor = self.body(x) / self.scale
        return told

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logits."""
        told: torch.Tensor = self.head(self.body(x))
        return told


def judge(source: Source) -> Judge | None:
    """The classifier for the images of a source, in eval mode; None for points and without classes.

    It comes with the playground, or was trained here before, or is trained now: some seconds.
    """
    if source.outline.plane or source.labels is None or not source.outline.classes:
        return None
    name = _file(source)
    if name not in _known:
        _known[name] = _found(name, source) or _kept(name, learnt(source))
    return _known[name]


def learnt(source: Source, steps: int = STEPS) -> Judge:
    """A classifier trained on the training images; the same every time.

    Raises:
        ValueError: They have no classes.
    """
    labels = source.labels
    if labels is None:
        raise ValueError(f"{source.name}: needs classes for a classifier to learn; it has none")
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        made = Judge(source.outline.shape, len(source.outline.classes))
        optimizer = torch.optim.Adam(made.parameters(), lr=_RATE)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(steps):
            picked = torch.randint(len(source.x), (BATCH,))
            loss = functional.cross_entropy(made(source.x[picked]), labels[picked])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
    with torch.no_grad():
        made.scale.copy_(made.body(source.x).square().mean().sqrt())
    return made.eval().requires_grad_(requires_grad=False)


def seen(x: torch.Tensor, source: Source) -> torch.Tensor:
    """Samples as they are compared: the classifier's features, or the numbers themselves."""
    eyes = judge(source)
    if eyes is None:
        return x.flatten(1)
    with torch.no_grad():
        return eyes.features(x)


def _file(source: Source) -> str:
    """A file name for a source: its name where that is one, and what it has been asked with."""
    word = re.sub(r"\W+", "-", source.name).strip("-")[:40]
    if word == source.name:
        return word
    return f"{word}-{hashlib.sha256(source.name.encode()).hexdigest()[:10]}"


def _found(name: str, source: Source) -> Judge | None:
    for folder in (SHIPPED, home() / "judges"):
        path = folder / f"{name}.safetensors"
        if path.is_file():
            made = Judge(source.outline.shape, len(source.outline.classes))
            try:
                fit(made, load_file(path), path.name)
            except ValueError:  # of an earlier data set of that name: learn anew
                continue
            return made.eval().requires_grad_(requires_grad=False)
    return None


def _kept(name: str, made: Judge) -> Judge:
    keep(made, home() / "judges" / f"{name}.safetensors")
    return made


def keep(made: Judge, path: Path) -> None:
    """Write a classifier's weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    save_file(made.state_dict(), draft)
    draft.replace(path)
