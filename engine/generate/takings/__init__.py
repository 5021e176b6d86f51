"""What a generative model can be taken home as: `take(taken) -> bytes`; a table.

An entry's facts: `title`; `file`, the name of the file; `media`, its type in HTTP; `place`, its
number in lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.generate import kept
from engine.generate.kept import Recipe
from engine.generate.model import Generative
from engine.tables import Table

takings = Table("form to take a generative model home", "engine.generate.takings")

FEW = 16  # samples of a picture


@dataclass(frozen=True)
class Taken:
    """A model to be taken home.

    Attributes:
        path: Its file.
        model: The model, in eval mode.
        recipe: How it was made.
        seed: Of the samples in pictures.
    """

    path: Path
    model: Generative
    recipe: Recipe
    seed: int = 0

    def draw(self) -> torch.Generator:
        """The noise of the pictures."""
        return torch.Generator().manual_seed(self.seed)

    def labels(self, count: int) -> torch.Tensor | None:
        """The classes in turn, for models that take one."""
        classes = len(self.recipe.outline.classes)
        return torch.arange(count) % classes if classes else None


def take_home(model: str, name: str, seed: int = 0) -> dict[str, Any]:
    """A model in one of the forms: `{"content", "file", "media"}`.

    Raises:
        LookupError: There is no such model or form.
        ValueError: The model has no such form; says why.
    """
    entry = takings.find(name)
    made, recipe = kept.open_kept(model)
    content: bytes = entry.function(Taken(kept.find(model), made, recipe, seed))
    return {"content": content, "file": entry.facts["file"], "media": entry.facts["media"]}
