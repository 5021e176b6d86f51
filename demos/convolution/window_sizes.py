"""Kernel size, stride, padding and dilation.

Four numbers say how a window of `k` pixels walks over `n`: it steps by the stride `s`, the edge
is widened by the padding `p`, and its taps stand the dilation `d` apart. The number of stops is
`o = ⌊(n + 2p − d(k − 1) − 1)/s⌋ + 1`. *Valid* means `p = 0`, *same* keeps the size at stride 1.
The transposed one runs the wires backwards: each input writes a window, `o = (n − 1)s − 2p + k`.

**Try:** choose transposed, `k = 3`, `s = 2`, and count how often each output is written: checkers.

Source: Dumoulin & Visin (2016), A guide to convolution arithmetic for deep learning.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - its usual name

from demos.kit import Choice, Claim, Frames, Question, Slider, interactive, lab, same
from engine.views import Array, Bars, Edge, Frame, Graph, Matrix, Node, Note, View

PADDING = ("by hand", "valid", "same")
KINDS = ("convolution", "transposed")


def stops(n: int, k: int, s: int, p: int, d: int) -> int:
    """How many windows fit; zero or less when none does."""
    return (n + 2 * p - d * (k - 1) - 1) // s + 1


def transposed(n: int, k: int, s: int, p: int, d: int) -> int:
    """How large the output of a transposed convolution is."""
    return (n - 1) * s - 2 * p + d * (k - 1) + 1


def wires(n: int, k: int, s: int, p: int, d: int, kind: str) -> list[tuple[int, int]]:
    """Which input (from −p to n + p − 1) goes to which output, in one dimension."""
    if kind == "convolution":
        outputs = range(stops(n, k, s, p, d))
        return [(o * s - p + tap * d, o) for o in outputs for tap in range(k)]
    size = transposed(n, k, s, p, d)
    all_wires = ((i, i * s - p + tap * d) for i in range(n) for tap in range(k))
    return [(i, o) for i, o in all_wires if 0 <= o < size]


def wiring(pairs: list[tuple[int, int]], inputs: range, outputs: int, lit: int, end: int) -> Graph:
    """Inputs below, outputs above; bright are the wires whose `end` (0: input) is `lit`."""
    width = max(len(inputs), outputs, 2)

    def x(place: int, count: int) -> float:
        return (place + 0.5 + (width - count) / 2) / width

    nodes = [Node(f"in{i}", str(i), x(i - inputs.start, len(inputs)), 0.1) for i in inputs]
    nodes += [Node(f"out{o}", str(o), x(o, outputs), 0.9) for o in range(outputs)]
    edges = (Edge(f"in{i}", f"out{o}", 1.0 if (i, o)[end] == lit else 0.08) for i, o in pairs)
    return Graph(tuple(nodes), tuple(edges), "inputs (below) and outputs (above)")


@lab(
    covers=["conv-hyperparameters"],
    seconds=1,
    quick={"n": 5},
    tries={
        "Stride 2 halves": {"n": 12, "k": 3, "s": 2, "p": 1, "padding": "by hand"},
        "Dilation sees further": {"n": 12, "k": 3, "d": 3, "padding": "same"},
        "Checkerboard": {
            "kind": "transposed",
            "n": 6,
            "k": 3,
            "s": 2,
            "p": 0,
            "padding": "by hand",
        },
    },
    question=Question(
        "12 pixels, kernel 3, stride 2, padding 1: how many outputs?",
        ("5", "6", "7", "12"),
        1,
        "⌊(12 + 2 − 2 − 1)/2⌋ + 1 = 6: stride 2 halves.",
    ),
    needs=["convolution-2d"],
)
def run(
    n: Annotated[int, Slider(1, 16, live=True, unit="pixel", help="A wider input")] = 10,
    k: Annotated[int, Slider(1, 7, live=True, unit="pixel", help="A wider window")] = 3,
    s: Annotated[int, Slider(1, 4, live=True, unit="pixel", help="Longer steps")] = 1,
    p: Annotated[int, Slider(0, 4, live=True, unit="pixel", help="More zeros at the edge")] = 0,
    d: Annotated[int, Slider(1, 4, live=True, unit="pixel", help="Taps further apart")] = 1,
    padding: Annotated[str, Choice(PADDING, live=True)] = "by hand",
    kind: Annotated[str, Choice(KINDS, live=True)] = "convolution",
    window: Annotated[int, Slider(0, 15, live=True, help="Which window is lit")] = 0,
) -> Frames:
    """Let the window walk once, then stand where the learner puts it."""

    def picture(
        n: int, k: int, s: int, p: int, d: int, padding: str, kind: str, window: int
    ) -> Frame:
        p = {"by hand": p, "valid": 0, "same": d * (k - 1) // 2}[padding]
        forward = kind == "convolution"
        outputs = stops(n, k, s, p, d) if forward else transposed(n, k, s, p, d)
        pairs = wires(n, k, s, p, d, kind)
        inputs = range(-p, n + p) if forward else range(n)
        lit = min(window, (outputs if forward else n) - 1)
        uses = np.zeros(max(1, n if forward else outputs))
        for place in (i if forward else o for i, o in pairs):
            if 0 <= place < n or not forward:
                uses[place] += 1
        told = f"⌊({n} + 2·{p} − {d}·({k} − 1) − 1)/{s}⌋ + 1 = **{outputs}**"
        if not forward:
            told = f"({n} − 1)·{s} − 2·{p} + {d}·({k} − 1) + 1 = **{outputs}**"
        if outputs < 1:
            told += ": no window fits"
        names = tuple(map(str, range(len(uses))))
        side = f"how often each {'input is read' if forward else 'output is written'}"
        views: dict[str, View] = {
            "wiring": wiring(pairs, inputs, max(0, outputs), lit, int(forward)),
            "formula": Note(told, "outputs", "plain" if outputs > 0 else "warning"),
            "uses": Bars(names, {"windows": uses}, "pixel", "windows", title=side),
            "plane": Matrix(
                np.outer(uses, uses), (), (), "column", "row", title=f"in the plane: {side}"
            ),
        }
        facts = {"outputs [pixel]": max(0, outputs), "weights in the plane": k * k}
        return Frame(max(lit, 0), 15, views, facts)

    shown: dict[str, Any] = {"n": n, "k": k, "s": s, "p": p, "d": d}
    shown |= {"padding": padding, "kind": kind}
    for step in range(16):
        shown.update((yield partial(picture, **{"window": step} | shown)) or {})
    yield from interactive(picture, **{"window": window} | shown)


def check() -> Iterator[Claim]:
    """The formulas against torch, over random settings."""
    random = np.random.default_rng(0)
    right = wrong = both = 0
    for n, k, s, p, d in random.integers((1, 1, 1, 0, 1), (33, 8, 5, 4, 4), (500, 5)).tolist():
        x, w = torch.zeros(1, 1, n), torch.ones(1, 1, k)
        if stops(n, k, s, p, d) > 0:
            found = F.conv1d(x, w, stride=s, padding=p, dilation=d).shape[-1]
            right += found == stops(n, k, s, p, d)
            wrong += found != stops(n, k, s, p, d)
        if (n - 1) * s - 2 * p + k > 0:
            both += (
                F.conv_transpose1d(x, w, stride=s, padding=p).shape[-1] != (n - 1) * s - 2 * p + k
            )
    yield same("Valid settings of 500 where the formula fails", wrong, 0)
    yield same("At least 400 of the 500 were valid", right > 400, True)
    yield same("Settings of 500 where the transposed formula fails", both, 0)
    x = torch.zeros(1, 1, 20)
    with warnings.catch_warnings():  # an even kernel makes torch say that it copies the input
        warnings.simplefilter("ignore")
        sizes = [F.conv1d(x, torch.ones(1, 1, k), padding="same").shape[-1] for k in range(1, 8)]
    yield same("Sizes with padding='same', k = 1 … 7, all 20", sizes == [20] * 7, True)
    odd = [stops(20, k, 1, (k - 1) // 2, 1) for k in (1, 3, 5, 7)]
    yield same("Our 'same' rule p = d(k − 1)/2 keeps 20 for odd k", odd == [20] * 4, True)
    read = np.zeros(9)
    for _, o in wires(4, 3, 2, 0, 1, "transposed"):
        read[o] += 1
    ones: Array = F.conv_transpose1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3), stride=2)[
        0, 0
    ].numpy()
    yield same(
        "Wires into each output equal the transposed convolution of ones",
        bool((read == ones).all()),
        True,
    )
