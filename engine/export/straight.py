"""A network as one line of code after another, for libraries that have other layers than torch."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.network.graph import Source
from engine.network.registry import factory, find
from engine.network.shapes import signature
from engine.network.spec import NetworkSpec
from engine.network.trace import Trace, trace

Shape = tuple[int, ...]


@dataclass
class Line:
    """One layer.

    Attributes:
        path: Its submodule's name, where its weights are.
        name: The same as a name in Python.
        given: Names of what comes in.
        shapes: Their shapes, the batch not counted.
        outputs: Shapes of what goes out.
        arguments: What torch constructs its module with, defaults included.
        used: Which of its outputs anybody reads.
    """

    path: str
    name: str
    type: str
    given: list[str]
    shapes: list[Shape]
    outputs: list[Shape]
    arguments: Mapping[str, Any]
    used: set[int] = field(default_factory=set)

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def x(self) -> str:
        """Name of the first input."""
        return self.given[0]

    @property
    def axes(self) -> int:
        """Axes of the first input behind the channels."""
        return len(self.shapes[0]) - 1

    def each(self, name: str) -> tuple[int, ...]:
        """An argument as one number an axis."""
        value = self.arguments[name]
        return (value,) * self.axes if isinstance(value, int) else tuple(value)


class Misses(ValueError):  # noqa: N818 - it is what happened
    """Another library has no counterpart for a layer."""


@dataclass
class Straight:
    """The layers in order, with names for all that flows.

    Attributes:
        inputs: Name, shape and kind of each input.
        outputs: Output's name -> name of the value.
    """

    title: str
    inputs: list[tuple[str, Shape, str]]
    lines: list[Line]
    outputs: dict[str, str]
    parameters: int


def straight(spec: NetworkSpec) -> Straight:
    """The network laid out.

    Raises:
        ValueError: It does not work.
    """
    traced = trace(spec)
    if traced.errors:
        raise ValueError(traced.errors[0].text)
    if any(step.tied for step in traced.plan.steps):
        tied = next(step.path for step in traced.plan.steps if step.tied)
        raise Misses(f"{tied}: shared weights have no counterpart in this form")
    names: dict[Source, str] = {}
    taken: set[str] = {"model", "keras", "jax", "jnp", "nnx", "np", "self"}
    made = Straight(spec.title or "A network", [], [], {}, traced.parameters)
    for step in traced.plan.steps:
        measured = traced.measured[step.path]
        name = _free(step.path, taken)
        if step.type == "Input":
            names[step.path, 0] = name
            kind = measured.outputs[0].kind
            made.inputs.append((name, measured.outputs[0].shape, kind))
            continue
        shapes = [traced.measured[path].outputs[n].shape for path, n in step.sources]
        made.lines.append(
            Line(
                path=step.path,
                name=name,
                type=step.type,
                given=[names[source] for source in step.sources],
                shapes=shapes,
                outputs=[one.shape for one in measured.outputs],
                arguments={**_defaults(step.type), **measured.arguments},
                used=_used(step.path, traced),
            )
        )
        for number in range(len(measured.outputs)):
            names[step.path, number] = name if number == 0 else f"{name}_{number}"
    made.outputs = {name: names[source] for name, source in traced.plan.outputs.items()}
    return made


def _defaults(type: str) -> dict[str, Any]:
    parameters = signature(factory(find(type)))
    return {one.name: one.default for one in parameters if one.default is not one.empty}


def _used(path: str, traced: Trace) -> set[int]:
    read = {n for step in traced.plan.steps for p, n in step.sources if p == path}
    return read | {n for p, n in traced.plan.outputs.values() if p == path}


def _free(path: str, taken: set[str]) -> str:
    base = path.replace(".", "_")
    base = f"{base}_" if keyword.iskeyword(base) or base in taken else base
    found, count = base, 1
    while found in taken:
        count += 1
        found = f"{base}{count}"
    taken.add(found)
    return found


Writer = Callable[[Line], Any]


def written(line: Line, table: Mapping[str, Writer], library: str) -> Any:
    """What a table says of a layer.

    Raises:
        Misses: It has nothing for it; names the layer.
    """
    if line.type not in table:
        raise Misses(f"{line.path} ({line.type}): {library} has no such layer")
    try:
        return table[line.type](line)
    except Misses as error:
        raise Misses(f"{line.path} ({line.type}): {error}") from None


def refuse_all(made: Straight, table: Mapping[str, Writer], library: str) -> None:
    """Do nothing if each layer has a counterpart.

    Raises:
        Misses: Some have none; names them all.
    """
    missing = {line.type: line.path for line in made.lines if line.type not in table}
    if missing:
        told = ", ".join(f"{type} ({path})" for type, path in sorted(missing.items()))
        raise Misses(f"{library} has no counterpart for: {told[:600]}")


def one(sizes: Sequence[int]) -> Any:
    """One number where all are the same."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)
