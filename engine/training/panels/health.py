"""What the training doctor says as things stand."""

from __future__ import annotations

from engine.training.panels import Memory, panels
from engine.training.session import Session
from engine.views import Note, View


@panels.add("doctor", place=20, shown=False, slow=True)
def doctor(session: Session, memory: Memory) -> View:
    """What is wrong with the run, why, and what helps."""
    from engine.training.doctor.visit import Doctor  # its chart looks through panels itself

    if "doctor" not in memory:
        memory["doctor"] = Doctor(session)
    found = memory["doctor"].findings()
    if not found:
        return Note("Nothing is wrong so far.", "doctor", "good")
    text = "\n\n".join(f"**{one.name}.** {one.evidence} {one.cause} *{one.fix}.*" for one in found)
    return Note(text, "doctor", "warning")
