"""A network as data: one JSON for canvas, link, file, API, import and export.

Version 1::

    {"version": 1,
     "nodes": [{"id": "image", "type": "Input", "params": {"shape": [1, 28, 28]}},
               {"id": "conv1", "type": "Conv2d", "params": {"out_channels": 6, "kernel_size": 5}},
               {"id": "flat", "type": "Flatten"},
               {"id": "scores", "type": "Linear", "params": {"out_features": 10}}],
     "edges": [["image", "conv1"], ["conv1", "flat"], ["flat", "scores"]],
     "outputs": ["scores"]}

A node's id is its submodule's name. An edge is `[source, target]` or `[source, target, port]`;
without a port the edges into a node fill its inputs in their order. A source with several
outputs is written `"lstm.1"` for the second. `Input` nodes have `{"shape": [...]}` and, for
whole numbers such as words, `{"dtype": "token", "vocabulary": 65}`; the network takes them in
the order of `nodes`. `outputs` left empty means every node that nothing follows.

Blocks are graphs with a name, used by nodes of type `Block`::

    "blocks": {"basic": {"values": {"width": 64, "stride": 1},
                         "nodes": [{"id": "x", "type": "Input"},
                                   {"id": "conv1", "type": "Conv2d",
                                    "params": {"out_channels": "=width", "stride": "=stride"}}],
                         "edges": [["x", "conv1"]], "outputs": ["conv1"]}}
    {"id": "layer2", "type": "Block",
     "params": {"block": "basic", "repeat": 2, "values": {"width": 128}, "first": {"stride": 2}}}

A block's `Input` nodes, which have no shape of their own, are its inputs in order; `values` are
its own parameters, with defaults, and a text that begins with `=` is a sum of them (`+ - * //`
and brackets). With `repeat` the outputs of one copy go into the first inputs of the next, and
the other inputs into all copies alike; `first` holds values for the first copy only. Submodules
are `layer2.0.conv1`, `layer2.1.conv1`, or `layer2.conv1` for a block without `repeat`.

A node's `tied` names a node whose `weight` it uses as its own; `frozen` keeps its parameters as
they began. Weights by hand: `cut` lists connections that are gone, each the beginning of an index
into the layer's `weight` (`[3, 5]`: from input 5 to output 3; `[3]`: all of output 3), and
`start` lists first values, `[index, value]` or `[index, value, "bias"]`.
"""

from __future__ import annotations

import json
import keyword
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engine.network.words import sentence, short

MOST_NODES = 2_000
MOST_EDGES = 10_000
MOST_TEXT = 4_000_000  # characters of JSON
LONGEST_TEXT = 2_000  # characters of a parameter
DEEPEST = 12  # lists in lists in objects
MOST_BY_HAND = 4_096  # weights of a node that are cut, or begin with a given value

Identifier = Annotated[str, Field(min_length=1, max_length=64)]
End = Annotated[str, Field(min_length=1, max_length=80)]
Index = Annotated[
    tuple[Annotated[int, Field(ge=0, le=10_000_000, strict=True)], ...],
    Field(min_length=1, max_length=6),
]
Params = dict[str, Any]  # JSON; each layer's own model says what may stand there


def _frozen() -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class First(NamedTuple):
    """The value that one number of a layer begins with.

    Attributes:
        place: Where in the parameter.
        value: What it is before training.
        name: Which parameter.
    """

    place: Index
    value: Annotated[float, Field(ge=-1e6, le=1e6)]
    name: Annotated[str, Field(max_length=80)] = "weight"


class Node(BaseModel):
    """One layer, input or block of a network; see the module."""

    model_config = _frozen()

    id: Identifier
    type: Identifier
    params: Params = {}
    position: tuple[float, float] | None = None
    label: Annotated[str, Field(max_length=200)] = ""
    tied: Annotated[str, Field(max_length=200)] = ""
    frozen: bool = False
    cut: Annotated[tuple[Index, ...], Field(max_length=MOST_BY_HAND)] = ()
    start: Annotated[tuple[First, ...], Field(max_length=MOST_BY_HAND)] = ()

    @field_validator("params")
    @classmethod
    def _is_plain(cls, params: Params) -> Params:
        _refuse_strange(params)
        return params

    @field_validator("id")
    @classmethod
    def _can_name_a_submodule(cls, id: str) -> str:
        if not id.isidentifier() or keyword.iskeyword(id) or id.startswith("_"):
            raise ValueError(
                "must be a name such as conv1 (letters, digits and _, beginning with a letter, "
                f"no word of Python); got {id!r}"
            )
        return id


class Edge(NamedTuple):
    """From a node's output to a node's input.

    Attributes:
        source: A node's id, with `.1` behind it for its second output.
        target: A node's id.
        port: Which of the target's inputs, from 0; None takes the next free one.
    """

    source: End
    target: End
    port: Annotated[int, Field(ge=0, lt=1_000)] | None = None

    @property
    def node(self) -> str:
        """The id of the node it comes from."""
        return self.source.partition(".")[0]


class Graph(BaseModel):
    """Nodes and edges: a whole network or a block."""

    model_config = _frozen()

    nodes: Annotated[tuple[Node, ...], Field(max_length=MOST_NODES)]
    edges: Annotated[tuple[Edge, ...], Field(max_length=MOST_EDGES)] = ()
    outputs: Annotated[tuple[End, ...], Field(max_length=MOST_NODES)] = ()

    def node(self, id: str) -> Node:
        """The node of that id.

        Raises:
            LookupError: There is none.
        """
        for node in self.nodes:
            if node.id == id:
                return node
        raise LookupError(f"no node {id!r:.80}")


class Block(Graph):
    """A named graph that nodes of type `Block` use; see the module."""

    values: Params = {}


class NetworkSpec(Graph):
    """A whole network as data; see the module."""

    version: Literal[1] = 1
    title: Annotated[str, Field(max_length=200)] = ""
    blocks: dict[Identifier, Block] = {}

    @classmethod
    def parse(cls, data: object) -> NetworkSpec:
        """The spec that JSON text or plain data describes.

        Raises:
            ValueError: It describes none; one sentence names the node and the cause.
        """
        if isinstance(data, NetworkSpec):
            return data
        plain = _read(data) if isinstance(data, str | bytes) else data
        if not isinstance(plain, Mapping):
            raise ValueError(  # noqa: TRY004 - data, not a programmer's argument
                f"a network must be an object with nodes and edges; got {short(plain)}"
            )
        _refuse_depth(plain)
        try:
            spec = cls.model_validate(plain)
        except ValidationError as error:
            raise ValueError(_told(error, plain)) from None
        _check_ends(spec, "")
        for name, block in spec.blocks.items():
            _check_ends(block, f"block {name}: ")
        return spec

    def to_json(self) -> dict[str, Any]:
        """Plain data that `parse` reads; what is at its default is left out."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        for graph in (data, *data.get("blocks", {}).values()):
            graph["edges"] = [
                [part for part in edge if part is not None] for edge in graph.get("edges", [])
            ]
        return {"version": 1, **data}


def _read(text: str | bytes) -> object:
    if len(text) > MOST_TEXT:
        raise ValueError(f"a network must have at most {MOST_TEXT:,} characters; got {len(text):,}")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("the network's JSON is nested too deeply") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"the network is no JSON: {error}") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"a network's numbers must be finite; got {name}")


def _refuse_depth(data: object) -> None:
    level: list[object] = [data]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for thing in level:
            if isinstance(thing, Mapping):
                inner.extend(thing.values())
            elif isinstance(thing, list | tuple):
                inner.extend(thing)
        level = inner
        if not level:
            return
    if any(isinstance(thing, Mapping | list | tuple) for thing in level):
        raise ValueError(f"a network's JSON must be nested at most {DEEPEST} deep")


def _refuse_strange(value: object) -> None:
    """Only what JSON knows may be a parameter, and only finite numbers."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            _refuse_strange(name)
            _refuse_strange(one)
    elif isinstance(value, list | tuple):
        for one in value:
            _refuse_strange(one)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must hold finite numbers only; got {value}")
    elif isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise ValueError(f"must hold texts of at most {LONGEST_TEXT} characters; got {len(value)}")
    elif not isinstance(value, str | int | float | None):
        raise ValueError(f"must hold plain JSON only; got {short(value)}")


def _told(error: ValidationError, data: Mapping[str, Any]) -> str:
    """The sentence of a fault, with the node called by its id and not by its number."""
    text = sentence(error, (*NetworkSpec.model_fields, *Node.model_fields, *Block.model_fields))
    place: Any = data
    head, rest = "", text.split(" ", 1)
    path = rest[0].split(".")
    for position, key in enumerate(path):
        if isinstance(place, Sequence) and not isinstance(place, str) and key.isdigit():
            if int(key) >= len(place):
                break  # pydantic counts further than what there is
            place = place[int(key)]
            if isinstance(place, Mapping) and isinstance(place.get("id"), str):
                head = f"node {short(place['id'])}: "
                path = path[position + 1 :]
                break
        elif isinstance(place, Mapping):
            place = place.get(key)
    return f"{head}{'.'.join(path)} {rest[1] if len(rest) > 1 else ''}".replace("  ", " ").strip()


def _check_ends(graph: Graph, where: str) -> None:
    ids = Counter(node.id for node in graph.nodes)
    for id, count in ids.items():
        if count > 1:
            raise ValueError(f"{where}node {id!r}: there are {count} nodes of that id; rename them")
    for edge in graph.edges:
        for end in (edge.node, edge.target):
            if end not in ids:
                raise ValueError(
                    f"{where}edge {edge.source!r} -> {edge.target!r}: there is no node {end!r}"
                )
        _check_number(edge.source, f"{where}edge {edge.source!r} -> {edge.target!r}")
    for output in graph.outputs:
        if output.partition(".")[0] not in ids:
            raise ValueError(f"{where}outputs: there is no node {output!r}")
        _check_number(output, f"{where}outputs")


def _check_number(end: str, who: str) -> None:
    _, dot, number = end.partition(".")
    if dot and not (number.isdecimal() and number.isascii() and len(number) < 4):
        raise ValueError(f"{who}: an output is written like lstm.1; got {end!r}")
