"""Pictures and masks as colours that a view can show."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.palette import CLASSES

GROUND = (0.08, 0.08, 0.08)  # the first class, which mostly is what is behind things

Floats = npt.NDArray[Any]


def in_colour(x: torch.Tensor) -> Floats:
    """Pictures `(n, channels, rows, columns)` as `(n, rows, columns, 3)` in [0, 1]."""
    shown = x if x.shape[1] == 3 else x.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return shown.permute(0, 2, 3, 1).clamp(0, 1).float().numpy().copy()


def painted(classes: torch.Tensor) -> Floats:
    """Masks `(n, rows, columns)` in the colours of their classes, `(n, rows, columns, 3)`."""
    colours = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in CLASSES]) / 255
    colours = np.concatenate([[GROUND], colours])
    numbers = classes.numpy()
    return colours[np.where(numbers > 0, 1 + (numbers - 1) % len(CLASSES), 0)].astype(np.float32)
