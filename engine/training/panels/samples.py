"""What the network gets to see: training samples, changed as they are for it."""

from __future__ import annotations

import torch

from engine.training.panels import Memory, panels
from engine.training.session import Session
from engine.views import Tiles, View

SHOWN = 24


@panels.add("samples", place=12, shown=False, slow=True)
def samples(session: Session, memory: Memory) -> View | None:
    """Some training samples as the augmentation gives them to the network."""
    del memory
    data = session.data
    if data.kind != "image":
        return None
    x = session.augmented(data.train_x[:SHOWN], torch.Generator().manual_seed(session.step))
    x = x.permute(0, 2, 3, 1).clamp(0, 1) if x.shape[1] == 3 else x.mean(1)
    known = data.classes and data.train_y.ndim == 1
    names = tuple(data.classes[int(y)] for y in data.train_y[:SHOWN]) if known else ()
    how = session.settings.augmentation
    title = "training samples" if how == "none" else f"training samples with {how}"
    return Tiles(x.numpy().copy(), names, title=title)
