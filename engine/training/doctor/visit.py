"""The doctor's visit: all rules on one run."""

from __future__ import annotations

from engine.training.doctor import Finding, rules
from engine.training.doctor.chart import Facts, chart
from engine.training.session import Session

LEAST = 12  # points of the curves, before which a visit is too early


class Doctor:
    """Looks at one session whenever asked; what its data tell is looked at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._facts: Facts | None = None

    def findings(self) -> list[Finding]:
        """What is wrong as things stand, the gravest first; nothing where all is well."""
        if len(self._session.history.steps) < LEAST:
            return []
        if self._facts is None:
            self._facts = Facts.of(self._session)
        now = chart(self._session, self._facts)
        found = (rule.function(now) for rule in rules.all().values())
        return [one for one in found if one is not None]


def diverged(words: str, rate: float) -> Finding:
    """The finding of a run whose loss is no number any more."""
    return Finding(
        "The loss is no number",
        words,
        "A step was so long that numbers grew beyond what can be written; from there on "
        "everything is NaN.",
        f"A tenth of the learning rate, {rate / 10:.2g}, and gradients cut at 1",
        {"learning_rate": max(1e-5, rate / 10), "clip": 1.0},
    )
