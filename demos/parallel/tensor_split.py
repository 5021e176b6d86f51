"""Cutting a matrix between devices.

One layer can be too large, too. Give each device some *columns* of the first matrix,
`A = [A₁ A₂]`: each computes `GELU(X Aᵢ)`, complete hidden units, without a word. Give it the
matching *rows* of the second, and its product `GELU(X Aᵢ) Bᵢ` is one summand of the result: one
all-reduce (everybody sends, everybody gets the sum) adds them up. Attention splits the same way, by
heads. Cut `A` by rows instead, and devices hold parts of sums: `GELU(X₁A₁ + X₂A₂)` is not
`GELU(X₁A₁) + GELU(X₂A₂)`, so they must talk before every GELU.

**Try:** make the wrong cut and see how far off the result is; then let the devices talk.

Source: Shoeybi et al. (2019), Megatron-LM: training multi-billion parameter language models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import gelu

from demos.kit import (
    Choice,
    Claim,
    Frames,
    Question,
    Slider,
    above,
    below,
    interactive,
    lab,
    same,
)
from engine.views import Edge, Frame, Graph, Node, Table, Tiles, View, layered

TOKENS, WIDTH, HIDDEN, HEADS = 8, 16, 32, 4
CUTS = ("columns, then rows", "rows, no talk", "rows, with talk")
BLOCKS = ("MLP", "attention")


def weights(seed: int) -> dict[str, Tensor]:
    """Random inputs and matrices in double precision."""
    g = torch.Generator().manual_seed(seed)
    shapes = {"X": (TOKENS, WIDTH), "A": (WIDTH, HIDDEN), "B": (HIDDEN, WIDTH)}
    shapes |= dict.fromkeys("QKVO", (WIDTH, WIDTH))
    return {name: torch.randn(shape, generator=g, dtype=torch.float64) / (1 if name == "X" else 2)
            for name, shape in shapes.items()}  # fmt: skip


def heads(parts: Sequence[Tensor]) -> Tensor:
    """Attention of some heads side by side: q, k, v, each `(tokens, heads · 4)`, to same shape."""
    width = WIDTH // HEADS
    q, k, v = (part.unflatten(1, (-1, width)).transpose(0, 1) for part in parts)
    scores = q @ k.transpose(1, 2) / width**0.5  # (heads, tokens, tokens)
    return torch.flatten((scores.softmax(-1) @ v).transpose(0, 1), 1)


def unsplit(w: dict[str, Tensor], block: str) -> Tensor:
    """The block on one device, `(tokens, width)`."""
    if block == "MLP":
        return gelu(w["X"] @ w["A"]) @ w["B"]
    return heads([w["X"] @ w[name] for name in "QKV"]) @ w["O"]


def units(parts: Sequence[Tensor]) -> Tensor:
    """Hidden units of an MLP."""
    return gelu(parts[0])


def partial_results(
    w: dict[str, Tensor], block: str, devices: int, cut: str
) -> tuple[list[Tensor], int]:
    """What each device contributes to the sum, and how many all-reduces there are in all."""
    inner = units if block == "MLP" else heads
    into, out = (["A"], "B") if block == "MLP" else (["Q", "K", "V"], "O")
    rows = w[out].chunk(devices, dim=0)
    if cut == "columns, then rows":
        cuts = zip(*(w[name].chunk(devices, dim=1) for name in into), strict=True)
        mine = [inner([w["X"] @ part for part in parts]) for parts in cuts]
        return [h @ b for h, b in zip(mine, rows, strict=True)], 1
    x = w["X"].chunk(devices, dim=1)
    sums = [[xi @ a for xi, a in zip(x, w[name].chunk(devices), strict=True)] for name in into]
    if cut == "rows, no talk":  # each takes its part of the sum for the whole
        return [inner([one[i] for one in sums]) @ w[out] for i in range(devices)], 1
    whole = inner([torch.stack(one).sum(0) for one in sums])  # an all-reduce before the GELU
    return [h @ b for h, b in zip(whole.chunk(devices, 1), rows, strict=True)], 1 + len(into)


@lab(
    covers=["tensor-parallelism"],
    seconds=1,
    tries={
        "The right cut": {"cut": "columns, then rows"},
        "The wrong cut": {"cut": "rows, no talk"},
        "Attention by heads": {"block": "attention", "devices": 4},
    },
    question=Question(
        "Why can the first matrix of an MLP not be cut by rows without a sum in between?",
        ("The shapes do not fit", "GELU of a sum is not the sum of GELUs", "It can"),
        1,
        "Each device would hold only a summand of every hidden unit; a nonlinearity needs the sum.",
    ),
    needs=["model-parallelism", "mlp"],
)
def run(
    block: Annotated[str, Choice(BLOCKS, live=True)] = "MLP",
    cut: Annotated[str, Choice(CUTS, live=True)] = "columns, then rows",
    devices: Annotated[int, Slider(1, 4, live=True, help="More devices")] = 2,
    seed: Annotated[int, Slider(0, 99, live=True, help="Other numbers")] = 0,
) -> Frames:
    """Each device's part, their sum, and how far it is from the whole."""
    yield from interactive(picture, block=block, cut=cut, devices=devices, seed=seed)


def picture(block: str, cut: str, devices: int, seed: int) -> Frame:
    """Everything for one cut; 3 devices become 2, as matrices must be cut evenly."""
    devices = 2 if devices == 3 else devices
    w = weights(seed)
    parts, talks = partial_results(w, block, devices, cut)
    whole, added = unsplit(w, block), torch.stack(parts).sum(0)
    images = torch.stack([*parts, added, whole, added - whole]).numpy()
    words = [f"device {n + 1}" for n in range(devices)]
    captions = (*words, "added up", "on one device", "difference")
    gap = float((added - whole).abs().max())
    views: dict[str, View] = {
        "parts": Tiles(
            images, captions, "signed", across=devices + 3,
            marks={} if gap < 1e-9 else {devices + 2: f"up to {gap:.1f} off"},
            title="results: a row a token, a column a feature",
        ),
        "graph": _graph(block, cut, words),
        "share": _table(block, devices, talks, gap),
    }  # fmt: skip
    facts = {"largest difference": gap, "all-reduces": talks, "devices": devices}
    return Frame(1, 1, views, facts)


def _table(block: str, devices: int, talks: int, gap: float) -> Table:
    numbers = 2 * WIDTH * HIDDEN if block == "MLP" else 4 * WIDTH * WIDTH
    rows: tuple[tuple[str | float | bool, ...], ...] = (
        ("weights in all", numbers),
        ("weights on a device", numbers // devices),
        ("all-reduces of a forward pass", talks),
        ("right", gap < 1e-9),
    )
    return Table(("", "value"), rows, "what is shared and what is sent")


def _graph(block: str, cut: str, words: list[str]) -> Graph:
    first, last = ("X A", "B") if block == "MLP" else ("X Q, X K, X V", "O")
    middle = "GELU" if block == "MLP" else "attention"
    talk = ["sum first"] if cut == "rows, with talk" else []
    one, two = ([f"{word}: {what}" for word in words] for what in (first, f"{middle}, {last}"))
    columns = [["X"], one, talk, two, ["all-reduce"], ["Y"]]
    columns = [column for column in columns if column]
    spots = layered(columns)
    kinds = {"sum first": "talk", "all-reduce": "talk"}
    nodes = tuple(Node(id, id, *at, kind=kinds.get(id, "")) for id, at in spots.items())
    pairs = [("X", id) for id in one]
    if talk:
        pairs += [(id, talk[0]) for id in one] + [(talk[0], id) for id in two]
    else:
        pairs += list(zip(one, two, strict=True))
    pairs += [(id, "all-reduce") for id in two] + [("all-reduce", "Y")]
    return Graph(nodes, tuple(Edge(a, b) for a, b in pairs), "who computes what, who must talk")


def check() -> Iterator[Claim]:
    """The right cut is exact with one all-reduce, the wrong one is off by more than 1."""
    for block in BLOCKS:
        for devices in (2, 4):
            worst: dict[str, tuple[float, float, int]] = dict.fromkeys(CUTS, (0.0, 9e9, 0))
            for seed in range(5):
                w = weights(seed)
                for cut in CUTS:
                    parts, talks = partial_results(w, block, devices, cut)
                    gap = float((torch.stack(parts).sum(0) - unsplit(w, block)).abs().max())
                    worst[cut] = max(worst[cut][0], gap), min(worst[cut][1], gap), talks
            who = f"{block}, {devices} devices"
            yield below(f"{who}: columns, then rows − unsplit", worst[CUTS[0]][0], 1e-10)
            yield same(f"{who}: all-reduces", worst[CUTS[0]][2], 1)
            yield above(f"{who}: rows without talk − unsplit", worst[CUTS[1]][1], 1)
            yield below(f"{who}: rows with talk − unsplit", worst[CUTS[2]][0], 1e-10)
