"""What a generative model shows while it learns: `panel(learner, memory) -> view`, or None.

None says that it makes no sense for this model; the panel is then left out. `memory` is the
panel's own dictionary. An entry's facts: `place`, its number in the order of the page; `shown`,
whether it is there at first. A panel that takes long is drawn anew less often.
"""

from __future__ import annotations

from engine.tables import Table

panels = Table("panel", "engine.generate.panels")


def in_order() -> tuple[str, ...]:
    """The names of all panels as they stand on the page."""
    return tuple(sorted(panels.all(), key=lambda name: float(panels.find(name).facts["place"])))
