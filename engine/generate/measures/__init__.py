"""How good samples are: `measure(made, source, model, draw) -> number`, or None; a table.

`made` is what the model made, `(n, *shape)`. An entry's facts: `unit`; `better`, "higher" or
"lower"; `plane` and `images`, what it can judge; `good`, where there is one, the value from which
on samples count as good, chosen near what as many true samples get; `first`, whether it is named
before others. A measure that needs what the model cannot tell, or what the source does not know,
returns None and is left out.
"""

from __future__ import annotations

from typing import Any

import torch

from engine.generate.model import Generative
from engine.generate.source import Source
from engine.tables import Table

measures = Table("measure", "engine.generate.measures")


def judged(model: Generative, source: Source, *, count: int, seed: int = 1) -> dict[str, float]:
    """Every measure that makes sense here, of `count` new samples."""
    where = "plane" if source.outline.plane else "images"
    given = source.held_labels if source.outline.given else None
    if given is not None:
        given, count = given[:count], min(count, len(given))
    with torch.no_grad():
        made = model.sample(count, torch.Generator().manual_seed(seed), given)
    found: dict[str, float] = {}
    for name, entry in sorted(
        measures.all().items(), key=lambda one: not one[1].facts.get("first")
    ):
        if not entry.facts[where]:
            continue
        value: Any = entry.function(made, source, model, torch.Generator().manual_seed(seed))
        if value is not None:
            found[named(name)] = float(value)
    return found


def named(name: str) -> str:
    """A measure's name with its unit in brackets, as among the scores."""
    unit = measures.find(name).facts["unit"]
    return f"{name} [{unit}]" if unit else name
