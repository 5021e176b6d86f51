"""The few functions of Python, math and torch that constants are worked out with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

NAMES = frozenset(
    (
        "range",
        "len",
        "int",
        "float",
        "bool",
        "str",
        "list",
        "tuple",
        "dict",
        "zip",
        "enumerate",
        "min",
        "max",
        "sum",
        "abs",
        "round",
        "reversed",
        "sorted",
        "isinstance",
        "hasattr",
        "getattr",
        "setattr",
        "print",
        "map",
        "all",
        "any",
        "divmod",
        "type",
        "object",
        "super",
        "ValueError",
        "TypeError",
        "NotImplementedError",
        "RuntimeError",
        "callable",
    )
)

CONSTANTS: Mapping[str, Any] = {
    "math.pi": math.pi,
    "math.e": math.e,
    "math.inf": math.inf,
    "torch.float32": "float32",
    "torch.float": "float32",
}


def _range(*args: Any) -> range:
    if not all(isinstance(one, int) and abs(one) < 2**31 for one in args):
        raise ValueError("range needs whole numbers")
    return range(*args)


def _listed(value: Any = ()) -> list[Any]:
    if isinstance(value, range) and len(value) > 10_000:
        raise ValueError("lists of at most 10,000 things can be read")
    return list(value)


PLAIN: Mapping[str, Callable[..., Any]] = {
    "builtins.range": _range,
    "builtins.list": _listed,
    "builtins.tuple": lambda value=(): tuple(_listed(value)),
    "builtins.dict": lambda *args, **kwargs: dict(*args, **kwargs),
    "builtins.int": lambda value=0: int(value),
    "builtins.float": lambda value=0.0: float(value),
    "builtins.bool": lambda value=False: bool(value),
    "builtins.str": lambda value="": str(value)[:200],
    "builtins.zip": lambda *args: list(zip(*map(_listed, args), strict=False)),
    "builtins.enumerate": lambda value, start=0: list(enumerate(_listed(value), start)),
    "builtins.min": lambda *args: min(*args),
    "builtins.max": lambda *args: max(*args),
    "builtins.abs": abs,
    "builtins.round": round,
    "builtins.divmod": divmod,
    "builtins.reversed": lambda value: _listed(value)[::-1],
    "builtins.sorted": lambda value: sorted(_listed(value)),
    "builtins.all": lambda value: all(_listed(value)),
    "builtins.any": lambda value: any(_listed(value)),
    "math.sqrt": math.sqrt,
    "math.log2": math.log2,
    "math.log": math.log,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.exp": math.exp,
    "math.prod": lambda value: math.prod(_listed(value)),
    "collections.OrderedDict": lambda value=(): dict(value),
}

OF_MODULES = frozenset(
    (
        "modules",
        "children",
        "parameters",
        "named_modules",
        "named_parameters",
        "apply",
        "reset_parameters",
        "add_module",
        "register_module",
        "requires_grad_",
        "register_buffer",
    )
)
"""What every module of torch can be asked."""
