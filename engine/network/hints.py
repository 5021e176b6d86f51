"""What works but is seldom meant: each hint says why, and offers the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.network.build import MOST_PARAMETERS
from engine.network.edit import insert, remove, set_params
from engine.network.fixes import Fix
from engine.network.registry import words
from engine.network.spec import Edge, NetworkSpec, Node
from engine.network.trace import Trace

HUGE = 20_000_000  # parameters of one layer after a flattened image

_PASSIVE = {"Dropout", "Identity", "Flatten", "Reshape", "Dropout1d", "AlphaDropout"}
_IMAGES = ("Conv2d", "MaxPool2d", "AvgPool2d", "BatchNorm2d", "AdaptiveAvgPool2d")


@dataclass(frozen=True, slots=True)
class Hint:
    """A warning at a node, or with an empty `node` of the network."""

    node: str
    text: str
    fixes: Sequence[Fix] = ()


@dataclass(frozen=True, slots=True)
class _Wires:
    """Who leads where."""

    nodes: Mapping[str, Node]
    before: Mapping[str, Sequence[Edge]]
    after: Mapping[str, Sequence[Edge]]
    outputs: frozenset[str]


def hints(spec: NetworkSpec, traced: Trace) -> list[Hint]:
    """All hints to a network, in the order of its nodes."""
    wires = _wires(spec, traced)
    found: list[Hint] = []
    for node in spec.nodes:
        for look in (_softmax, _idle_bias, _two_linears, _dead_end, _huge, _linear_on_image):
            found.extend(look(spec, node, wires, traced))
    return found


def _wires(spec: NetworkSpec, traced: Trace) -> _Wires:
    before: dict[str, list[Edge]] = defaultdict(list)
    after: dict[str, list[Edge]] = defaultdict(list)
    for edge in spec.edges:
        before[edge.target].append(edge)
        after[edge.node].append(edge)
    outputs = frozenset(name.partition(".")[0] for name in traced.plan.outputs)
    return _Wires({node.id: node for node in spec.nodes}, before, after, outputs)


def _softmax(spec: NetworkSpec, node: Node, wires: _Wires, _traced: Trace) -> Iterator[Hint]:
    if node.type == "Softmax" and node.id in wires.outputs and wires.before[node.id]:
        yield Hint(
            node.id,
            f"{node.id}: cross-entropy takes the softmax itself; twice, it flattens the gradients",
            [Fix(f"remove {node.id}", remove(spec, node.id))],
        )


def _idle_bias(spec: NetworkSpec, node: Node, wires: _Wires, _traced: Trace) -> Iterator[Hint]:
    if not node.type.startswith(("Conv", "Linear")) or node.params.get("bias") is False:
        return
    followers = wires.after[node.id]
    if node.id in wires.outputs or len(followers) != 1:
        return
    norm = wires.nodes[followers[0].target]
    if norm.type.startswith("BatchNorm"):
        yield Hint(
            node.id,
            f"{node.id}: its bias does nothing, because {norm.id} takes the mean away again",
            [Fix("switch the bias off", set_params(spec, node.id, {"bias": False}))],
        )


def _two_linears(spec: NetworkSpec, node: Node, wires: _Wires, traced: Trace) -> Iterator[Hint]:
    if node.type != "Linear" or len(wires.after[node.id]) != 1:
        return
    edge = wires.after[node.id][0]
    seen = {node.id}
    while wires.nodes[edge.target].type in _PASSIVE and edge.target not in seen:
        seen.add(edge.target)
        if len(wires.after[edge.target]) != 1:
            return
        edge = wires.after[edge.target][0]
    if wires.nodes[edge.target].type == "Linear" and not _narrows(node.id, edge.target, traced):
        first = wires.after[node.id][0]
        yield Hint(
            edge.target,
            f"{edge.target}: follows {node.id} with no activation between; two linear maps in a "
            "row are one linear map",
            [Fix(f"insert ReLU after {node.id}", insert(spec, first, "ReLU", {}, "relu"))],
        )


def _narrows(first: str, second: str, traced: Trace) -> bool:
    """Whether there are fewer numbers between two maps than on either side: a code, a rank."""
    one, two = traced.measured.get(first), traced.measured.get(second)
    if one is None or two is None:
        return False
    between = one.arguments["out_features"]
    return bool(between < min(one.arguments["in_features"], two.arguments["out_features"]))


def _dead_end(spec: NetworkSpec, node: Node, wires: _Wires, traced: Trace) -> Iterator[Hint]:
    if wires.after[node.id] or node.id in wires.outputs or node.id in traced.failed:
        return
    choices = [Fix(f"remove {node.id}", remove(spec, node.id))]
    if node.type != "Input":
        outputs = (*spec.outputs, node.id)
        kept = spec.model_copy(update={"outputs": outputs})
        choices.append(Fix(f"make {node.id} an output", kept))
    yield Hint(node.id, f"{node.id}: leads nowhere; nothing uses what it computes", choices)


def _huge(spec: NetworkSpec, node: Node, wires: _Wires, traced: Trace) -> Iterator[Hint]:
    measured = traced.measured.get(node.id)
    if measured is None or node.type != "Linear" or measured.parameters < HUGE:
        return
    if measured.parameters > MOST_PARAMETERS:
        return  # told as an error
    for edge in wires.before[node.id]:
        flat = wires.nodes[edge.node]
        if flat.type != "Flatten" or not wires.before[flat.id]:
            continue
        inner = wires.before[flat.id][0]
        share = 100 * measured.parameters / max(1, traced.parameters)
        text = (
            f"{node.id}: holds {measured.parameters:,} parameters, {share:.0f} % of the network, "
            f"because {flat.id} gives {measured.arguments['in_features']:,} numbers"
        )
        pooled = insert(spec, inner, "AdaptiveAvgPool2d", {"output_size": 1}, "average")
        yield Hint(node.id, text, [Fix("average each channel before flattening", pooled)])


def _channels_last(id: str, wires: _Wires) -> bool:
    """Whether the channels were put last on purpose, somewhere before a node."""
    seen: set[str] = set()
    while id not in seen and len(wires.before[id]) == 1:
        if wires.nodes[id].type == "Permute":
            return True
        seen.add(id)
        id = wires.before[id][0].node
    return False


def _linear_on_image(spec: NetworkSpec, node: Node, wires: _Wires, traced: Trace) -> Iterator[Hint]:
    if node.type != "Linear" or node.id not in traced.measured or not wires.before[node.id]:
        return
    edge = wires.before[node.id][0]
    source = traced.measured.get(edge.node)
    if source is None or len(source.outputs[0].shape) != 3 or _channels_last(edge.node, wires):
        return
    if any(one.type.startswith(_IMAGES) for one in spec.nodes):
        shape = source.outputs[0].shape
        yield Hint(
            node.id,
            f"{node.id}: works on the last axis only, on each of {words(shape[:-1])} rows by "
            f"itself; {edge.source} gives an image of {words(shape)}",
            [Fix("insert Flatten", insert(spec, edge, "Flatten", {}, "flat"))],
        )
