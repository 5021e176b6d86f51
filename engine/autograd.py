"""A scalar autograd engine: numbers that remember how they were computed.

Each `Value` knows its parents and, at this point, how fast it changes with each of them (its
local slopes). Walking the graph from the end and multiplying slopes is reverse mode
(backpropagation); walking it from an input is forward mode.

Source: Linnainmaa (1976), Taylor expansion of the accumulated rounding error;
Griewank & Walther (2008), Evaluating Derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.views import Array, Edge, Graph, Node, layered


@dataclass(eq=False, slots=True)
class Value:
    """A number in a computation.

    Attributes:
        data: The number.
        op: What made it, `"*"` for instance; empty for an input or a weight.
        parents: What it was made from.
        slopes: Its derivative with respect to each parent, here.
        name: What a reader may call it.
        gradient: Derivative of the output with respect to it, once `backward` has come by.
    """

    data: float
    op: str = ""
    parents: tuple[Value, ...] = ()
    slopes: tuple[float, ...] = ()
    name: str = ""
    gradient: float = 0.0

    def __add__(self, other: Value) -> Value:
        return Value(self.data + other.data, "+", (self, other), (1.0, 1.0))

    def __sub__(self, other: Value) -> Value:
        return Value(self.data - other.data, "−", (self, other), (1.0, -1.0))

    def __mul__(self, other: Value) -> Value:
        return Value(self.data * other.data, "×", (self, other), (other.data, self.data))

    def squared(self) -> Value:
        """Its square; the slope is `2 x`."""
        return Value(self.data**2, "²", (self,), (2 * self.data,))

    def tanh(self) -> Value:
        """Its hyperbolic tangent; the slope is `1 − tanh²`."""
        out = math.tanh(self.data)
        return Value(out, "tanh", (self,), (1 - out**2,))

    def sin(self) -> Value:
        """Its sine [rad]; the slope is the cosine."""
        return Value(math.sin(self.data), "sin", (self,), (math.cos(self.data),))

    def exp(self) -> Value:
        """Its exponential, which is its own slope."""
        out = math.exp(self.data)
        return Value(out, "exp", (self,), (out,))


def ordered(output: Value) -> list[Value]:
    """All values the output depends on, each after its parents; the output comes last."""
    order: list[Value] = []
    seen: set[int] = set()
    stack = [(output, False)]  # not recursive: chains may be thousands of steps long
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack.append((value, True))
            stack.extend((parent, False) for parent in reversed(value.parents))
    return order


def backward(output: Value, steps: int | None = None) -> list[Value]:
    """Reverse mode: from the output, hand each value's gradient on to its parents.

    Args:
        output: What is differentiated; its own gradient is 1.
        steps: After how many values to stop, to look at a pass half done; None goes to the end.

    Returns:
        The values in the order of the visit; their `gradient` is set.
    """
    order = ordered(output)[::-1]
    for value in order:
        value.gradient = 0.0
    output.gradient = 1.0
    for value in order[:steps]:
        for parent, slope in zip(value.parents, value.slopes, strict=True):
            parent.gradient += value.gradient * slope  # += : several paths add up
    return order


def forward(output: Value, source: Value, steps: int | None = None) -> dict[int, float]:
    """Forward mode: how fast every value changes with one input, carried along the computation.

    Returns:
        `id` of a value -> its derivative with respect to `source`.
    """
    tangent: dict[int, float] = {}
    for value in ordered(output)[:steps]:
        carried = zip(value.parents, value.slopes, strict=True)
        tangent[id(value)] = sum(slope * tangent[id(parent)] for parent, slope in carried)
        if value is source:
            tangent[id(value)] = 1.0
    return tangent


def network_loss(
    sizes: Sequence[int],
    numbers: Sequence[float],
    inputs: Sequence[float],
    targets: Sequence[float],
) -> tuple[Value, list[Value]]:
    """The loss `Σ (output − target)²` of a tanh network with a linear last layer.

    Returns:
        The loss, and the parameters: for each neuron its weights and then its bias, which take
        their values from `numbers` in turn.
    """
    weights = [Value(w) for w in numbers]
    supply, layer = (
        iter(weights),
        [Value(x, name=f"x{i + 1}") for i, x in enumerate(inputs[: sizes[0]])],
    )
    for depth, size in enumerate(sizes[1:], start=1):
        outs = []
        for _ in range(size):
            row, bias = [next(supply) for _ in layer], next(supply)
            outs.append(_neuron(layer, row, bias))
        layer = outs if depth == len(sizes) - 1 else [z.tanh() for z in outs]
    for i, weight in enumerate(weights):
        weight.name = f"w{i + 1}"
    truths = [Value(t, name=f"t{i + 1}") for i, t in enumerate(targets[: sizes[-1]])]
    first, *others = [(y - t).squared() for y, t in zip(layer, truths, strict=True)]
    for miss in others:
        first = first + miss
    first.name = "L ="
    return first, weights


def _neuron(inputs: Sequence[Value], weights: Sequence[Value], bias: Value) -> Value:
    """`b + w₁ a₁ + w₂ a₂ + …`."""
    total = bias
    for weight, activation in zip(weights, inputs, strict=True):
        total = total + weight * activation
    return total


def checkpointed(w: Array, x: Array, every: int) -> tuple[Array, int, int]:
    """Gradient of `Σ a_L` for layers `a ← tanh(w_l a)`, keeping only each `every`-th activation.

    Args:
        w: The layers' weights, `(layers, width)`.
        x: The input, `(width,)`.
        every: Distance of the checkpoints; 1 keeps all.

    Returns:
        Gradient by w, `(layers, width)`; the most activations held at once; layers evaluated.
    """
    kept, a, evaluated = {}, x, 0
    for layer, weight in enumerate(w):
        if layer % every == 0:
            kept[layer] = a
        a, evaluated = np.tanh(weight * a), evaluated + 1
    gradient, back, most, after = np.zeros_like(w), np.ones_like(x), 0, a
    for begin in reversed(list(kept)):
        inner = w[begin : begin + every][:-1]
        segment, evaluated = [kept.pop(begin)], evaluated + len(inner)
        for weight in inner:  # again, from the checkpoint on
            segment.append(np.tanh(weight * segment[-1]))
        segment.append(after)  # the next segment's beginning
        after, most = segment[0], max(most, len(kept) + len(segment))
        for offset in reversed(range(len(inner) + 1)):
            slope = (1 - segment[offset + 1] ** 2) * back
            gradient[begin + offset] = slope * segment[offset]
            back = slope * w[begin + offset]
    return gradient, most, evaluated


def drawn(output: Value, shown: dict[int, float], title: str, symbol: str = "∂") -> Graph:
    """The computation as a graph: numbers on nodes, local slopes on edges.

    Args:
        output: The end of the computation.
        shown: Python's `id` of a value -> the derivative to show there; others stay blank.
        title: The picture's caption.
        symbol: What the derivative is called.
    """
    order = ordered(output)
    number = {id(value): str(n) for n, value in enumerate(order)}  # the same in every drawing
    places = layered(_columns(order, number))
    nodes = tuple(
        Node(
            id=number[id(value)],
            label=f"{value.name or value.op} {value.data:.3g}",
            x=places[number[id(value)]][0],
            y=places[number[id(value)]][1],
            value=shown.get(id(value), math.nan),
            kind=value.op or "input",
            detail=f"{symbol} {shown[id(value)]:.3g}" if id(value) in shown else "",
        )
        for value in order
    )
    edges = tuple(
        Edge(number[id(parent)], number[id(value)], slope, f"{slope:.3g}")
        for value in order
        for parent, slope in zip(value.parents, value.slopes, strict=True)
    )
    return Graph(nodes, edges, title)


def _columns(order: list[Value], number: dict[int, str]) -> list[list[str]]:
    """Column by column: a value stands right after its last parent, a leaf before its first use."""
    depth: dict[int, int] = {}
    for value in order:
        depth[id(value)] = 1 + max((depth[id(parent)] for parent in value.parents), default=-1)
    first: dict[int, int] = {}  # leaf -> depth of its first use
    for value in order:
        for parent in value.parents:
            if not parent.parents:
                first[id(parent)] = min(depth[id(value)], first.get(id(parent), len(order)))
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for value in order:
        columns[first.get(id(value), depth[id(value)] + 1) - 1].append(number[id(value)])
    return columns
