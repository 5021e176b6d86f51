"""How many bits does a surprise cost?

An event of probability `p` carries `−log₂ p` bits. Entropy `H(p) = −Σ p log₂ p` is the average:
the fewest bits a symbol that any code can reach. Coding with a wrong belief `q` costs the
cross-entropy `H(p, q) = −Σ p log₂ q = H(p) + KL(p‖q)`; the extra `KL(p‖q)` is never negative and
not the same the other way round. Huffman's code comes within one bit of the entropy. Training a
classifier means lowering `H(p, q)`: making `q` fit the labels `p`.

**Try:** type the numbers of `p` into `q`, and watch the extra bits vanish.

Source: Cover & Thomas (2006), Elements of Information Theory; Huffman (1952).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import (
    Claim,
    Frames,
    Numbers,
    Question,
    above,
    below,
    between,
    interactive,
    lab,
    near,
)
from engine.views import Array, Bars, Edge, Frame, Graph, Node, Table, View

SYMBOLS = ("A", "B", "C", "D", "E")
TRUTH, BELIEF = [0.5, 0.25, 0.125, 0.0625, 0.0625], [0.2, 0.2, 0.2, 0.2, 0.2]
LEAST = 0.001  # a belief of exactly 0 in what happens would cost infinitely many bits

Tree = str | tuple["Tree", "Tree"]


def entropy(p: Array) -> float:
    """`H(p) = −Σ p log₂ p` [bit]; a probability of 0 adds nothing."""
    return -float(np.sum(p * np.log2(np.where(p > 0, p, 1.0))))


def cross_entropy(p: Array, q: Array) -> float:
    """`H(p, q) = −Σ p log₂ q` [bit]."""
    return -float(np.sum(p * np.log2(q)))


def divergence(p: Array, q: Array) -> float:
    """`KL(p‖q) = Σ p log₂(p/q)` [bit]."""
    return float(np.sum(p * np.log2(np.where(p > 0, p / q, 1.0))))


def huffman(p: Array, names: tuple[str, ...] = SYMBOLS) -> Tree:
    """Join the two rarest again and again; a symbol's code is its path from the root."""
    heap: list[tuple[float, int, Tree]] = [
        (float(w), i, n) for i, (w, n) in enumerate(zip(p, names, strict=True))
    ]
    heapq.heapify(heap)
    for order in range(len(heap), 2 * len(heap) - 1):  # the number only breaks ties
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, (first[0] + second[0], order, (second[2], first[2])))
    return heap[0][2]


def codes(tree: Tree, path: str = "") -> dict[str, str]:
    """Symbol -> its code of zeros and ones."""
    if isinstance(tree, str):
        return {tree: path}
    return codes(tree[0], path + "0") | codes(tree[1], path + "1")


def length(p: Array, names: tuple[str, ...] = SYMBOLS) -> float:
    """Average length of Huffman's code [bit]."""
    code = codes(huffman(p, names))
    return float(sum(w * len(code[name]) for w, name in zip(p, names, strict=True)))


@lab(
    covers=["information-theory"],
    seconds=1,
    tries={
        "Believe the truth": {"q": TRUTH},
        "Five alike": {"p": BELIEF},
        "Surely A": {"p": [1.0, LEAST, LEAST, LEAST, LEAST]},
    },
    question=Question(
        "p = (½, ¼, ⅛, 1/16, 1/16). What does a symbol cost at least, on average?",
        ("1.875 bits", "2.32 bits, as for five equal ones", "3 bits"),
        0,
        "½·1 + ¼·2 + ⅛·3 + 2·(1/16)·4 = 1.875: frequent symbols get short codes.",
    ),
)
def run(
    p: Annotated[
        list[float], Numbers(5, LEAST, 1, SYMBOLS, across=5, help="The truth", live=True)
    ] = TRUTH,
    q: Annotated[
        list[float], Numbers(5, LEAST, 1, SYMBOLS, across=5, help="The belief", live=True)
    ] = BELIEF,
) -> Frames:
    """Measure both distributions (scaled to sum to 1) and build the best code for p."""
    yield from interactive(picture, p=p, q=q)


def picture(p: list[float], q: list[float]) -> Frame:
    """The bars, what they cost in bits, and Huffman's tree."""
    truth, belief = np.array(p) / sum(p), np.array(q) / sum(q)
    H, cross = entropy(truth), cross_entropy(truth, belief)
    there, back = divergence(truth, belief), divergence(belief, truth)
    cost = {
        "entropy H(p)": H,
        "+ KL(p‖q)": there,
        "= cross-entropy H(p, q)": cross,
        "KL(q‖p)": back,
        "Huffman's code": length(truth),
    }
    code = codes(huffman(truth))
    rows = tuple(
        (name, code[name], float(-np.log2(one)), float(-np.log2(two)))
        for name, one, two in zip(SYMBOLS, truth, belief, strict=True)
    )
    views: dict[str, View] = {
        "distributions": Bars(
            SYMBOLS,
            {"truth p": truth, "belief q": belief},
            "symbol",
            "probability",
            title="truth and belief",
        ),
        "bits": Bars(
            tuple(cost),
            {"bits a symbol": np.array(list(cost.values()))},
            ylabel="bits a symbol",
            title="what it costs",
        ),
        "tree": _drawn(huffman(truth), dict(zip(SYMBOLS, truth, strict=True))),
        "codes": Table(
            ("symbol", "Huffman's code", "−log₂ p [bit]", "−log₂ q [bit]"), rows, "codes"
        ),
    }
    facts = {"H(p) [bit]": H, "H(p, q) [bit]": cross, "KL(p‖q) [bit]": there, "KL(q‖p) [bit]": back}
    return Frame(1, 1, views, facts)


def _drawn(tree: Tree, weights: dict[str, float]) -> Graph:
    nodes: list[Node] = []
    edges: list[Edge] = []
    code = codes(tree)
    deep = max(len(path) for path in code.values())
    rank = {name: (i + 0.5) / len(code) for i, name in enumerate(code)}  # from left to right

    def place(part: Tree, path: str) -> tuple[float, float]:
        """Where a part stands and what it weighs; the parts below it first."""
        if isinstance(part, str):
            across, weight, label = rank[part], weights[part], part
        else:
            (left, first), (right, second) = (
                place(one, path + bit) for one, bit in zip(part, "01", strict=True)
            )
            across, weight = (left + right) / 2, first + second
            label = ""
            edges.extend(Edge(f"root{path}", f"root{path}{bit}", label=bit) for bit in "01")
        nodes.append(Node(f"root{path}", label, across, 1 - len(path) / deep, weight))
        return across, weight

    place(tree, "")
    return Graph(tuple(nodes), tuple(edges), "Huffman's tree: 0 to the left, 1 to the right")


def check() -> Iterator[Claim]:
    """The identity of the three measures, Huffman's bounds and an asymmetric pair."""
    random = np.random.default_rng(0)
    pairs = random.dirichlet(np.ones(5), (200, 2)).clip(1e-12)
    pairs /= pairs.sum(axis=2, keepdims=True)
    gaps = [abs(cross_entropy(p, q) - entropy(p) - divergence(p, q)) for p, q in pairs]
    yield below("H(p, q) − H(p) − KL(p‖q), largest of 200 random pairs [bit]", max(gaps), 1e-12)
    yield above("Smallest KL of 200 random pairs [bit]", min(divergence(p, q) for p, q in pairs), 0)
    waste = [length(p) - entropy(p) for p, _ in pairs]
    yield above("Huffman's length over the entropy, smallest [bit]", min(waste), 0)
    yield between("largest (must stay below 1) [bit]", max(waste), 0, 1 - 1e-12)
    a, b = np.array([0.9, 0.1]), np.array([0.5, 0.5])
    yield near("KL((.9, .1)‖(.5, .5)) [bit]", divergence(a, b), 0.531, 5e-4)
    yield near("KL((.5, .5)‖(.9, .1)) [bit]", divergence(b, a), 0.737, 5e-4)
