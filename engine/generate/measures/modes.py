"""Modes: how many are found, how many samples lie on one, and whether each gets its share.

No one of the three says enough. A generator that is stuck at the middle of a grid is all *valid*;
one that sprays over the plane gives every mode its share; one lucky sample in ten finds a mode.
"""

from __future__ import annotations

import torch

from engine.generate.measures import measures
from engine.generate.model import Generative
from engine.generate.source import Source
from engine.generate.targets import Target

NEAR = 3.0  # standard deviations within which a sample is on a mode: 98.9 % of true ones in 2-D
FOUND = 0.1  # of its share of valid samples that a mode must get to count as found


def nearest_modes(x: torch.Tensor, target: Target) -> tuple[torch.Tensor, torch.Tensor]:
    """The number of the nearest mode of each point, `(n,)`, and whether it lies on it, `(n,)`."""
    modes = torch.zeros(1, 2) if target.modes is None else target.modes
    closest = torch.cdist(x, modes).min(dim=1)
    return closest.indices, closest.values <= NEAR * target.spread


def mode_shares(
    x: torch.Tensor, source: Source
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None:
    """Of each mode: true share, share of all samples nearest to it, share that lies on it."""
    target = source.target
    if target is None or target.modes is None:
        return None
    count = len(target.modes)
    which, on = nearest_modes(x, target)
    due = torch.full((count,), 1 / count) if target.shares is None else target.shares
    nearest = torch.bincount(which, minlength=count) / len(x)
    valid = torch.bincount(which[on], minlength=count) / len(x)
    return due, nearest, valid


@measures.add(
    "mode coverage", first=True, unit="", better="higher", plane=True, images=False, good=1.0
)
def coverage(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Share of the modes that are found: that get a tenth of the samples they are due."""
    del model, draw
    if (known := mode_shares(made, source)) is None:
        return None
    due, _, valid = known
    return float((valid >= FOUND * due).float().mean())


@measures.add("validity", first=True, unit="", better="higher", plane=True, images=False, good=0.85)
def validity(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Share of the samples within three standard deviations of a mode; of true ones 0.989."""
    del model, draw
    known = mode_shares(made, source)
    return None if known is None else float(known[2].sum())


@measures.add("mode-TV", first=True, unit="", better="lower", plane=True, images=False, good=0.15)
def mode_total_variation(
    made: torch.Tensor, source: Source, model: Generative, draw: torch.Generator
) -> float | None:
    """Half the sum of how far the modes' shares are from the true ones: 0 at best, below 1.

    TV = ½ Σ_k |q_k - p_k|, each sample counted at its nearest mode; all at one of K modes: 1 - 1/K.
    """
    del model, draw
    if (known := mode_shares(made, source)) is None:
        return None
    due, nearest, _ = known
    return float((nearest - due).abs().sum() / 2)
