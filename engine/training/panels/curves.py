"""Lines over the steps of the run."""

from __future__ import annotations

from engine.training.panels import Memory, panels
from engine.training.session import Session
from engine.views import View


@panels.add("loss", place=3, shown=True)
def loss(session: Session, memory: Memory) -> View:
    """The loss on what is learnt and on what is not."""
    del memory
    names = ("loss train", "loss validation")
    return session.history.curve(names, f"loss{session.objective.unit}", log=True)


@panels.add("accuracy", place=4, shown=True)
def accuracy(session: Session, memory: Memory) -> View:
    """The part that is right, or R², likewise."""
    del memory
    words = "accuracy" if session.classifies else "R²"
    return session.history.curve(("score train", "score validation"), words)


@panels.add("rate", place=18, shown=False)
def rate(session: Session, memory: Memory) -> View:
    """The learning rate, with its schedule."""
    del memory
    return session.history.curve(("learning rate",), "learning rate", log=True)
