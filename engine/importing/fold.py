"""A tape folded into a spec: scopes that are built alike become one block, chains a repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.importing.scopes import Graph, Part, scopes
from engine.importing.tape import Ref, Tape
from engine.network.registry import find
from engine.network.spec import NetworkSpec

Values = dict[str, Any]


@dataclass
class _Block:
    """A graph that one or more scopes are instances of.

    Attributes:
        graphs: Those scopes, in order.
        name: What the block is called; "" for the whole network.
        slots: Part's place -> parameter -> what stands there: a value, or `=name`.
        values: Name -> its value in each of the graphs.
    """

    graphs: list[Graph]
    name: str
    slots: list[dict[str, Any]] = field(default_factory=list)
    values: dict[str, list[Any]] = field(default_factory=dict)

    def of(self, graph: Graph) -> Values:
        """The values in one of its graphs."""
        place = next(i for i, one in enumerate(self.graphs) if one is graph)
        return {name: column[place] for name, column in self.values.items()}


def fold(tape: Tape) -> tuple[NetworkSpec, dict[str, str]]:
    """The spec of a tape, and where each of its leaves' paths is now.

    Raises:
        ValueError: There is nothing on it, or no output.
    """
    if not tape.outputs:
        raise ValueError("the network has no output")
    return _Folder(tape).result()


class _Folder:
    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._whole = scopes(tape)
        self._blocks: dict[object, _Block] = {}
        self._gather(self._whole)
        for key, block in self._blocks.items():
            self._name(block, key)
        self._renamed: dict[str, str] = {}
        self._drawn: dict[str, dict[str, Any]] = {}

    def result(self) -> tuple[NetworkSpec, dict[str, str]]:
        whole = _Block([self._whole], "")
        self._fill(whole)
        content = self._draw(whole, self._whole)
        for block in self._blocks.values():
            first = block.graphs[0]
            values = {name: column[0] for name, column in block.values.items()}
            drawn = self._draw(block, first)
            self._drawn[block.name] = {**({"values": values} if values else {}), **drawn}
        self._rename(self._whole, "", whole)
        for node in content["nodes"]:
            if "tied" in node:
                node["tied"] = self._renamed[node["tied"]]
        title = {"title": self._tape.title[:200]} if self._tape.title else {}
        used = _used(content, self._drawn)
        blocks = {name: drawn for name, drawn in self._drawn.items() if name in used}
        data = {"version": 1, **title, **content, **({"blocks": blocks} if blocks else {})}
        return NetworkSpec.parse(data), self._renamed

    def _gather(self, graph: Graph) -> None:
        """All scopes, innermost first, by what they are built like."""
        for part in graph.parts:
            if part.graph is not None:
                self._gather(part.graph)
                block = self._blocks.setdefault(part.graph.key, _Block([], ""))
                block.graphs.append(part.graph)

    def _name(self, block: _Block, key: object) -> None:
        wanted = block.graphs[0].kind
        taken = {other.name for k, other in self._blocks.items() if k != key}
        block.name = next(n for n in _numbered(wanted) if n not in taken)
        self._fill(block)

    def _fill(self, block: _Block) -> None:
        """Find what differs between the graphs of a block; that becomes its values."""
        for place, part in enumerate(block.graphs[0].parts):
            columns = [self._params(graph.parts[place]) for graph in block.graphs]
            slots: dict[str, Any] = {}
            for name in dict.fromkeys(name for one in columns for name in one):
                column = [one[name] if name in one else self._usual(part, name) for one in columns]
                if all(_same(value, column[0]) for value in column):
                    slots[name] = column[0]
                else:
                    slots[name] = f"={self._value(block, part.id, name, column)}"
            block.slots.append(slots)

    def _params(self, part: Part) -> Values:
        if part.graph is None:
            return dict(self._tape.leaves[part.leaf].params)
        return self._blocks[part.graph.key].of(part.graph)

    def _usual(self, part: Part, name: str) -> Any:
        """What a parameter is where nothing is said."""
        default = find(self._tape.leaves[part.leaf].type).model_fields[name].default
        return list(default) if isinstance(default, tuple) else default

    def _value(self, block: _Block, id: str, name: str, column: list[Any]) -> str:
        for known, values in block.values.items():
            if all(_same(a, b) for a, b in zip(values, column, strict=True)):
                return known
        plain = {"out_channels": "width", "out_features": "width"}.get(name, name)
        free = next(n for n in (plain, f"{id}_{plain}", *_some(id)) if n not in block.values)
        block.values[free] = column
        return free

    def _draw(self, block: _Block, graph: Graph) -> dict[str, Any]:
        """Nodes, edges and outputs of a block, as seen in one of its graphs."""
        return _Drawing(self._tape, self._blocks, block, graph).data

    def _rename(self, graph: Graph, prefix: str, block: _Block) -> None:
        drawing = _Drawing(self._tape, self._blocks, block, graph)
        for place, part in enumerate(graph.parts):
            path = f"{prefix}{drawing.paths[place]}"
            if part.graph is None:
                self._renamed[self._tape.leaves[part.leaf].path] = path
            else:
                self._rename(part.graph, f"{path}.", self._blocks[part.graph.key])


class _Drawing:
    """One graph as nodes and edges, its chains of equal parts drawn as repeats.

    Attributes:
        data: `nodes`, `edges` and `outputs`.
        paths: Of each part, its submodule's name inside of this graph.
    """

    def __init__(
        self, tape: Tape, blocks: Mapping[object, _Block], block: _Block, graph: Graph
    ) -> None:
        self._tape, self._blocks, self._block, self._graph = tape, blocks, block, graph
        self._ends: dict[Ref, str] = {}
        self._edges: list[list[Any]] = []
        self.paths: list[str] = []
        nodes = self._entries()
        taken = {node["id"] for node in nodes} | {part.id for part in graph.parts}
        place = 0
        while place < len(graph.parts):
            count = self._chain(place)
            nodes.append(self._node(place, count, taken))
            place += count
        outputs = [self._ends[ref] for ref in graph.outputs]
        self.data = {"nodes": nodes, "edges": self._edges, "outputs": outputs}

    def _entries(self) -> list[dict[str, Any]]:
        nodes = []
        ids = {part.id for part in self._graph.parts}
        for number, ref in enumerate(self._graph.inputs):
            stem = "x" if len(self._graph.inputs) == 1 else f"x{number + 1}"
            id = next(n for n in (stem, *_some("entry")) if n not in ids)
            ids.add(id)
            nodes.append({"id": id, "type": "Input"})
            self._ends[ref] = id
        return nodes

    def _chain(self, place: int) -> int:
        """How many parts from here on are copies of one block, each fed by the one before."""
        parts, first = self._graph.parts, self._graph.parts[place]
        count = 1
        while place + count < len(parts) and first.graph is not None and first.run is not None:
            before, part = parts[place + count - 1], parts[place + count]
            if part.graph is None or part.graph.key != first.graph.key or part.run is None:
                break
            flow = len(before.outputs)
            joined = (
                part.run == (first.run[0], first.run[1] + count)
                and part.inputs[:flow] == before.outputs
                and part.inputs[flow:] == first.inputs[flow:]
                and all(self._tape_users(ref) <= {place + count} for ref in before.outputs)
                and (count == 1 or self._slots_agree(place + 1, place + count))
            )
            if not joined:
                break
            count += 1
        return count

    def _slots_agree(self, one: int, other: int) -> bool:
        return all(
            _same(value, self._block.slots[other][name])
            for name, value in self._block.slots[one].items()
        )

    def _tape_users(self, ref: Ref) -> set[int]:
        users = {n for n, part in enumerate(self._graph.parts) if ref in part.inputs}
        return users | ({-1} if ref in self._graph.outputs else set())

    def _node(self, place: int, count: int, taken: set[str]) -> dict[str, Any]:
        part, last = self._graph.parts[place], self._graph.parts[place + count - 1]
        slots = self._block.slots[place]
        if part.graph is None:
            leaf = self._tape.leaves[part.leaf]
            node: dict[str, Any] = {"id": part.id, "type": leaf.type}
            node |= {"params": slots} if slots else {}
            node |= {"frozen": True} if leaf.frozen else {}
            node |= {"tied": leaf.tied} if leaf.tied else {}
            node |= {"cut": [list(one) for one in leaf.cut]} if leaf.cut else {}
            node |= {"start": list(leaf.start)} if leaf.start else {}
            self.paths.append(part.id)
        else:
            node = self._block_node(place, count, taken)
        for ref in part.inputs:
            self._edges.append([self._ends[ref], node["id"]])
        for number, ref in enumerate(last.outputs):
            index = ref.output if part.graph is None else number
            plain = part.graph is not None and len(last.outputs) == 1
            plain = plain or (part.graph is None and index == 0)
            self._ends[ref] = node["id"] if plain else f"{node['id']}.{index}"
        return node

    def _block_node(self, place: int, count: int, taken: set[str]) -> dict[str, Any]:
        part = self._graph.parts[place]
        assert part.graph is not None  # noqa: S101 - told by the caller
        name = self._blocks[part.graph.key].name
        id = part.id
        params: dict[str, Any] = {"block": name}
        slots = self._block.slots[place]
        if count > 1 and part.run is not None:
            stem = part.run[0]
            id = stem if stem not in taken else part.id
            taken.add(id)
            rest = self._block.slots[place + 1]
            first = {k: v for k, v in slots.items() if not _same(v, rest[k])}
            params |= {"repeat": count, "values": rest, **({"first": first} if first else {})}
            self.paths += [f"{id}.{copy}" for copy in range(count)]
        else:
            params |= {"values": slots}
            self.paths.append(id)
        if not params["values"]:
            del params["values"]
        return {"id": id, "type": "Block", "params": params}


def _used(content: Mapping[str, Any], blocks: Mapping[str, Mapping[str, Any]]) -> set[str]:
    found: set[str] = set()
    todo = [content]
    while todo:
        for node in todo.pop()["nodes"]:
            name = node.get("params", {}).get("block") if node["type"] == "Block" else None
            if name and name not in found:
                found.add(name)
                todo.append(blocks[name])
    return found


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _numbered(stem: str) -> Sequence[str]:
    return [stem, *_some(stem)]


def _some(stem: str) -> list[str]:
    return [f"{stem}_{number}" for number in range(2, 500)]
