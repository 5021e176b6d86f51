"""One configuration of a contest: a session that takes its turn with others in one process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from engine.data import DataSet
from engine.forms import Form
from engine.network.spec import NetworkSpec
from engine.training.run import begin
from engine.training.session import Diverged, Session
from engine.training.settings import Settings

MOST_LANES = 8
FORM = Form.of(Settings, "train")
_KNOWN = {one.name for one in fields(Settings)}


@dataclass
class Lane:
    """A session and what became of it.

    Attributes:
        name: What it is called on the chart.
        session: The network while it learns.
        failure: Why it ended early; empty while all is well.
    """

    name: str
    session: Session
    failure: str = ""

    @property
    def over(self) -> bool:
        """Whether it takes no more turns."""
        return bool(self.failure) or self.session.finished

    @property
    def share(self) -> float:
        """How much of its training is behind, in [0, 1]."""
        return self.session.step / max(1, self.session.steps)

    def turn(self) -> None:
        """A step, or as many as the compiled loop takes at once."""
        try:
            self.session.advance(free=True)
        except Diverged as ill:
            self.failure = str(ill)

    def score(self) -> float:
        """The newest validation score; the worst there is if it failed."""
        newest = self.session.full or self.session.judged
        return float("-inf") if newest is None or self.failure else newest.score


def settings(values: Mapping[str, Any], base: Mapping[str, Any]) -> Settings:
    """How to train: some values over others, each held against its control.

    Raises:
        ValueError: A value is no good, or a name is unknown; says which.
    """
    known = {name: value for name, value in base.items() if name in _KNOWN}
    return Settings(**FORM.accept({**known, **values}))  # type: ignore[arg-type] # held just now


def lane(
    name: str,
    spec: Mapping[str, Any],
    data: DataSet,
    values: Mapping[str, Any],
    base: Mapping[str, Any],
) -> Lane:
    """A lane at its beginning."""
    return Lane(name, begin(NetworkSpec.parse(spec), data, settings(values, base)))
