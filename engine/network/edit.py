"""Changes of a spec, each giving a new one: insert, remove, set a parameter, connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.network.spec import Edge, NetworkSpec, Node


def fresh(spec: NetworkSpec, stem: str) -> str:
    """An id that no node has yet: `relu`, `relu2`, ..."""
    taken = {node.id for node in spec.nodes}
    number = 1
    while (id := stem if number == 1 else f"{stem}{number}") in taken:
        number += 1
    return id


def insert(
    spec: NetworkSpec, edge: Edge, type: str, params: Mapping[str, Any], stem: str = ""
) -> NetworkSpec:
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


def set_params(spec: NetworkSpec, id: str, changes: Mapping[str, Any]) -> NetworkSpec:
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


def remove(spec: NetworkSpec, id: str) -> NetworkSpec:
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


def connect(spec: NetworkSpec, source: str, target: str) -> NetworkSpec:
    """With one more edge."""
    return spec.model_copy(update={"edges": (*spec.edges, Edge(source, target))})


def disconnect(spec: NetworkSpec, edge: Edge) -> NetworkSpec:
    """Without an edge."""
    return spec.model_copy(update={"edges": tuple(one for one in spec.edges if one != edge)})


def join(spec: NetworkSpec, target: str, type: str) -> NetworkSpec:
    """What leads into a node joined by a new layer before it."""
    id = fresh(spec, type.lower())
    edges = tuple(
        Edge(edge.source, id, edge.port) if edge.target == target else edge for edge in spec.edges
    )
    place = next(n for n, one in enumerate(spec.nodes) if one.id == target)
    nodes = (*spec.nodes[:place], Node(id=id, type=type), *spec.nodes[place:])
    return spec.model_copy(update={"nodes": nodes, "edges": (*edges, Edge(id, target))})
