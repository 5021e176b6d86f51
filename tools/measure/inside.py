"""How soon a long text in a deep network can be looked into, and how much is sent for it."""

from __future__ import annotations

import os
import statistics
import tempfile
import time

from tools.measure import Row

ROUNDS = 5
LAYERS, HEADS, TOKENS, FEATURES = 12, 12, 512, 384


def rows() -> list[Row]:
    """Opening 512 tokens in 12 layers of 12 heads, then another head of it."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("PLAYGROUND_HOME")
        os.environ["PLAYGROUND_HOME"] = folder
        try:
            opened, other, first, second = _measured()
        finally:
            if before is None:
                del os.environ["PLAYGROUND_HOME"]
            else:
                os.environ["PLAYGROUND_HOME"] = before
    what = f"{TOKENS} tokens in {LAYERS} layers of {HEADS} heads"
    return [
        Row(
            f"look inside: {what}",
            f"{opened:.2f} s",
            "< 2 s",
            opened < 2,
            "from the weights' file to the message for the browser, one thread, median of 5",
        ),
        Row(
            "another head of it",
            f"{1000 * other:.0f} ms",
            "≤ 150 ms",
            other <= 0.15,
            "likewise",
        ),
        Row(
            "what is sent: at first, then for another head",
            f"{first / 1e6:.2f} MB, {second / 1e6:.2f} MB",
            "≤ 2 MB of 151 MB",
            first <= 2e6,
            "weights as numbers would be 12 · 12 · 512² · 4 bytes",
        ),
    ]


def _measured() -> tuple[float, float, int, int]:
    """Seconds until it is open and for another head; bytes of either message."""
    import torch

    from engine.attention.study import study
    from engine.models.adopt import adopt
    from engine.network.templates.attention_only import attention_only
    from engine.store.home import run_folder
    from ui.live.wire import encode

    torch.set_num_threads(1)
    spec = attention_only(LAYERS, tokens=100, length=TOKENS, features=FEATURES, heads=HEADS)
    model = str(run_folder(adopt(spec)))
    opened, other = [], []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run = study(model)
        frame = next(run)
        first = encode({}, frame, None)
        opened.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        second = encode({}, run.send({"head": 77}), frame)
        other.append(time.perf_counter() - begun)
    return statistics.median(opened), statistics.median(other), len(first), len(second)
