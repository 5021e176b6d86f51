"""What names stand for while a source text is read."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from engine.importing.tape import Ref


class SourceError(ValueError):
    """What in the text cannot be read.

    Attributes:
        line: Where, or None if it is about the whole.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        told = message if line is None or message.startswith("line ") else f"line {line}: {message}"
        super().__init__(told)
        self.line = line


@dataclass(frozen=True)
class Name:
    """Something of a library, by its full name: `torch.nn.functional.relu`."""

    full: str


@dataclass(eq=False)
class Class:
    """A class of the text.

    Attributes:
        values: What its own lines set, by name.
        layer: The layer of this project that it is, word for word, or "".
        bare: Names that have a type there and no value.
    """

    node: ast.ClassDef
    bases: list[Any] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    layer: str = ""
    bare: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.node.name

    @property
    def is_module(self) -> bool:
        """Whether it is, or comes from, `nn.Module`."""
        return any(
            one.is_module if isinstance(one, Class) else getattr(one, "full", "") in _MODULES
            for one in self.bases
        )

    def method(self, name: str) -> ast.FunctionDef | None:
        """A method, its own or inherited."""
        for one in self.node.body:
            if isinstance(one, ast.FunctionDef) and one.name == name:
                return one
        for base in self.bases:
            if isinstance(base, Class) and (found := base.method(name)):
                return found
        return None


_MODULES = {"torch.nn.Module", "torch.nn.modules.Module", "torch.nn.Sequential"}


@dataclass(eq=False)
class Function:
    """A function of the text; bound to `owner` where it is a method."""

    node: ast.FunctionDef | ast.Lambda
    owner: Any = None
    scope: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Made:
    """A module of the library that was constructed.

    Attributes:
        kind: `torch.nn`'s or this project's name of the layer.
        ours: Whether it is this project's module of that name.
        path: Where it is in the network, once that is known.
        uses: How often it was called.
        cut: Connections that are gone, and
        start: first values set by hand, as a spec has them.
    """

    kind: str
    arguments: dict[str, Any]
    line: int
    ours: bool = False
    path: str = ""
    frozen: bool = False
    tied: Made | None = None
    cut: list[Any] = field(default_factory=list)
    start: list[Any] = field(default_factory=list)
    uses: list[int] = field(default_factory=list)


@dataclass(eq=False)
class Several:
    """A list of modules; a `Sequential` can be called.

    Attributes:
        items: By name: numbers as text, or what the author called them.
    """

    items: dict[str, Any]
    callable: bool
    path: str = ""


@dataclass(eq=False)
class Instance:
    """A module of one of the text's classes."""

    cls: Class
    attributes: dict[str, Any] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True)
class Weight:
    """A module's `weight`, of which only sharing can be said."""

    of: Made


@dataclass(frozen=True)
class LayersFirst:
    """A recurrent network's last state as torch has it, layers before the batch."""

    ref: Ref


@dataclass(frozen=True)
class Partial:
    """A call with some of its arguments there already."""

    made: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Super:
    """`super()` in a method of `cls`."""

    owner: Any
    cls: Class


class Method:
    """A method of a value, not yet called."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner, self.name = owner, name

    @property
    def without_effect(self) -> bool:
        """Whether it only changes numbers, of which a drawing has none."""
        inner = isinstance(self.owner, Method) and self.owner.without_effect
        return inner or isinstance(self.owner, Weight | Nothing)


class Nothing:
    """What initialisers and other calls without an effect on the drawing give."""


NOTHING = Nothing()


def inside(value: Any) -> Any:
    """The modules of a list of modules; any other thing itself."""
    return list(value.items.values()) if isinstance(value, Several) else value
