"""Sums and comparisons: of constants worked out, of tensors written down as layers."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from engine.importing.calls import BATCH
from engine.importing.python.reader import MOST_ITEMS, Reader, Scope, expression
from engine.importing.python.things import Several
from engine.importing.tape import Ref

_ARITHMETIC: Mapping[type[ast.operator], tuple[Callable[[Any, Any], Any], str]] = {
    ast.Add: (operator.add, "add"),
    ast.Sub: (operator.sub, "sub"),
    ast.Mult: (operator.mul, "mul"),
    ast.Div: (operator.truediv, "div"),
    ast.FloorDiv: (operator.floordiv, ""),
    ast.Mod: (operator.mod, ""),
    ast.Pow: (operator.pow, "pow"),
    ast.MatMult: (operator.matmul, "matmul"),
}
_COMPARISON: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
}


@expression(ast.BinOp)
def _binary(reader: Reader, node: ast.BinOp, scope: Scope) -> Any:
    left, right = reader.value(node.left, scope), reader.value(node.right, scope)
    return combine(reader, node.op, left, right, node)


def combine(reader: Reader, op: ast.operator, left: Any, right: Any, node: ast.AST) -> Any:
    """`left op right`."""
    if type(op) not in _ARITHMETIC:
        raise ValueError("this operator cannot be read")
    plain, named = _ARITHMETIC[type(op)]
    if isinstance(left, Ref) or isinstance(right, Ref):
        if not named:
            raise ValueError("no layer does this to a tensor")
        return reader.perform(named, node, [left, right], {})
    _refuse_costly(op, left, right)
    return plain(left, right)


def _refuse_costly(op: ast.operator, left: Any, right: Any) -> None:
    """Only sums of numbers, and lists put together, that take no time and no room."""
    if BATCH in (left, right):
        raise ValueError("the batch size cannot be calculated with; flatten from axis 1")
    if isinstance(op, ast.Pow) and not _small_power(left, right):
        raise ValueError("powers of numbers up to 1,000 only")
    if isinstance(op, ast.Mult):
        _refuse_long(left, right)
    if isinstance(op, ast.Add) and not _numbers(left, right):
        _refuse_growing(left, right)
    if not _numbers(left, right) and not isinstance(op, ast.Add | ast.Mult):
        raise ValueError("this needs numbers")


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _refuse_growing(left: Any, right: Any) -> None:
    for kind in (list, tuple, str):
        if isinstance(left, kind) and isinstance(right, kind):
            if len(left) + len(right) > MOST_ITEMS:
                raise ValueError(f"lists of at most {MOST_ITEMS:,} things can be read")
            return
    raise ValueError("only numbers, lists and texts can be added")


def _small_power(left: Any, right: Any) -> bool:
    return _numbers(left, right) and abs(left) <= 1000 and abs(right) <= 16


def _refuse_long(left: Any, right: Any) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, list | tuple | str) and (
            not isinstance(other, int) or len(one) * max(0, other) > MOST_ITEMS
        ):
            raise ValueError(f"lists of at most {MOST_ITEMS:,} things can be read")


@expression(ast.UnaryOp)
def _unary(reader: Reader, node: ast.UnaryOp, scope: Scope) -> Any:
    if isinstance(node.op, ast.Not):
        return not reader.truth(node.operand, scope)
    found = reader.value(node.operand, scope)
    if isinstance(found, Ref) or not isinstance(found, int | float):
        raise ValueError("only a number can have a sign")
    return -found if isinstance(node.op, ast.USub) else +found


@expression(ast.Compare)
def _compare(reader: Reader, node: ast.Compare, scope: Scope) -> bool:
    left = reader.value(node.left, scope)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = reader.value(right_node, scope)
        identity = isinstance(op, ast.Is | ast.IsNot)
        if not identity and (BATCH in (left, right) or isinstance(left, Ref)):
            raise ValueError("a comparison of tensors or of the batch size cannot be drawn")
        if isinstance(right, Several):
            right = right.items
        if not _COMPARISON[type(op)](left, right):
            return False
        left = right
    return True
