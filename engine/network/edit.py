"""Changes of a spec, each giving a new one: insert, remove, set a parameter, connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from engine.network.spec import Edge, Graph, NetworkSpec, Node

G = TypeVar("G", bound=Graph)  # a network or a block


def locate(spec: NetworkSpec, path: str) -> tuple[str, str]:
    """The block in which the node of a path stands, "" for none, and the node's id there.

    Raises:
        LookupError: No node has that path.
    """
    *above, id = [part for part in path.split(".") if not part.isdigit()]
    name = ""
    for part in above:
        name = str(graph_of(spec, name).node(part).params.get("block", ""))
        if name not in spec.blocks:
            raise LookupError(f"no layer {path!r:.120}")
    graph_of(spec, name).node(id)
    return name, id


def graph_of(spec: NetworkSpec, block: str) -> Graph:
    """A block by its name, or the network itself by none."""
    return spec.blocks[block] if block else spec


def with_graph(spec: NetworkSpec, block: str, graph: Graph) -> NetworkSpec:
    """The network with other insides of a block, or (with no block) others of its own."""
    changes = {"nodes": graph.nodes, "edges": graph.edges, "outputs": graph.outputs}
    if not block:
        return spec.model_copy(update=changes)
    changed = spec.blocks[block].model_copy(update=changes)
    return spec.model_copy(update={"blocks": {**spec.blocks, block: changed}})


def fresh(spec: Graph, stem: str) -> str:
    """An id that no node has yet: `relu`, `relu2`, ..."""
    taken = {node.id for node in spec.nodes}
    number = 1
    while (id := stem if number == 1 else f"{stem}{number}") in taken:
        number += 1
    return id


def insert(spec: G, edge: Edge, type: str, params: Mapping[str, Any], stem: str = "") -> G:
    """A new layer in the middle of an edge."""
    id = fresh(spec, stem or type.lower())
    edges: list[Edge] = []
    for one in spec.edges:
        edges += [Edge(one.source, id), Edge(id, one.target, one.port)] if one == edge else [one]
    ends = [spec.node(edge.node).position, spec.node(edge.target).position]
    known = [end for end in ends if end is not None]
    position = (
        (sum(x for x, _ in known) / 2, sum(y for _, y in known) / 2) if len(known) == 2 else None
    )
    node = Node(id=id, type=type, params=dict(params), position=position)
    place = next(n for n, one in enumerate(spec.nodes) if one.id == edge.target)
    nodes = (*spec.nodes[:place], node, *spec.nodes[place:])
    return spec.model_copy(update={"nodes": nodes, "edges": tuple(edges)})


def set_params(spec: G, id: str, changes: Mapping[str, Any]) -> G:
    """Other parameters for a node; None takes a parameter away."""
    nodes = tuple(
        node.model_copy(update={"params": _changed(node.params, changes)})
        if node.id == id
        else node
        for node in spec.nodes
    )
    return spec.model_copy(update={"nodes": nodes})


def _changed(params: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in {**params, **changes}.items() if v is not None}


def remove(spec: G, id: str) -> G:
    """Without a node; what led into it leads on to where it led."""
    before = [edge for edge in spec.edges if edge.target == id]
    edges: list[Edge] = []
    for edge in spec.edges:
        if edge.target == id:
            continue
        if edge.node == id:
            edges += [Edge(one.source, edge.target, edge.port) for one in before[:1]]
        else:
            edges.append(edge)
    outputs = tuple(
        before[0].source if before and name.partition(".")[0] == id else name
        for name in spec.outputs
        if before or name.partition(".")[0] != id
    )
    nodes = tuple(node for node in spec.nodes if node.id != id)
    return spec.model_copy(update={"nodes": nodes, "edges": tuple(edges), "outputs": outputs})


def connect(spec: G, source: str, target: str) -> G:
    """With one more edge."""
    return spec.model_copy(update={"edges": (*spec.edges, Edge(source, target))})


def disconnect(spec: G, edge: Edge) -> G:
    """Without an edge."""
    return spec.model_copy(update={"edges": tuple(one for one in spec.edges if one != edge)})


def join(spec: G, target: str, type: str) -> G:
    """What leads into a node joined by a new layer before it."""
    id = fresh(spec, type.lower())
    edges = tuple(
        Edge(edge.source, id, edge.port) if edge.target == target else edge for edge in spec.edges
    )
    place = next(n for n, one in enumerate(spec.nodes) if one.id == target)
    nodes = (*spec.nodes[:place], Node(id=id, type=type), *spec.nodes[place:])
    return spec.model_copy(update={"nodes": nodes, "edges": (*edges, Edge(id, target))})
