"""Formulas typed by a visitor, read into a tree; nothing typed is ever executed.

`parse("sin(x**2) + 1")` gives a `Term`: what it does (`"+"`), and the terms it does it to. Python's
own parser reads the words, and only the operations listed here are let through.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.views import Array

FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "neg": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sigmoid": lambda x: 0.5 * (1 + np.tanh(0.5 * x)),
    "relu": lambda x: np.maximum(x, 0.0),
}
"""What a term may do, and how."""

CONSTANTS = {"pi": math.pi, "e": math.e}

_OPERATORS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.BitXor: "**",  # what people write for a power
}


@dataclass(frozen=True, slots=True)
class Term:
    """A step of a formula.

    Attributes:
        does: A key of `FUNCTIONS`, the name of a variable, or `"number"`.
        parts: The terms it is applied to; none for a variable or a number.
        value: The number, if it is one.
    """

    does: str
    parts: tuple[Term, ...] = ()
    value: float = 0.0

    def __call__(self, **variables: Array | float) -> Array:
        """The value for these values of the variables, of their common shape.

        Outside a function's domain it is NaN; too large numbers are infinite.
        """
        with np.errstate(all="ignore"):
            value = np.asarray(self._evaluate(variables), dtype=np.float64)
        shape = np.broadcast_shapes(value.shape, *(np.shape(v) for v in variables.values()))
        return np.broadcast_to(value, shape)

    def _evaluate(self, variables: Mapping[str, Array | float]) -> Array | float:
        if self.does == "number":
            return np.float64(self.value)  # not a plain float: that would raise for 1 / 0
        if not self.parts:
            return np.asarray(variables[self.does], dtype=np.float64)
        return FUNCTIONS[self.does](*(part._evaluate(variables) for part in self.parts))

    def walk(self) -> Iterator[Term]:
        """This term and all below it, parts before the whole."""
        for part in self.parts:
            yield from part.walk()
        yield self

    def __str__(self) -> str:
        """The formula as one would write it, with no more brackets than help."""
        if self.does == "number":
            return f"{self.value:.4g}"
        if not self.parts:
            return self.does
        inner = [str(part) for part in self.parts]
        if self.does == "neg":
            return f"-{_bracketed(self.parts[0], inner[0])}"
        if len(inner) == 1:
            return f"{self.does}({inner[0]})"
        left, right = (_bracketed(p, t) for p, t in zip(self.parts, inner, strict=True))
        return f"{left}**{right}" if self.does == "**" else f"{left} {self.does} {right}"


def parse(text: str, variables: Collection[str] = ("x",), largest: int = 60) -> Term:
    """Read a formula.

    Args:
        text: For instance `"exp(-x**2) * sin(3*x)"`.
        variables: The names it may use.
        largest: How many steps it may have.

    Raises:
        ValueError: It is no formula, or uses what is not known; says what.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(
            f"formula: must read like sin(x**2) + 1; got {text!r:.80}; check brackets and signs"
        ) from None
    size = sum(isinstance(node, ast.expr) for node in ast.walk(tree))
    if size > largest:
        raise ValueError(f"formula: must have at most {largest} steps; got {size}; shorten it")
    return _term(tree, variables)


def _term(node: ast.expr, variables: Collection[str]) -> Term:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _number(value)
        case ast.Name(id=name) if name in variables:
            return Term(name)
        case ast.Name(id=name) if name in CONSTANTS:
            return Term("number", value=CONSTANTS[name])
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return _minus(_term(part, variables))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return Term(_OPERATORS[type(op)], (_term(left, variables), _term(right, variables)))
        case ast.Call(func=ast.Name(id=name), args=[part], keywords=[]) if name in FUNCTIONS:
            return Term(name, (_term(part, variables),))
    raise ValueError(_complaint(node, variables))


def _number(value: float) -> Term:
    if abs(value) > 1e12:
        raise ValueError("formula: numbers must lie within ±1e12; use a smaller one")
    return Term("number", value=float(value))


def _minus(part: Term) -> Term:
    return Term("number", value=-part.value) if part.does == "number" else Term("neg", (part,))


def _complaint(node: ast.expr, variables: Collection[str]) -> str:
    words = ast.unparse(node)[:60]
    known = [*variables, *CONSTANTS, *(name for name in FUNCTIONS if name.isalpha())]
    called = node.func if isinstance(node, ast.Call) else node
    near = difflib.get_close_matches(ast.unparse(called)[:60], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are + - * / ** and {', '.join(known)}"
    return f"formula: {words} is not known here; {hint}"


def _bracketed(part: Term, text: str) -> str:
    return f"({text})" if len(part.parts) == 2 or text.startswith("-") else text
