"""Expressions of a source text worked out: constants and modules, and tensors as layers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.importing.calls import BATCH, Scribe, perform
from engine.importing.python.things import Class, Instance, Several, SourceError
from engine.importing.tape import Ref, Tape

MOST_STEPS = 300_000
MOST_DEEP = 60
MOST_ITEMS = 10_000
LARGEST = 2**53

Scope = dict[str, Any]


EXPRESSIONS: dict[type[ast.expr], Callable[..., Any]] = {}
"""Kind of expression -> what works it out."""


def expression(*kinds: type[ast.expr]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the decorated function work out expressions of these kinds."""

    def wrap(made: Callable[..., Any]) -> Callable[..., Any]:
        EXPRESSIONS.update(dict.fromkeys(kinds, made))
        return made

    return wrap


CALLS: dict[type, Callable[..., Any]] = {}
"""Kind of thing -> what calling one means: `(reader, thing, args, kwargs, node)`."""


def calling(kind: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the decorated function call things of this kind."""

    def wrap(made: Callable[..., Any]) -> Callable[..., Any]:
        CALLS[kind] = made
        return made

    return wrap


class Reader:
    """Works out expressions in a scope.

    Attributes:
        tape: Where layers are written.
        module: Path of the module in whose `forward` we are.
        reserved: Paths that modules have.
    """

    def __init__(self, names: Scope) -> None:
        self.tape = Tape()
        self.names = names
        self.module = ""
        self.reserved: set[str] = set()
        self.depth = 0
        self.building = True
        self.homes: dict[int, Class] = {}  # id of a method's node -> the class it stands in
        self.root: Instance | None = None
        self._steps = 0

    def tick(self, node: ast.AST) -> None:
        """Count a step.

        Raises:
            SourceError: There were too many.
        """
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise SourceError("the code takes too many steps to read", line_of(node))

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """What an expression stands for.

        Raises:
            SourceError: It is outside of what can be read.
        """
        self.tick(node)
        self.depth += 1
        if self.depth > 4 * MOST_DEEP:
            raise SourceError("the code is nested too deeply", line_of(node))
        try:
            made = EXPRESSIONS.get(type(node))
            if made is None:
                raise SourceError(f"{_word(node)} cannot be read", line_of(node))
            return _bounded(made(self, node, scope))
        except SourceError:
            raise
        except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError) as error:
            text = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise SourceError(str(text)[:300], line_of(node)) from None
        finally:
            self.depth -= 1

    def call(self, made: Any, args: Sequence[Any], kwargs: Mapping[str, Any], node: ast.AST) -> Any:
        """What calling a thing gives."""
        if type(made) not in CALLS:
            raise SourceError("this cannot be called", line_of(node))
        return CALLS[type(made)](self, made, list(args), dict(kwargs), node)

    def scribe(self, node: ast.AST, path: str = "") -> Scribe:
        """What writes layers down for a call at this place."""
        if self.building:
            raise SourceError("tensors can be used in forward only", line_of(node))
        return Scribe(self.tape, f"line {line_of(node)}", self.module, path, self.reserved)

    def perform(
        self, name: str, node: ast.AST, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """A function on tensors."""
        return perform(name, self.scribe(node), args, kwargs)

    def items(self, value: Any, node: ast.AST) -> list[Any]:
        """What a loop goes through."""
        if isinstance(value, Several):
            return list(value.items.values())
        if isinstance(value, dict):
            return list(value)
        if isinstance(value, range | list | tuple | zip | enumerate | str) and not isinstance(
            value, Ref
        ):
            found = list(value) if not isinstance(value, range) else list(value[: MOST_ITEMS + 1])
            if len(found) > MOST_ITEMS:
                raise SourceError(f"loops of at most {MOST_ITEMS:,} can be read", line_of(node))
            return found
        raise SourceError(
            "only lists, ranges and lists of modules can be gone through", line_of(node)
        )

    def truth(self, node: ast.expr, scope: Scope) -> bool:
        """A condition, which must not depend on a tensor's numbers."""
        found = self.value(node, scope)
        if isinstance(found, Ref) or found is BATCH:
            raise SourceError(
                "a condition on a tensor's numbers or on the batch cannot be drawn", line_of(node)
            )
        return bool(found.items if isinstance(found, Several) else found)


def line_of(node: ast.AST) -> int:
    """The line a node begins in."""
    return int(getattr(node, "lineno", 0))


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError("numbers above 2^53 cannot be read")
    if isinstance(value, list | tuple | dict) and len(value) > MOST_ITEMS:
        raise ValueError(f"lists of at most {MOST_ITEMS:,} things can be read")
    return value


def _word(node: ast.AST) -> str:
    return {
        "Await": "await",
        "Yield": "yield",
        "NamedExpr": "`:=`",
        "Set": "a set",
    }.get(type(node).__name__, f"this ({type(node).__name__})")
