"""What the training costs: time, operations, energy."""

from __future__ import annotations

from engine.training.panels import Memory, panels
from engine.training.session import Session
from engine.views import Table, View

WATTS = 15.0  # of one core of a laptop or server under load, a round figure
BACKWARD = 2.0  # going back costs about twice what going forward does


@panels.add("cost", place=19, shown=False)
def cost(session: Session, memory: Memory) -> View:
    """Speed, computing time, operations so far and an estimate of the energy."""
    if "flops" not in memory:
        memory["flops"] = _flops(session)
    seconds, steps = session.seconds, session.step
    each = memory["flops"]
    total = each * (1 + BACKWARD) * session.samples
    rate = session.samples / seconds if seconds else 0.0
    words = "compiled loop" if session.compiled else "PyTorch"
    rows = (
        ("takes the steps", words),
        ("samples a second", f"{rate:,.0f}"),
        ("steps taken", f"{steps:,}"),
        ("computing time [s]", f"{seconds:.1f}"),
        ("operations for a sample, forward [FLOP]", f"{each:,.0f}"),
        ("operations in this process [GFLOP]", f"{total / 1e9:,.3f}"),
        (f"energy at {WATTS:.0f} W a core, an estimate [Wh]", f"{seconds * WATTS / 3600:.4f}"),
    )
    return Table(("what", "how much"), rows)


def _flops(session: Session) -> float:
    """Floating-point operations of one sample's forward pass, counted by PyTorch itself."""
    from torch.utils.flop_counter import FlopCounterMode

    x = session.data.valid_x[:1]
    counter = FlopCounterMode(display=False)
    was = session.module.training
    session.module.eval()
    with counter:
        session.module(*session.data.inputs(x))
    session.module.train(was)
    return float(counter.get_total_flops())
