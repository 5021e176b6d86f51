"""The training doctor: `symptom(chart) -> Finding`, or None where all is well.

A rule looks at what the run has measured (`Chart`) and says what it sees, why that happens, and
what helps. Rules only speak of what the numbers show; `tests/test_doctor.py` holds them against
runs made ill on purpose and against healthy ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.tables import Table

rules = Table("rule", "engine.training.doctor")


@dataclass(frozen=True)
class Finding:
    """What is wrong with a run.

    Attributes:
        name: In two or three words.
        evidence: What was measured, with its numbers.
        cause: Why, in plain words.
        fix: What to do, as it stands on a button.
        settings: Settings of the training that the fix changes.
        replace: Types of layers that the fix changes, each with what takes its place.
    """

    name: str
    evidence: str
    cause: str
    fix: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    replace: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)
