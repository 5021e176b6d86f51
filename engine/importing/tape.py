"""A network written down layer by layer, as any reader meets it: flat, in order, with shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from engine.network.shapes import Failed, Kind, Signal, measure

MOST_LEAVES = 4_000
DEEPEST_PATH = 12

Arrays = Mapping[str, np.ndarray]


class Ref(NamedTuple):
    """A value: which leaf gives it, and as which of its outputs."""

    leaf: int
    output: int = 0


@dataclass(frozen=True)
class Leaf:
    """One layer.

    Attributes:
        path: Where it is in the file's own tree of modules: `layer1.0.conv1`.
        sources: What comes in.
        weights: Its parameters and buffers by name; empty where the file has none.
        where: How the file's author would find it: a line, or a node's name.
        tied: Path of the leaf whose weight it shares.
        wanted: The path it asked for, which another may have had already.
    """

    path: str
    type: str
    params: Mapping[str, Any]
    sources: tuple[Ref, ...]
    weights: Arrays = field(default_factory=dict)
    where: str = ""
    tied: str = ""
    frozen: bool = False
    cut: tuple[Any, ...] = ()
    start: tuple[Any, ...] = ()
    wanted: str = ""


class Tape:
    """What has been read so far.

    Attributes:
        leaves: In an order in which they can run.
        outputs: What the network gives.
        kinds: Scope's path -> the name of its class, where the file tells.
        title: What the network is called.
        shared: Of what comes into the layer being read, what others read, too.
    """

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.outputs: list[Ref] = []
        self.kinds: dict[str, str] = {}
        self.title = ""
        self.shared: set[Ref] = set()
        self._signals: list[tuple[Signal, ...]] = []
        self._taken: set[str] = set()

    def input(self, id: str, shape: Sequence[int], dtype: Kind = "float", **more: Any) -> Ref:
        """An input of the network, the batch not counted in its shape."""
        params: dict[str, Any] = {"shape": list(shape)}
        if dtype != "float":
            params |= {"dtype": dtype}
        params |= {name: value for name, value in more.items() if value is not None}
        return self.add("Input", params, (), id, where=f"input {id}")[0]

    def add(
        self,
        type: str,
        params: Mapping[str, Any],
        sources: Sequence[Ref],
        path: str,
        *,
        where: str,
        weights: Arrays | None = None,
        tied: str = "",
    ) -> list[Ref]:
        """Write a layer down; what it gives.

        Raises:
            ValueError: It does not work on what comes in, or there are too many; says where.
        """
        if len(self.leaves) >= MOST_LEAVES:
            raise ValueError(f"{where}: a network may have at most {MOST_LEAVES:,} layers here")
        measured = measure(type, params, [self.signal(ref) for ref in sources])
        if isinstance(measured, Failed):
            raise ValueError(f"{where}: {type} {measured.text}")
        place = len(self.leaves)
        self.leaves.append(
            Leaf(
                path=self.free(path),
                type=type,
                params=dict(params),
                sources=tuple(sources),
                weights=weights or {},
                where=where,
                tied=tied,
                wanted=path,
            )
        )
        self._signals.append(measured.outputs)
        return [Ref(place, output) for output in range(len(measured.outputs))]

    def signal(self, ref: Ref) -> Signal:
        """What flows there."""
        return self._signals[ref.leaf][ref.output]

    def count(self, place: int) -> int:
        """How many outputs a leaf has."""
        return len(self._signals[place])

    def shape(self, ref: Ref) -> tuple[int, ...]:
        """The shape of a value, the batch not counted."""
        return self.signal(ref).shape

    def free(self, path: str) -> str:
        """A path that nothing has yet; made of names that a submodule can have."""
        parts = [_name(part) for part in path.split(".") if part][:DEEPEST_PATH] or ["layer"]
        base = ".".join(parts)
        found, count = base, 1
        while found in self._taken:
            count += 1
            found = f"{base}_{count}"
        self._taken.add(found)
        return found

    def outputs_used(self, ref: Ref) -> bool:
        """Whether others read a value, too, so that its layer may not be changed."""
        return ref in self.shared

    def name(self, text: str) -> str:
        """A text as an id."""
        return _name(text.rpartition("/")[2] or text)

    def reordered(self, order: Sequence[int]) -> Tape:
        """A tape with only these leaves, in this order."""
        made = Tape()
        new = {old: place for place, old in enumerate(order)}
        paths: dict[str, str] = {}
        for old in order:
            leaf = self.leaves[old]
            sources = tuple(Ref(new[r.leaf], r.output) for r in leaf.sources)
            paths[leaf.path] = path = made.free(leaf.wanted)
            tied = paths.get(leaf.tied, leaf.tied)
            made.leaves.append(replace(leaf, sources=sources, path=path, tied=tied))
            made._signals.append(self._signals[old])
        made.outputs = [Ref(new[ref.leaf], ref.output) for ref in self.outputs]
        made.kinds, made.title = self.kinds, self.title
        return made

    def change(self, place: int, **fields: Any) -> None:
        """Replace fields of a leaf."""
        self.leaves[place] = replace(self.leaves[place], **fields)


def _name(part: str) -> str:
    if part.isdecimal() and len(part) < 6:
        return part
    clean = re.sub(r"\W", "_", part, flags=re.ASCII).lstrip("_")[:40]
    if not clean:
        return "layer"
    return clean if clean[0].isalpha() else f"layer_{clean}"
