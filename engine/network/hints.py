"""What works but is seldom meant: each hint says why, and offers the change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.network.build import MOST_PARAMETERS
from engine.network.edit import insert, remove, set_params, with_graph
from engine.network.fixes import Change, Fix
from engine.network.registry import words
from engine.network.shapes import Measured
from engine.network.spec import Edge, Graph, NetworkSpec, Node
from engine.network.trace import Trace

HUGE = 20_000_000  # parameters of one layer after a flattened image

_PASSIVE = {"Dropout", "Identity", "Flatten", "Reshape", "Dropout1d", "AlphaDropout"}
_IMAGES = ("Conv2d", "MaxPool2d", "AvgPool2d", "BatchNorm2d", "AdaptiveAvgPool2d")


@dataclass(frozen=True, slots=True)
class Hint:
    """A warning at a node, or with an empty `node` of the network; `path` is where inside."""

    node: str
    path: str
    text: str
    fixes: Sequence[Fix] = ()


@dataclass(frozen=True, slots=True)
class _Told:
    """A hint with changes of the graph it was found in."""

    node: str
    text: str
    changes: Sequence[Change] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class _Wires:
    """Who leads where in a graph."""

    nodes: Mapping[str, Node]
    before: Mapping[str, Sequence[Edge]]
    after: Mapping[str, Sequence[Edge]]
    outputs: frozenset[str]

    @classmethod
    def of(cls, graph: Graph) -> _Wires:
        """The wires of a network or a block."""
        before: dict[str, list[Edge]] = defaultdict(list)
        after: dict[str, list[Edge]] = defaultdict(list)
        for edge in graph.edges:
            before[edge.target].append(edge)
            after[edge.node].append(edge)
        sinks = [n.id for n in graph.nodes if not after[n.id] and n.type != "Input"]
        outputs = frozenset(name.partition(".")[0] for name in graph.outputs or sinks)
        return cls({node.id: node for node in graph.nodes}, before, after, outputs)


@dataclass(frozen=True, slots=True)
class _Local:
    """What was measured in one graph, by the ids of its nodes; `parameters` of the network."""

    measured: Mapping[str, Measured]
    failed: frozenset[str]
    parameters: int
    inside: bool

    @classmethod
    def of(cls, traced: Trace, prefix: str) -> _Local:
        """The part of a trace below a prefix such as `layer2.0.`."""
        skip = len(prefix)
        measured = {p[skip:]: m for p, m in traced.measured.items() if p.startswith(prefix)}
        failed = frozenset(p[skip:] for p in traced.failed if p.startswith(prefix))
        return cls(measured, failed, traced.parameters, bool(prefix))


def hints(spec: NetworkSpec, traced: Trace) -> list[Hint]:
    """All hints to a network, in the order of its nodes; then those to its blocks."""
    found = list(_all(spec, _Wires.of(spec), _Local.of(traced, "")))
    seen: set[str] = set()
    for prefix, (block, _) in traced.plan.copies.items():
        if block in seen:
            continue  # every copy would say the same
        seen.add(block)
        owner = prefix.split(".", 1)[0]
        graph = spec.blocks[block]
        for one in _all(graph, _Wires.of(graph), _Local.of(traced, prefix)):
            changes = [
                Change(f"in block {block}: {c.text}", with_graph(spec, block, c.graph))
                for c in one.changes
            ]
            found.append(_Told(owner, f"{prefix}{one.text}", changes, prefix + one.node))
    return [
        Hint(
            one.node,
            one.path or one.node,
            one.text,
            [Fix(c.text, _network(c.graph)) for c in one.changes],
        )
        for one in found
    ]


def _network(graph: Graph) -> NetworkSpec:
    if not isinstance(graph, NetworkSpec):
        raise TypeError("only whole networks are offered")
    return graph


def _all(spec: Graph, wires: _Wires, local: _Local) -> Iterator[_Told]:
    for node in spec.nodes:
        for look in (_softmax, _idle_bias, _two_linears, _dead_end, _huge, _linear_on_image):
            yield from look(spec, node, wires, local)


def _softmax(spec: Graph, node: Node, wires: _Wires, local: _Local) -> Iterator[_Told]:
    if local.inside:
        return  # in the middle of a network it may be meant
    if node.type == "Softmax" and node.id in wires.outputs and wires.before[node.id]:
        yield _Told(
            node.id,
            f"{node.id}: cross-entropy takes the softmax itself; twice, it flattens the gradients",
            [Change(f"remove {node.id}", remove(spec, node.id))],
        )


def _idle_bias(spec: Graph, node: Node, wires: _Wires, _local: _Local) -> Iterator[_Told]:
    if not node.type.startswith(("Conv", "Linear")) or node.params.get("bias") is False:
        return
    followers = wires.after[node.id]
    if node.id in wires.outputs or len(followers) != 1:
        return
    norm = wires.nodes[followers[0].target]
    if norm.type.startswith("BatchNorm"):
        yield _Told(
            node.id,
            f"{node.id}: its bias does nothing, because {norm.id} takes the mean away again",
            [Change("switch the bias off", set_params(spec, node.id, {"bias": False}))],
        )


def _two_linears(spec: Graph, node: Node, wires: _Wires, local: _Local) -> Iterator[_Told]:
    if node.type != "Linear" or len(wires.after[node.id]) != 1:
        return
    edge = wires.after[node.id][0]
    seen = {node.id}
    while wires.nodes[edge.target].type in _PASSIVE and edge.target not in seen:
        seen.add(edge.target)
        if len(wires.after[edge.target]) != 1:
            return
        edge = wires.after[edge.target][0]
    if wires.nodes[edge.target].type == "Linear" and not _narrows(node.id, edge.target, local):
        first = wires.after[node.id][0]
        yield _Told(
            edge.target,
            f"{edge.target}: follows {node.id} with no activation between; two linear maps in a "
            "row are one linear map",
            [Change(f"insert ReLU after {node.id}", insert(spec, first, "ReLU", {}, "relu"))],
        )


def _narrows(first: str, second: str, local: _Local) -> bool:
    """Whether there are fewer numbers between two maps than on either side: a code, a rank."""
    one, two = local.measured.get(first), local.measured.get(second)
    if one is None or two is None:
        return False
    between = one.arguments["out_features"]
    return bool(between < min(one.arguments["in_features"], two.arguments["out_features"]))


def _dead_end(spec: Graph, node: Node, wires: _Wires, local: _Local) -> Iterator[_Told]:
    if wires.after[node.id] or node.id in wires.outputs or node.id in local.failed:
        return
    if local.inside and node.type == "Input":
        return  # the next use of the block may need it
    choices = [Change(f"remove {node.id}", remove(spec, node.id))]
    if node.type != "Input":
        outputs = (*spec.outputs, node.id)
        kept = spec.model_copy(update={"outputs": outputs})
        choices.append(Change(f"make {node.id} an output", kept))
    yield _Told(node.id, f"{node.id}: leads nowhere; nothing uses what it computes", choices)


def _huge(spec: Graph, node: Node, wires: _Wires, local: _Local) -> Iterator[_Told]:
    measured = local.measured.get(node.id)
    if measured is None or node.type != "Linear" or measured.parameters < HUGE:
        return
    if measured.parameters > MOST_PARAMETERS:
        return  # told as an error
    for edge in wires.before[node.id]:
        flat = wires.nodes[edge.node]
        if flat.type != "Flatten" or not wires.before[flat.id]:
            continue
        inner = wires.before[flat.id][0]
        share = 100 * measured.parameters / max(1, local.parameters)
        text = (
            f"{node.id}: holds {measured.parameters:,} parameters, {share:.0f} % of the network, "
            f"because {flat.id} gives {measured.arguments['in_features']:,} numbers"
        )
        pooled = insert(spec, inner, "AdaptiveAvgPool2d", {"output_size": 1}, "average")
        yield _Told(node.id, text, [Change("average each channel before flattening", pooled)])


def _channels_last(id: str, wires: _Wires) -> bool:
    """Whether the channels were put last on purpose, somewhere before a node."""
    seen: set[str] = set()
    while id not in seen and len(wires.before[id]) == 1:
        if wires.nodes[id].type == "Permute":
            return True
        seen.add(id)
        id = wires.before[id][0].node
    return False


def _linear_on_image(spec: Graph, node: Node, wires: _Wires, local: _Local) -> Iterator[_Told]:
    if node.type != "Linear" or node.id not in local.measured or not wires.before[node.id]:
        return
    edge = wires.before[node.id][0]
    source = local.measured.get(edge.node)
    if source is None or len(source.outputs[0].shape) != 3 or _channels_last(edge.node, wires):
        return
    if any(one.type.startswith(_IMAGES) for one in spec.nodes):
        shape = source.outputs[0].shape
        yield _Told(
            node.id,
            f"{node.id}: works on the last axis only, on each of {words(shape[:-1])} rows by "
            f"itself; {edge.source} gives an image of {words(shape)}",
            [Change("insert Flatten", insert(spec, edge, "Flatten", {}, "flat"))],
        )
