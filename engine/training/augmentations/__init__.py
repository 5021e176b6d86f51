"""Changes of training samples that leave their answer: `change(x, strength, generator) -> like x`.

`strength` is in [0, 1]. An entry's fact `kinds` says for which samples it is meant.
"""

from __future__ import annotations

from engine.tables import Table

augmentations = Table("augmentation", "engine.training.augmentations")
