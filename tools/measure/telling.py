"""How soon the truth about a network is told: after an edit, and of GPT-2 at first sight."""

from __future__ import annotations

import statistics
import time

from tools.measure import Row
from tools.measure.building import network

EDITS = 15


def rows() -> list[Row]:
    """CPU time of `describe`, as the canvas asks for it, in a process that has torch."""
    from engine.network import shapes
    from engine.network.describe import describe
    from engine.network.templates import find

    spec = network(100)
    describe(spec)
    seconds = []
    for edit in range(EDITS):  # another size each time: every layer is measured anew
        spec["nodes"][0]["params"] = {"shape": [16, 29 + edit, 28]}
        begun = time.process_time()
        describe(spec)
        seconds.append(time.process_time() - begun)
    median = 1000 * statistics.median(seconds)
    gpt2 = find("gpt2").spec.to_json()
    shapes._measure.cache_clear()
    begun = time.process_time()
    told = describe(gpt2)
    first = time.process_time() - begun
    note = f"{told['totals']['parameters']:,} parameters, no weights allocated"
    return [
        Row(
            "100 layers described after an edit",
            f"{median:.0f} ms",
            "≤ 100 ms",
            median <= 100,
            f"median of {EDITS} edits of the input's size, CPU time",
        ),
        Row("GPT-2 small described at first sight", f"{first:.2f} s", "≤ 3 s", first <= 3, note),
    ]
