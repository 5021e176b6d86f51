"""A network as classes of PyTorch: one for the whole, one for each of its blocks.

Copies of a block that differ only in sizes share a class: what differs becomes an argument of
its constructor, called as the block's own value where there is one with just these values.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.export.layout import Call, commented, lines
from engine.network.graph import Source, arriving, ordered, outputs_of, wiring
from engine.network.registry import factory, find, layer
from engine.network.shapes import construction, literal, signature
from engine.network.spec import Block, Graph, NetworkSpec, Node
from engine.network.trace import Trace

_QUOTES = '"' * 3
_TAKEN = {"self", "torch", "nn", "x"}


class _Name:
    """A name where a value would stand: the argument of a constructor."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


@dataclass
class _Class:
    """The class of a block, or of the whole.

    Attributes:
        copies: Where it is used: paths with a dot at the end.
        arguments: What differs between the copies: argument -> value at each of them.
    """

    name: str
    graph: Graph
    copies: list[str]
    arguments: dict[str, list[Any]]
    lines: list[str]


class Writer:
    """Writes the classes of one network.

    Attributes:
        classes: What has been written, innermost first.
    """

    def __init__(self, spec: NetworkSpec, traced: Trace, title: str) -> None:
        self._spec, self._traced, self._title = spec, traced, title
        self.classes: list[_Class] = []
        self._of: dict[str, _Class] = {}
        self._whole = self._write("Network", spec, [""])

    @property
    def lines(self) -> list[str]:
        """All classes, two empty lines before each but the first."""
        found: list[str] = []
        for one in self.classes:
            found += [*(["", ""] if found else []), *one.lines]
        return found

    def _write(self, name: str, graph: Graph, copies: list[str]) -> _Class:
        made = _Class(name, graph, copies, {}, [])
        for copy in copies:
            self._of[copy] = made
        nodes = [node for node in ordered(graph) if node.type != "Input"]
        built: list[str] = []
        for node in nodes:
            built += self._built(made, node)
        if graph is self._spec:
            built += self._ties()
        made.lines = [
            f"class {name}(nn.Module):",
            f'    """{self._about(name, graph)}"""',
            "",
            *self._constructor(made),
            "        super().__init__()",
            *built,
            "",
            *self._forward(made, nodes),
        ]
        self.classes.append(made)
        return made

    def _about(self, name: str, graph: Graph) -> str:
        if graph is self._spec:
            return f"{self._title}: {self._traced.parameters:,} parameters."
        return f"The block {name}."

    def _constructor(self, made: _Class) -> list[str]:
        arguments = [f"{name}: {_type(values)}" for name, values in made.arguments.items()]
        return lines(4, Call("def __init__(", ["self", *arguments]), after=" -> None:")

    def _built(self, made: _Class, node: Node) -> list[str]:
        """The lines that construct a node's module."""
        if node.type == "Block":
            return self._built_block(made, node)
        per_copy = [self._traced.measured[f"{copy}{node.id}"].arguments for copy in made.copies]
        kind = find(node.type)
        defaults = {p.name: p.default for p in signature(factory(kind))}
        names = {name: None for arguments in per_copy for name in arguments}
        merged = {
            name: self._merged(
                made, f"{node.id}_{name}", [one.get(name, defaults[name]) for one in per_copy]
            )
            for name in names
        }
        step = next(s for s in self._traced.plan.steps if s.path == f"{made.copies[0]}{node.id}")
        head, parts = construction(layer(node.type, step.params), merged)
        built = lines(8, Call(f"{head}(", parts), f"self.{node.id} = ")
        return [*built, *_by_hand(node), *_frozen(node)]

    def _built_block(self, made: _Class, node: Node) -> list[str]:
        paths = [_copies_of(self._traced, f"{copy}{node.id}") for copy in made.copies]
        inner = self._class_of(paths)
        calls: list[Call] = []
        for place in range(len(paths[0])):
            parts = []
            for name, values in inner.arguments.items():
                vector = [values[inner.copies.index(one[place])] for one in paths]
                merged = self._merged(made, f"{node.id}_{name}", vector)
                parts.append(f"{name}={literal(merged)}")
            calls.append(Call(f"{inner.name}(", parts))
        if paths[0][0] == f"{made.copies[0]}{node.id}.":
            whole = calls[0]
        elif self._is_sequential(made, node):
            whole = Call("nn.Sequential(", calls)
        else:
            whole = Call("nn.ModuleList(", [Call("[", calls, "]")])
        return [*lines(8, whole, f"self.{node.id} = "), *_frozen(node)]

    def _class_of(self, paths: Sequence[Sequence[str]]) -> _Class:
        """The class of a block; written when it is first asked for, for all its copies."""
        first = paths[0][0]
        if first in self._of:
            return self._of[first]
        name = self._traced.plan.copies[first][0]
        copies = [p for p, (block, _) in self._traced.plan.copies.items() if block == name]
        taken = (
            {one.name for one in self.classes} | {"Network"} | {n.type for n in self._spec.nodes}
        )
        return self._write(class_name(name, taken), self._spec.blocks[name], copies)

    def _merged(self, made: _Class, name: str, values: list[Any]) -> Any:
        """The one value of all copies, or the argument that says which."""
        if all(value == values[0] for value in values):
            return values[0]
        own = {
            key: [self._traced.plan.copies[copy][1].get(key) for copy in made.copies]
            for key in (made.graph.values if isinstance(made.graph, Block) else {})
        }
        for key, vector in {**made.arguments, **own}.items():
            if vector == values:
                made.arguments.setdefault(key, values)
                return _Name(key)
        made.arguments[name] = values
        return _Name(name)

    def _is_sequential(self, made: _Class, node: Node) -> bool:
        """Whether each copy takes one thing and gives one."""
        block = self._block(made, node)
        inputs = sum(one.type == "Input" for one in block.nodes)
        return inputs == 1 and _count(block) == 1

    def _block(self, made: _Class, node: Node) -> Graph:
        first = _copies_of(self._traced, f"{made.copies[0]}{node.id}")[0]
        return self._spec.blocks[self._traced.plan.copies[first][0]]

    def _ties(self) -> list[str]:
        return [
            f"        self.{_attribute(step.path)}.weight = self.{_attribute(step.tied)}.weight"
            for step in self._traced.plan.steps
            if step.tied
        ]

    def _forward(self, made: _Class, nodes: Sequence[Node]) -> list[str]:
        graph = made.graph
        inputs = [node.id for node in graph.nodes if node.type == "Input"]
        ends: dict[str, list[Source]] = {node.id: [(node.id, 0)] for node in graph.nodes}
        edges = arriving(graph)
        reads = {node.id: wiring(edges[node.id], ends) for node in nodes}
        outputs = outputs_of(graph, ends)
        names = _variables(inputs, nodes, reads, list(outputs.values()))
        counts = {node.id: self._outputs(made, node) for node in nodes}

        def value(source: Source) -> str:
            id, index = source
            return f"{names[id]}[{index}]" if counts.get(id, 1) > 1 else names[id]

        body: list[str] = []
        for node in nodes:
            given = [value(source) for source in reads[node.id]]
            body += self._call(made, node, names[node.id], given)
        arguments = [f"{names[id]}: torch.Tensor" for id in inputs]
        kind, result = self._result(graph, [(name, value(s)) for name, s in outputs.items()])
        return [
            *lines(4, Call("def forward(", ["self", *arguments]), after=f" -> {kind}:"),
            *self._flow(made, inputs),
            *body,
            *result,
        ]

    def _call(self, made: _Class, node: Node, name: str, given: Sequence[str]) -> list[str]:
        copies = _copies_of(self._traced, f"{made.copies[0]}{node.id}")
        listed = node.type == "Block" and copies[0] != f"{made.copies[0]}{node.id}."
        if listed and not self._is_sequential(made, node):
            count = _count(self._block(made, node))
            flow = [f"{name}"] if count == 1 else [f"{name}[{n}]" for n in range(count)]
            start = given[0] if count == 1 else f"({', '.join(given[:count])})"
            return [
                f"        {name} = {start}",
                f"        for block in self.{node.id}:",
                *lines(12, Call("block(", [*flow, *given[count:]]), f"{name} = "),
            ]
        found = lines(8, Call(f"self.{node.id}(", given), f"{name} = ")
        measured = self._traced.measured.get(f"{made.copies[0]}{node.id}")
        if measured and len(made.copies) == 1 and len(found) == 1:
            shape = ", ".join(map(str, ("batch", *measured.outputs[0].shape)))
            found = [commented(found[0], f"({shape})")]
        return found

    def _outputs(self, made: _Class, node: Node) -> int:
        if node.type == "Block":
            return _count(self._block(made, node))
        return len(self._traced.measured[f"{made.copies[0]}{node.id}"].outputs)

    def _result(self, graph: Graph, outputs: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
        """The type of what comes out, and the lines that return it."""
        values = [value for _, value in outputs]
        if len(outputs) == 1:
            return "torch.Tensor", [f"        return {values[0]}"]
        if graph is self._spec:
            pairs = [f'"{name}": {value}' for name, value in outputs]
            return "dict[str, torch.Tensor]", lines(8, Call("{", pairs, "}"), "return ")
        return "tuple[torch.Tensor, ...]", [f"        return {', '.join(values)}"]

    def _flow(self, made: _Class, inputs: Sequence[str]) -> list[str]:
        """The docstring of `forward`: of the whole, the shape of each input."""
        if made.graph is not self._spec:
            return [_docstring("The block's inputs to what it gives.")]
        told = [self._told(id) for id in inputs]
        short = f"{' and '.join(told)} to the outputs."
        if len(short) < 84:
            return [_docstring(short)]
        named = zip((f"{id}_" if id in _TAKEN else id for id in inputs), told, strict=True)
        args = [f"            {name}: {one}." for name, one in named]
        first = _docstring("The inputs to the outputs.").removesuffix(_QUOTES)
        return [first, "", "        Args:", *args, f"        {_QUOTES}"]

    def _told(self, id: str) -> str:
        """An input's shape, as `engine.importing.source` reads it too."""
        shape = self._traced.measured[id].outputs[0].shape
        told = f"`({', '.join(map(str, ('batch', *shape)))})`"
        params = self._spec.node(id).params
        if params.get("dtype") != "token":
            return told
        below = params.get("vocabulary")
        return f"{told} tokens" + (f" below {below}" if below else "")


def _docstring(text: str) -> str:
    return f"        {_QUOTES}{text}{_QUOTES}"


def _frozen(node: Node) -> list[str]:
    return [f"        self.{node.id}.requires_grad_(False)"] if node.frozen else []


def _by_hand(node: Node) -> list[str]:
    """The lines that set single weights and cut connections."""
    found: list[str] = []
    for name in dict.fromkeys(one.name for one in node.start):
        values = [repr((one.place, one.value)) for one in node.start if one.name == name]
        found += lines(8, Call("begin(", [f"self.{node.id}", literal(name), *values]))
    if node.cut:
        found += lines(8, Call("cut(", [f"self.{node.id}", *map(repr, node.cut)]))
    return found


def _count(graph: Graph) -> int:
    return len(outputs_of(graph, {node.id: [(node.id, 0)] for node in graph.nodes}))


def _copies_of(traced: Trace, path: str) -> list[str]:
    """The copies a block's node stands for, by the paths of their insides."""
    if f"{path}." in traced.plan.copies:
        return [f"{path}."]
    found: list[str] = []
    while f"{path}.{len(found)}." in traced.plan.copies:
        found.append(f"{path}.{len(found)}.")
    return found or [""]


def _variables(
    inputs: Sequence[str],
    nodes: Sequence[Node],
    reads: Mapping[str, Sequence[Source]],
    outputs: Sequence[Source],
) -> dict[str, str]:
    """What each node's result is called: `x` where only the next layer or the end needs it."""
    users: dict[str, list[str]] = {}
    for id, sources in reads.items():
        for source, _ in sources:
            users.setdefault(source, []).append(id)
    names = {id: f"{id}_" if id in _TAKEN else id for id in inputs}
    ends = {id for id, _ in outputs}
    for place, node in enumerate(nodes):
        after = [nodes[place + 1].id] if place + 1 < len(nodes) else []
        passing = users.get(node.id, []) == after and (node.id not in ends or not after)
        if passing and after and nodes[place + 1].type == "Block":
            # A loop over its copies begins with x, so what all of them read needs another name.
            passing = [source for source, _ in reads[after[0]]].index(node.id) == 0
        names[node.id] = "x" if passing else f"{node.id}_" if node.id in _TAKEN else node.id
    return names


def class_name(block: str, taken: set[str]) -> str:
    """What the class of a block is called, where these names are taken."""
    name = "".join(word[:1].upper() + word[1:] for word in block.replace("-", "_").split("_"))
    name = name if name.isidentifier() and not keyword.iskeyword(name) else "Block"
    return f"{name}Block" if name in taken else name


def _attribute(path: str) -> str:
    """`layer.0.conv` as Python reaches it: `layer[0].conv`."""
    head, *rest = path.split(".")
    return head + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in rest)


def _type(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds <= {int, bool, float, str} and len(kinds) == 1:
        return kinds.pop().__name__
    return "float" if kinds <= {int, float} else "object"
