"""Formulas typed by a visitor, as algebra: simplified and differentiated as on paper (sympy).

What is typed is never executed: it is parsed, and only the few signs named here are understood.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from engine.views import Array

OPERATORS: dict[type[ast.operator | ast.unaryop], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
FUNCTIONS = {
    "abs": sympy.Abs,
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "max": sympy.Max,
    "min": sympy.Min,
}
LARGEST = 1_000_000


def read(text: str, variables: Sequence[str], constants: Mapping[str, float]) -> sympy.Expr:
    """The typed formula as a sympy expression.

    Args:
        text: For instance `"log(cosh(p - t))"`.
        variables: Names that stay symbols, all real.
        constants: Names that stand for numbers.

    Raises:
        ValueError: Something else stands there, or a constant leaves the numbers up to a million.
    """
    known = {name: sympy.Symbol(name, real=True) for name in variables}
    known |= {name: sympy.Float(value) for name, value in constants.items()}
    try:
        return _build(ast.parse(text.strip(), mode="eval").body, known)
    except (SyntaxError, TypeError) as wrong:
        raise ValueError(f"formula: {text!r:.60} cannot be read; try 2*(p - t)**2") from wrong


def function(formula: sympy.Expr, variables: Sequence[str]) -> Callable[..., Array]:
    """A function of arrays, each `(n,)`, one a variable, to `(n,)`; NaN where there is no value."""
    symbols = [sympy.Symbol(name, real=True) for name in variables]
    compiled = sympy.lambdify(symbols, formula, "numpy")

    def evaluate(*values: Array) -> Array:
        with np.errstate(all="ignore"):
            out: Array = np.asarray(compiled(*values), float) + 0 * values[0]
        return out  # a constant formula became `(n,)` too

    return evaluate


def of_tensors(formula: sympy.Expr, variables: Sequence[str]) -> Callable[..., Any]:
    """A function of PyTorch tensors of one shape to one like them; torch can differentiate it."""
    import torch  # here: labs that need only numbers load without it

    def fold(pick: Callable[..., Any]) -> Callable[..., Any]:
        def folded(*values: Any) -> Any:
            like = next(value for value in values if isinstance(value, torch.Tensor))
            tensors = [torch.as_tensor(value, dtype=like.dtype) for value in values]
            return functools.reduce(pick, tensors)

        return folded

    named = {"Abs": torch.abs, "Max": fold(torch.maximum), "Min": fold(torch.minimum)}
    symbols = [sympy.Symbol(name, real=True) for name in variables]
    compiled = sympy.lambdify(symbols, formula, [named, torch])

    def evaluate(*values: Any) -> Any:
        return compiled(*values) + 0 * values[0]  # a constant formula takes the shape too

    return evaluate


def derivative(formula: sympy.Expr, variable: str) -> sympy.Expr:
    """The formula differentiated by one variable, with the rules of calculus."""
    return sympy.diff(formula, sympy.Symbol(variable, real=True))


def _build(node: ast.expr, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.Constant(value=int() | float() as number):
            return _small(sympy.sympify(number))
        case ast.BinOp(base, ast.Pow(), ast.Constant(value=int() as n)) if 0 < n <= 6:
            return _small(_build(base, known) ** n)
        case ast.BinOp() | ast.UnaryOp() | ast.Call():
            return _small(_applied(node, known))
    raise _not_understood(node, known)


def _applied(node: ast.BinOp | ast.UnaryOp | ast.Call, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.BinOp(left, sign, right) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_build(left, known), _build(right, known))
        case ast.UnaryOp(sign, only) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_build(only, known))
        case ast.Call(ast.Name(id=name), [_, *_] as given, []) if name in FUNCTIONS:
            return FUNCTIONS[name](*(_build(one, known) for one in given))
    raise _not_understood(node, known)


def _not_understood(node: ast.expr, known: Mapping[str, Any]) -> ValueError:
    return ValueError(
        f"formula: may use {', '.join(known)}, numbers, + − * /, whole powers up to 6 and "
        f"{', '.join(FUNCTIONS)}; got {ast.unparse(node)!r:.60}"
    )


def _small(value: Any) -> Any:
    """The value, unless it is a huge or complex constant: exp(exp(exp(9))) would never end."""
    if value.is_number and not (value.is_real and abs(value) <= LARGEST):
        raise ValueError(f"formula: constants must be real and at most {LARGEST:,}")
    return value
