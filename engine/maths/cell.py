"""One line of NumPy or pandas typed by a visitor, worked out without running Python.

The line is read into a tree and walked here: only arithmetic, indexing and the methods listed are
known, sizes are checked before memory is asked for, and names are only those the caller gives.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any  # a cell's values are whatever NumPy and pandas give

import numpy as np

LARGEST = 2_000_000  # numbers in any array on the way
LONGEST = 200  # steps of a line

OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
}
METHODS = frozenset(
    (
        *("T", "shape", "mean", "sum", "std", "var", "min", "max", "median", "round", "abs"),
        *("argmax", "argmin", "argsort", "cumsum", "groupby", "count", "head", "sort_values"),
    )
)
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in ("sqrt", "abs", "exp", "log", "mean", "sum", "std", "min", "max", "sort", "where")
}


def work_out(line: str, **names: Any) -> Any:
    """The value of one line.

    Args:
        line: For instance `"x.mean(axis=0)"` or `"np.sqrt((x ** 2).sum(axis=1))"`.
        **names: What it may speak of: arrays and tables.

    Raises:
        ValueError: It does not read, uses what is not known, or grows too large; says what.
    """
    try:
        tree = ast.parse(line.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"line: must be one expression of Python; got {line!r:.80}") from None
    if sum(1 for _ in ast.walk(tree)) > LONGEST:
        raise ValueError(f"line: must have at most {LONGEST} steps; shorten it")
    try:
        with np.errstate(all="ignore"):
            return _value(tree, names)
    except ValueError as wrong:
        raise ValueError(f"line: {wrong}") from None
    except Exception as wrong:  # noqa: BLE001 - a visitor's line may go wrong in any way
        raise ValueError(f"line: {type(wrong).__name__}: {wrong!s:.200}") from None


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() | str() | None as value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.List(elts=parts) if all(isinstance(part, ast.Constant) for part in parts):
            return [_value(part, names) for part in parts]
        case ast.Subscript(value=whole, slice=index):
            return _taken(_value(whole, names), _index(index, names))
        case ast.Attribute(value=whole, attr=name):
            return _attribute(whole, name, names)
        case ast.Call(func=ast.Attribute() as function, args=args, keywords=named):
            given = {one.arg: _value(one.value, names) for one in named if one.arg}
            return _called(_value(function, names), [_value(one, names) for one in args], given)
    return _operation(node, names)


def _operation(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.UnaryOp(op=op, operand=part) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(part, names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return _applied(op, _value(left, names), _value(right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
            return _applied(op, _value(left, names), _value(right, names))
    raise ValueError(f"{ast.unparse(node)[:60]} is not known here; use x, table, np.… and methods")


def _attribute(whole: ast.expr, name: str, names: Mapping[str, Any]) -> Any:
    if isinstance(whole, ast.Name) and whole.id == "np":
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        raise ValueError(f"np.{name} is not known here; there are {', '.join(FUNCTIONS)}")
    value = _value(whole, names)
    table = getattr(value, "obj", value)  # what has been grouped, if anything has
    if name in METHODS or name in getattr(table, "columns", ()):
        return getattr(value, name)
    raise ValueError(f".{name} is not known here; there are {', '.join(sorted(METHODS))}")


def _index(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Tuple(elts=parts):
            return tuple(_index(part, names) for part in parts)
        case ast.Slice(lower=lower, upper=upper, step=step):
            ends = (lower, upper, step)
            return slice(*(None if end is None else _value(end, names) for end in ends))
    return _value(node, names)


def _taken(whole: Any, index: Any) -> Any:
    """Indexing with arrays repeats what it picks: bounded before it is done."""
    parts = index if isinstance(index, tuple) else (index,)
    picks = math.prod(np.broadcast_shapes(*(_shape(part) for part in parts)))
    if picks * math.prod(_shape(whole)[1:]) > LARGEST:
        raise ValueError(f"the result must have at most {LARGEST:,} numbers; index less")
    return whole[index]


def _called(function: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    if not callable(function):  # the visitor's mistake, not a programmer's
        raise ValueError(  # noqa: TRY004
            "only a function can be called; leave out the brackets ()"
        )
    if function is np.where:
        _bounded(*(_shape(one) for one in arguments))
    return function(*arguments, **named)


def _applied(op: ast.AST, left: Any, right: Any) -> Any:
    """Do it, once the result is known to be small."""
    if isinstance(op, ast.Eq | ast.NotEq) and isinstance(right, str):
        return OPERATORS[type(op)](left, right)
    if isinstance(left, str | list) or isinstance(right, str | list):
        raise ValueError("arithmetic needs numbers or arrays; got words or a list")  # noqa: TRY004
    if isinstance(op, ast.MatMult):
        if max(len(_shape(left)), len(_shape(right))) > 2:
            raise ValueError("@ takes tables of one or two axes here; got more")
        _bounded((*_shape(left)[:1], 1), _shape(right)[1:])
    elif not hasattr(left, "columns") and not hasattr(right, "columns"):
        _bounded(_shape(left), _shape(right))
    if isinstance(op, ast.Pow) and not _shape(left) and not _shape(right):
        left, right = float(left), float(right)  # whole numbers would grow without end
    return OPERATORS[type(op)](left, right)


def _bounded(*shapes: tuple[int, ...]) -> None:
    if math.prod(np.broadcast_shapes(*shapes)) > LARGEST:
        raise ValueError(f"the result must have at most {LARGEST:,} numbers; index less")


def _shape(value: Any) -> tuple[int, ...]:
    """The shape of an array, a table or a list; nothing else has one."""
    if isinstance(value, list):
        return (len(value),)
    shape = getattr(value, "shape", ())
    return shape if isinstance(shape, tuple) else ()
