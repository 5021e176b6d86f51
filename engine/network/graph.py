"""A spec laid out flat: its blocks unfolded, its nodes in an order in which they can run."""

from __future__ import annotations

import graphlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from engine.network.formulas import resolve
from engine.network.layers.graph import Block as BlockParams
from engine.network.spec import Edge, First, Graph, Index, NetworkSpec, Node
from engine.network.words import nearest, sentence

MOST_STEPS = 20_000
DEEPEST = 16

Source = tuple[str, int]  # whose output, and which of its outputs


@dataclass(frozen=True, slots=True)
class Step:
    """One layer to run.

    Attributes:
        path: Its submodule's name, `layer2.0.conv1` inside of blocks.
        sources: Where its inputs come from.
        owner: The top-level node it is part of.
    """

    path: str
    type: str
    params: Mapping[str, Any]
    sources: tuple[Source, ...]
    owner: str
    tied: str = ""
    frozen: bool = False
    cut: tuple[Index, ...] = ()
    start: tuple[First, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a node, or with an empty `node` the network, cannot be laid out.

    Its path is where inside of the node it is.
    """

    node: str
    text: str
    path: str = ""


@dataclass
class Plan:
    """What runs, in order.

    Attributes:
        steps: The layers; inputs are among them.
        inputs: Paths of the inputs, in the order in which the network takes them.
        outputs: What it gives, by name.
        ends: Top-level node -> its outputs.
        copies: Where a copy of a block is -> the block's name and the copy's values.
        troubles: What could not be laid out.
    """

    steps: list[Step] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: dict[str, Source] = field(default_factory=dict)
    ends: dict[str, list[Source]] = field(default_factory=dict)
    copies: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)


class _TooLargeError(Exception):
    """The blocks unfold to more than can be looked at."""


def lay_out(spec: NetworkSpec) -> Plan:
    """The plan of a spec; what cannot be part of it is told in its troubles."""
    plan = Plan(inputs=[node.id for node in spec.nodes if node.type == "Input"])
    try:
        ends = _unfold(spec, spec, plan, _Place("", "", {}, ()), {})
    except _TooLargeError:
        text = f"the blocks unfold to more than {MOST_STEPS:,} layers; repeat them less"
        return Plan(inputs=plan.inputs, troubles=[Trouble("", text)])
    plan.ends = ends
    plan.outputs = outputs_of(spec, ends)
    if not plan.inputs:
        plan.troubles.append(Trouble("", "the network has no input; add an Input node"))
    if not plan.outputs:
        plan.troubles.append(Trouble("", "the network has no output; add a layer after the input"))
    return plan


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree of blocks we are: path before, top-level node, values, blocks above.

    `frozen` says whether a node above is.
    """

    prefix: str
    owner: str
    values: Mapping[str, Any]
    above: tuple[str, ...]
    frozen: bool = False


def _unfold(
    graph: Graph, spec: NetworkSpec, plan: Plan, place: _Place, given: Mapping[str, Source]
) -> dict[str, list[Source]]:
    """Add a graph's layers to the plan; each node's outputs.

    What a block's inputs stand for is `given`.
    """
    ends: dict[str, list[Source]] = {id: [source] for id, source in given.items()}
    edges = arriving(graph)
    for node in _ordered(graph, plan, place):
        if node.id in given:
            continue
        owner = place.owner or node.id
        inside = replace(place, owner=owner)
        try:
            sources = wiring(edges[node.id], ends)
            params = resolve(node.params, place.values)
            ends[node.id] = _add(node, params, sources, spec, plan, inside)
        except ValueError as error:
            path = place.prefix + node.id
            plan.troubles.append(Trouble(owner, f"{path}: {error}", path))
    return ends


def _add(
    node: Node,
    params: Mapping[str, Any],
    sources: Sequence[Source],
    spec: NetworkSpec,
    plan: Plan,
    place: _Place,
) -> list[Source]:
    if node.type == "Block":
        return _repeat(node, params, sources, spec, plan, place)
    if len(plan.steps) >= MOST_STEPS:
        raise _TooLargeError
    path = place.prefix + node.id
    plan.steps.append(
        Step(
            path,
            node.type,
            params,
            tuple(sources),
            place.owner,
            node.tied,
            node.frozen or place.frozen,
            node.cut,
            node.start,
        )
    )
    return [(path, 0)]


def _repeat(
    node: Node,
    params: Mapping[str, Any],
    sources: Sequence[Source],
    spec: NetworkSpec,
    plan: Plan,
    place: _Place,
) -> list[Source]:
    try:
        chosen = BlockParams.model_validate(dict(params))
    except ValidationError as error:
        raise ValueError(sentence(error, BlockParams.model_fields)) from None
    if node.cut or node.start or node.tied:
        raise ValueError("has no weights of its own; cut, start or tie the layers inside of it")
    name = chosen.block
    if name not in spec.blocks:
        raise ValueError(f"there is no block {name!r:.80}{nearest(name, spec.blocks)}")
    if name in place.above or len(place.above) >= DEEPEST:
        raise ValueError(f"block {name!r} holds itself: {' -> '.join((*place.above, name))}")
    block = spec.blocks[name]
    for key in {**chosen.values, **chosen.first}:
        if key not in block.values:
            raise ValueError(f"block {name!r} has no value {key!r:.80}{nearest(key, block.values)}")
    path, flow = place.prefix + node.id, list(sources)
    for copy in range(chosen.repeat or 1):
        values = {**block.values, **chosen.values, **(chosen.first if copy == 0 else {})}
        prefix = f"{path}." if chosen.repeat is None else f"{path}.{copy}."
        frozen = place.frozen or node.frozen
        inside = _Place(prefix, place.owner, values, (*place.above, name), frozen)
        results = _copy(block, name, spec, plan, inside, flow)
        flow = results + flow[len(results) :]
    return results


def _copy(
    block: Graph, name: str, spec: NetworkSpec, plan: Plan, place: _Place, flow: Sequence[Source]
) -> list[Source]:
    wanted = [node.id for node in block.nodes if node.type == "Input"]
    if len(flow) < len(wanted):
        raise ValueError(f"block {name!r} takes {len(wanted)} inputs; {len(flow)} come in")
    if len(plan.copies) >= MOST_STEPS:
        raise _TooLargeError
    plan.copies[place.prefix] = name, place.values
    before = len(plan.troubles)
    ends = _unfold(block, spec, plan, place, dict(zip(wanted, flow, strict=False)))
    results = list(outputs_of(block, ends).values())
    if not results and len(plan.troubles) == before:
        raise ValueError(f"block {name!r} has no output")
    return results


def ordered(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph without circles so that each comes after those it needs."""
    return _ordered(graph, Plan(), _Place("", "", {}, ()))


def _ordered(graph: Graph, plan: Plan, place: _Place) -> Iterator[Node]:
    """The nodes so that each comes after those it needs; what lies on a circle is told."""
    nodes = {node.id: node for node in graph.nodes}
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for id in nodes:
        sorter.add(id)
    for edge in graph.edges:
        sorter.add(edge.target, edge.node)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        circle = [str(id) for id in error.args[1]]
        told = " -> ".join(circle if len(circle) < 12 else [*circle[:10], "...", circle[-1]])
        text = f"{place.prefix}{circle[0]}: is part of a circle, {told}; remove one of its edges"
        plan.troubles.append(Trouble(place.owner or circle[0], text, place.prefix + circle[0]))
    place_of = {id: number for number, id in enumerate(nodes)}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place_of.__getitem__)
        if not ready:
            return
        for id in ready:
            yield nodes[id]
        sorter.done(*ready)


def arriving(graph: Graph) -> dict[str, list[Edge]]:
    """Node -> the edges that lead into it."""
    found: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        found[edge.target].append(edge)
    return found


def wiring(edges: Sequence[Edge], ends: Mapping[str, list[Source]]) -> list[Source]:
    """Where a node's inputs come from, in the order of its ports."""
    return [_end(edge.source, ends) for edge in by_port(edges)]


def by_port(edges: Sequence[Edge]) -> list[Edge]:
    """The edges into one node in the order of its ports."""
    ports: dict[int, Edge] = {}
    for edge in edges:
        if edge.port is not None:
            if edge.port in ports:
                raise ValueError(f"two edges lead to its input {edge.port}; remove one")
            ports[edge.port] = edge
    free = iter(port for port in range(len(edges)) if port not in ports)
    for edge in edges:
        if edge.port is None:
            ports[next(free)] = edge
    missing = [port for port in range(len(edges)) if port not in ports]
    if missing:
        raise ValueError(f"nothing leads to its input {missing[0]}, but to input {max(ports)}")
    return [ports[port] for port in range(len(edges))]


def _end(written: str, ends: Mapping[str, list[Source]]) -> Source:
    id, _, number = written.partition(".")
    if id not in ends:
        raise ValueError(f"gets nothing from {id}, which does not work yet")
    results, index = ends[id], int(number or 0)
    if len(results) == 1:
        path, first = results[0]
        return path, first + index
    if index >= len(results):
        raise ValueError(f"{id} has {len(results)} outputs; there is no output {index}")
    return results[index]


def outputs_of(graph: Graph, ends: Mapping[str, list[Source]]) -> dict[str, Source]:
    """What a graph gives, by name: its outputs, or all that nothing follows."""
    followed = {edge.node for edge in graph.edges}
    sinks = [n.id for n in graph.nodes if n.id not in followed and n.type != "Input"]
    outputs: dict[str, Source] = {}
    for written in graph.outputs or sinks:
        id, dot, _ = written.partition(".")
        if id not in ends:
            continue  # told where the node failed
        if dot or len(ends[id]) == 1:
            outputs[written] = _end(written, ends)
        else:
            outputs.update({f"{id}.{n}": source for n, source in enumerate(ends[id])})
    return outputs
