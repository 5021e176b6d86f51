"""The tree of scopes that the paths on a tape make, and which of them can be blocks."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.importing.tape import Ref, Tape

MOST_LOOKS = 20_000_000  # leaves looked at while scopes are tried; more is left flat
_STEM = re.compile(r"(.*?)_?\d+")


@dataclass
class Graph:
    """A scope that can stand by itself, or the whole network.

    Attributes:
        kind: What a block of it would be called.
        parts: In order.
        inputs: Values from outside that are used inside, in the order of their first use.
        outputs: Values from inside that are used outside.
        key: Equal for scopes that are built alike but for their parameters.
    """

    kind: str
    parts: list[Part]
    inputs: list[Ref]
    outputs: list[Ref]
    key: object = None


@dataclass
class Part:
    """A leaf, or a scope, in a graph.

    Attributes:
        id: Its name there.
        leaf: The leaf's place on the tape, or -1.
        graph: The scope.
        run: For a numbered scope, the name and the number: copies in a row may be a repeat.
    """

    id: str
    leaf: int = -1
    graph: Graph | None = None
    inputs: list[Ref] = field(default_factory=list)
    outputs: list[Ref] = field(default_factory=list)
    run: tuple[str, int] | None = None


@dataclass
class _Scope:
    """A node of the tree of paths."""

    path: str
    leaves: list[int] = field(default_factory=list)  # everything below
    below: dict[str, _Scope] = field(default_factory=dict)
    leaf: int = -1


def scopes(tape: Tape) -> Graph:
    """The whole network, with those scopes as parts that can be blocks."""
    return _Reader(tape).whole()


class _Reader:
    def __init__(self, tape: Tape) -> None:
        self._tape, self._looks = tape, 0
        self._users: dict[Ref, list[int]] = {}
        for place, leaf in enumerate(tape.leaves):
            for ref in leaf.sources:
                self._users.setdefault(ref, []).append(place)

    def whole(self) -> Graph:
        root = _Scope("")
        for place, leaf in enumerate(self._tape.leaves):
            scope = root
            for part in leaf.path.split("."):
                scope.leaves.append(place)
                inner = scope.below.setdefault(part, _Scope(f"{scope.path}.{part}".strip(".")))
                scope = inner
            scope.leaves.append(place)
            scope.leaf = place
        parts = self._parts(root)
        # inputs keep their order: it is the one in which the network takes them
        return Graph("network", parts, [], list(self._tape.outputs))

    def _parts(self, scope: _Scope) -> list[Part]:
        """What is in a scope, in an order in which it can run."""
        found = self._inside(scope, "", "layer")
        taken: set[str] = set()
        for part in found:
            base, count = part.id, 1
            while part.id in taken:
                count += 1
                part.id = f"{base}_{count}"
            taken.add(part.id)
        return _sorted(found)

    def _inside(self, scope: _Scope, prefix: str, run: str | None) -> list[Part]:
        found: list[Part] = []
        for name, inner in scope.below.items():
            id = f"{prefix}{name}" if prefix or not name.isdecimal() else f"layer_{name}"
            numbered = name.isdecimal()
            if inner.leaf >= 0:
                found.append(self._leaf(id, inner.leaf))
            if not inner.below:
                continue
            only_numbers = all(key.isdecimal() for key in inner.below)
            graph = None if only_numbers else self._graph(inner)
            if graph is None:
                found += self._inside(inner, f"{id}_", id)
                continue
            place = (run, int(name)) if numbered and run is not None else None
            part = Part(id, -1, graph, list(graph.inputs), list(graph.outputs), place)
            found.append(part)
        return found

    def _leaf(self, id: str, place: int) -> Part:
        leaf = self._tape.leaves[place]
        used = [ref for ref in self._outputs_of(place) if self._wanted(ref)]
        return Part(id, place, None, list(leaf.sources), used)

    def _outputs_of(self, place: int) -> list[Ref]:
        return [Ref(place, n) for n in range(self._tape.count(place))]

    def _wanted(self, ref: Ref) -> bool:
        return ref in self._users or ref in self._tape.outputs

    def _graph(self, scope: _Scope) -> Graph | None:
        """The scope as a graph of its own; None where it is no block."""
        inside = set(scope.leaves)
        if len(inside) < 2 or not self._is_convex(scope.leaves, inside):
            return None
        inputs: list[Ref] = []
        outputs: list[Ref] = []
        for place in sorted(inside):
            leaf = self._tape.leaves[place]
            if leaf.type == "Input" or leaf.tied:
                return None
            inputs += [r for r in leaf.sources if r.leaf not in inside and r not in inputs]
            outputs += [ref for ref in self._outputs_of(place) if self._leaves(ref, inside)]
        if not inputs or not outputs:
            return None
        graph = Graph(self._kind(scope.path), self._parts(scope), inputs, outputs)
        graph.key = _key(graph, self._tape)
        return graph

    def _leaves(self, ref: Ref, inside: set[int]) -> bool:
        used = self._users.get(ref, ())
        return any(place not in inside for place in used) or ref in self._tape.outputs

    def _is_convex(self, leaves: Sequence[int], inside: set[int]) -> bool:
        """Whether no path leaves the scope and comes back."""
        first, last = min(leaves), max(leaves)
        self._looks += last - first
        if self._looks > MOST_LOOKS:
            return False
        tainted: set[int] = set()
        for place in range(first, last + 1):
            sources = {ref.leaf for ref in self._tape.leaves[place].sources}
            if place in inside:
                if sources & tainted:
                    return False
            elif sources & (tainted | inside):
                tainted.add(place)
        return True

    def _kind(self, path: str) -> str:
        if told := self._tape.kinds.get(path):
            return told
        names = [part for part in path.split(".") if not part.isdecimal()]
        stem = names[-1] if names else "block"
        match = _STEM.fullmatch(stem)
        plain = (match.group(1) if match else stem) or "block"
        return plain[:40] if plain[0].isalpha() else "block"


def _key(graph: Graph, tape: Tape) -> object:
    """What two scopes must share to be one block."""
    names: dict[Ref, object] = {ref: ("in", n) for n, ref in enumerate(graph.inputs)}
    built: list[object] = []
    for place, part in enumerate(graph.parts):
        wires = tuple(names[ref] for ref in part.inputs)
        if part.graph is None:
            leaf = tape.leaves[part.leaf]
            what: object = (leaf.type, leaf.frozen, leaf.cut, leaf.start)
        else:
            what = part.graph.key
        built.append((part.id, what, wires, part.run))
        for number, ref in enumerate(part.outputs):
            names[ref] = (place, ref.output if part.graph is None else number)
    return (tuple(built), tuple(names[ref] for ref in graph.outputs), len(graph.inputs))


def _sorted(parts: list[Part]) -> list[Part]:
    """Parts so that each comes after those it needs, else as they stand."""
    owner = {ref: place for place, part in enumerate(parts) for ref in part.outputs}
    needs = [{owner[ref] for ref in part.inputs if ref in owner} for part in parts]
    followers: dict[int, list[int]] = {}
    for place, before in enumerate(needs):
        for one in before:
            followers.setdefault(one, []).append(place)
    missing = [len(one) for one in needs]
    ready = [place for place, count in enumerate(missing) if count == 0]  # sorted: a heap
    found: list[Part] = []
    while ready:
        place = heapq.heappop(ready)
        found.append(parts[place])
        for later in followers.get(place, ()):
            missing[later] -= 1
            if missing[later] == 0:
                heapq.heappush(ready, later)
    if len(found) < len(parts):
        raise ValueError("the network's scopes depend on one another in a circle")
    return found
