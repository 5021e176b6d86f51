"""Small sums in a block's parameters: `"=4 * width"`, with nothing else allowed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from engine.network.words import nearest, short

_LONGEST = 200
_SIGNS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


def resolve(value: Any, values: Mapping[str, Any]) -> Any:
    """`value` with every text that begins with `=` worked out, in lists and objects too.

    Raises:
        ValueError: A formula is none, or names a value that is not there.
    """
    if isinstance(value, str) and value.startswith("="):
        return _evaluate(value[1:], values)
    if isinstance(value, list | tuple):
        return [resolve(one, values) for one in value]
    if isinstance(value, Mapping):
        return {name: resolve(one, values) for name, one in value.items()}
    return value


def _evaluate(text: str, values: Mapping[str, Any]) -> Any:
    try:
        if len(text) > _LONGEST:
            raise SyntaxError
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"formula {short('=' + text)} is no sum such as =4 * width") from None
    return _value(tree, text, values)


def _value(tree: ast.expr, text: str, values: Mapping[str, Any]) -> Any:
    match tree:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name):
            if name not in values:
                raise ValueError(f"formula ={text} names {name!r}{nearest(name, values)}")
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _SIGNS:
            return _combine(type(op), _value(left, text, values), _value(right, text, values), text)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _combine(ast.Sub, 0, _value(operand, text, values), text)
    raise ValueError(f"formula ={text} may hold numbers, names, + - * // and brackets only")


def _combine(sign: type[ast.operator], left: Any, right: Any, text: str) -> Any:
    for side in (left, right):
        if isinstance(side, bool) or not isinstance(side, int | float):
            raise ValueError(f"formula ={text} needs numbers; got {short(side)}")  # noqa: TRY004
    try:
        return _SIGNS[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        raise ValueError(f"formula ={text} cannot be worked out") from None
