"""Nodes made a named block, a block said again and again, and a block put back as its nodes.

Each gives a new spec. After `group` and `unpack` the network computes the same with the same
parameters, under other paths; `repeat` adds copies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.network.edit import fresh, set_params
from engine.network.formulas import resolve
from engine.network.graph import arriving, by_port, lay_out
from engine.network.layers.graph import Block as BlockParams
from engine.network.spec import MOST_NODES, Block, Edge, Graph, NetworkSpec, Node

MOST_COPIES = 200


def edit(
    spec: Mapping[str, Any],
    do: str,
    nodes: Sequence[str] = (),
    node: str = "",
    name: str = "",
    times: int = 1,
) -> dict[str, Any]:
    """One of the three as plain data: the changed network, and which nodes are new.

    Args:
        spec: The network.
        do: `group`, `repeat` or `unpack`.
        nodes: Which nodes to group.
        node: Which block to repeat or unpack.
        name: What the new block is called.
        times: How often a block is repeated.

    Raises:
        ValueError: It cannot be done; says why.
    """
    parsed = NetworkSpec.parse(spec)
    before = {one.id for one in parsed.nodes}
    match do:
        case "group":
            after = group(parsed, nodes, name)
        case "repeat":
            after = repeat(parsed, node, times)
        case "unpack":
            after = unpack(parsed, node)
        case _:
            raise ValueError(f"an edit must be group, repeat or unpack; got {do!r:.60}")
    new = [one.id for one in after.nodes if one.id not in before]
    return {"spec": after.to_json(), "nodes": new}


def group(spec: NetworkSpec, ids: Sequence[str], name: str) -> NetworkSpec:
    """The network with some of its nodes as a named block, used once.

    Raises:
        ValueError: One of the nodes is an input or does not exist, nothing leads out of them, or
            a path leaves them and comes back.
    """
    chosen = _chosen(spec, ids, name)
    inside = [node for node in spec.nodes if node.id in chosen]
    written = written_outputs(spec, spec)
    exits = [e.source for e in spec.edges if e.node in chosen and e.target not in chosen]
    exits += [output for output in written if output.partition(".")[0] in chosen]
    exits = list(dict.fromkeys(exits))
    if not exits:
        raise ValueError("group: nothing leads out of these nodes; take one more")
    sources, block = _block(spec, inside, exits)
    rest = [node for node in spec.nodes if node.id not in chosen]
    id = fresh(spec.model_copy(update={"nodes": tuple(rest)}), _identifier(name))
    where = {end: id if len(exits) == 1 else f"{id}.{n}" for n, end in enumerate(exits)}
    edges = [
        edge._replace(source=where.get(edge.source, edge.source))
        for edge in spec.edges
        if edge.target not in chosen
    ]
    use = Node(id=id, type="Block", params={"block": name}, position=_middle(inside))
    place = min(n for n, node in enumerate(spec.nodes) if node.id in chosen)
    found = spec.model_copy(
        update={
            "nodes": (*rest[:place], use, *rest[place:]),
            "edges": (*edges, *(Edge(source, id, port) for port, source in enumerate(sources))),
            "outputs": tuple(where.get(output, output) for output in written),
            "blocks": {**spec.blocks, name: block},
        }
    )
    _refuse_circle(found, id)
    return _retied(found, {inner: f"{id}.{inner}" for inner in chosen})


def _chosen(spec: NetworkSpec, ids: Sequence[str], name: str) -> set[str]:
    known = {node.id: node for node in spec.nodes}
    chosen = set(ids)
    if not chosen:
        raise ValueError("group: choose at least one node")
    for id in ids:
        if id not in known:
            raise ValueError(f"group: there is no node {id!r:.80}")
        if known[id].type == "Input":
            raise ValueError(f"group: {id} is an input of the network and stays outside")
    if not name or len(name) > 64 or name in spec.blocks:
        text = "is taken" if name in spec.blocks else "must have 1 to 64 characters"
        raise ValueError(f"group: the block's name {name!r:.80} {text}")
    return chosen


def _block(
    spec: NetworkSpec, inside: Sequence[Node], exits: Sequence[str]
) -> tuple[list[str], Block]:
    """What leads into some nodes, in the order of the new inputs, and the block of them."""
    own = {node.id for node in inside}
    edges = [edge for edge in spec.edges if edge.target in own]
    sources = list(dict.fromkeys(edge.source for edge in edges if edge.node not in own))
    names: list[str] = []
    for _ in sources:
        names.append(_unused("x", {*own, *names}))
    entry = dict(zip(sources, names, strict=True))
    blocks = {node.id for node in inside if node.type == "Block"}
    outputs = [f"{end}.0" if end in blocks else end for end in exits]
    return sources, Block(
        nodes=(*(Node(id=one, type="Input") for one in names), *inside),
        edges=tuple(edge._replace(source=entry.get(edge.source, edge.source)) for edge in edges),
        outputs=tuple(outputs),
    )


def repeat(spec: NetworkSpec, id: str, times: int) -> NetworkSpec:
    """The network with `times` copies of a block in a row; each reads what the one before gives.

    Raises:
        ValueError: The node is no block, or its copies cannot follow each other.
    """
    node = _use(spec, id)
    if not 1 <= times <= MOST_COPIES:
        raise ValueError(f"repeat: {id} can stand 1 to {MOST_COPIES} times; got {times}")
    block = spec.blocks[str(node.params.get("block"))]
    entries = sum(one.type == "Input" for one in block.nodes)
    count = len(written_outputs(spec, block))
    if times > 1 and count > entries:
        raise ValueError(
            f"repeat: {id} gives {count} outputs but takes {entries}; its copies cannot follow "
            "each other"
        )
    return set_params(spec, id, {"repeat": times if times > 1 else None})


def unpack(spec: NetworkSpec, id: str) -> NetworkSpec:
    """The network with a block's nodes, those of every copy, in place of the block.

    Raises:
        ValueError: The node is no block, or there would be too many nodes.
    """
    node = _use(spec, id)
    use = BlockParams.model_validate(dict(node.params))
    block, flow = spec.blocks[use.block], [e.source for e in by_port(arriving(spec)[id])]
    entries = [one.id for one in block.nodes if one.type == "Input"]
    if len(flow) < len(entries):
        raise ValueError(f"unpack: {id} takes {len(entries)} inputs; {len(flow)} come in")
    taken = {one.id for one in spec.nodes}
    nodes: list[Node] = []
    edges: list[Edge] = []
    paths: dict[str, str] = {}
    results: list[str] = []
    for copy in range(use.repeat or 1):
        values = {**block.values, **use.values, **({} if copy else use.first)}
        stem = id if use.repeat is None else f"{id}_{copy}"
        path = id if use.repeat is None else f"{id}.{copy}"
        new: dict[str, str] = {}
        for one in block.nodes:
            if one.type != "Input":
                new[one.id] = _unused(f"{stem}_{one.id}"[:60], taken)
                taken.add(new[one.id])
                nodes.append(_placed(one, new[one.id], node, values, copy))
                paths[f"{path}.{one.id}"] = new[one.id]
        ends = {**new, **dict(zip(entries, flow, strict=False))}
        edges += [Edge(_moved(e.source, ends), new[e.target], e.port) for e in block.edges]
        results = [_moved(end, ends) for end in written_outputs(spec, block)]
        flow = results + flow[len(results) :]
        if len(nodes) > MOST_NODES:
            raise ValueError(f"unpack: {id} holds more than {MOST_NODES:,} layers")
    return _unpacked(spec, id, (nodes, edges), results, paths)


def _unpacked(
    spec: NetworkSpec,
    id: str,
    inside: tuple[list[Node], list[Edge]],
    results: Sequence[str],
    paths: Mapping[str, str],
) -> NetworkSpec:
    def reach(end: str) -> str:
        one, _, number = end.partition(".")
        return results[int(number or 0)] if one == id else end

    place = next(n for n, one in enumerate(spec.nodes) if one.id == id)
    written = written_outputs(spec, spec)
    nodes = (*spec.nodes[:place], *inside[0], *spec.nodes[place + 1 :])
    if len(nodes) > MOST_NODES:
        raise ValueError(f"unpack: the network would have more than {MOST_NODES:,} nodes")
    outside = [e._replace(source=reach(e.source)) for e in spec.edges if e.target != id]
    changed = {
        "nodes": nodes,
        "edges": (*inside[1], *outside),
        "outputs": tuple(reach(output) for output in written),
    }
    return _retied(spec.model_copy(update=changed), paths)


def _placed(one: Node, id: str, use: Node, values: Mapping[str, Any], copy: int) -> Node:
    """A node of a block as it stands outside: with the numbers of that copy."""
    position = one.position
    if position and use.position:
        position = (use.position[0] + position[0], use.position[1] + position[1] + 40 * copy)
    return one.model_copy(
        update={
            "id": id,
            "params": resolve(one.params, values),
            "position": position,
            "frozen": one.frozen or use.frozen,
        }
    )


def _moved(end: str, ends: Mapping[str, str]) -> str:
    """An end such as `lstm.1` under its node's new name; an input is what leads into it."""
    id, dot, number = end.partition(".")
    return f"{ends[id]}{dot}{number}"


def _use(spec: NetworkSpec, id: str) -> Node:
    node = next((one for one in spec.nodes if one.id == id), None)
    if node is None or node.type != "Block":
        raise ValueError(f"{id!r:.80} is no block")
    if str(node.params.get("block")) not in spec.blocks:
        raise ValueError(f"{id}: there is no block {node.params.get('block')!r:.80}")
    return node


def written_outputs(spec: NetworkSpec, graph: Graph, above: tuple[str, ...] = ()) -> list[str]:
    """What a graph gives, as it would be written: its outputs, or all that nothing follows.

    Args:
        spec: Where its blocks are.
        graph: The network itself, or a block.
        above: Blocks that it is part of.

    Raises:
        ValueError: A block holds itself.
    """
    followed = {edge.node for edge in graph.edges}
    sinks = [n.id for n in graph.nodes if n.id not in followed and n.type != "Input"]
    nodes = {node.id: node for node in graph.nodes}
    found: list[str] = []
    for end in graph.outputs or sinks:
        node = nodes[end.partition(".")[0]]
        name = str(node.params.get("block")) if node.type == "Block" else ""
        if name in above:
            raise ValueError(f"block {name!r} holds itself: {' -> '.join((*above, name))}")
        inner = spec.blocks.get(name)
        count = len(written_outputs(spec, inner, (*above, name))) if inner else 1
        found += [end] if "." in end or count == 1 else [f"{end}.{n}" for n in range(count)]
    return found


def _retied(spec: NetworkSpec, paths: Mapping[str, str]) -> NetworkSpec:
    """The network whose ties name layers by their new paths: old beginning -> new beginning."""

    def turned(path: str) -> str:
        for old, new in paths.items():
            if path == old or path.startswith(f"{old}."):
                return new + path[len(old) :]
        return path

    def changed(nodes: Iterable[Node]) -> tuple[Node, ...]:
        return tuple(
            one.model_copy(update={"tied": turned(one.tied)}) if one.tied else one for one in nodes
        )

    blocks = {
        name: block.model_copy(update={"nodes": changed(block.nodes)})
        for name, block in spec.blocks.items()
    }
    return spec.model_copy(update={"nodes": changed(spec.nodes), "blocks": blocks})


def _refuse_circle(spec: NetworkSpec, id: str) -> None:
    for trouble in lay_out(spec).troubles:
        if "part of a circle" in trouble.text:
            raise ValueError(
                "group: a path leaves these nodes and comes back; take the nodes between too "
                f"({trouble.text.split(', ', 1)[-1].split(';')[0].replace(id, 'the block')})"
            )


def _middle(nodes: Sequence[Node]) -> tuple[float, float] | None:
    known = [node.position for node in nodes if node.position is not None]
    if not known:
        return None
    return sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known)


def _identifier(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_")[:48]
    return plain if plain[:1].isalpha() else f"block_{plain}".rstrip("_")


def _unused(stem: str, taken: Iterable[str]) -> str:
    number, id = 1, stem
    while id in taken:
        number += 1
        id = f"{stem}{number}"
    return id
