"""What functions on tensors are as layers: one table for source code and exported programs.

An operation takes a `Scribe` and the function's own arguments, tensors among them as `Ref`. It
writes layers down and gives back what the function would.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.importing.tape import Arrays, Ref, Tape
from engine.network.words import nearest

Operation = Callable[..., Any]


class Batch:
    """The size of the batch: known to be the first axis, and nothing else of it."""

    def __repr__(self) -> str:
        return "the batch size"


BATCH = Batch()


@dataclass(frozen=True, eq=False)
class Parameter:
    """A tensor of numbers that the file holds."""

    name: str
    array: np.ndarray


@dataclass
class Scribe:
    """Writes layers down for one call.

    Attributes:
        where: Line or node, for messages.
        scope: Path of the module in whose code the call stands.
        path: Where a module itself is called: its own path; "" for a mere function.
        reserved: Paths that functions may not take.
        batch: How large the batch was when the file was made, where that is fixed in it.
    """

    tape: Tape
    where: str
    scope: str = ""
    path: str = ""
    reserved: frozenset[str] | set[str] = frozenset()
    batch: int | None = None

    def layer(
        self,
        type: str,
        params: Mapping[str, Any],
        *sources: object,
        weights: Arrays | None = None,
        tied: str = "",
    ) -> Any:
        """The layer's output, or a tuple of them."""
        refs = [self.tensor(one) for one in sources]
        path = self.path or self._free(type.lower())
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in params.items()}
        made = self.tape.add(type, plain, refs, path, where=self.where, weights=weights, tied=tied)
        return made[0] if len(made) == 1 else tuple(made)

    def tensor(self, value: object) -> Ref:
        """The value, if it is a tensor.

        Raises:
            ValueError: It is something else.
        """
        if not isinstance(value, Ref):
            raise ValueError(f"{self.where}: needs a tensor here; got {value!r:.60}")
        return value

    def shape(self, value: object) -> tuple[int, ...]:
        """Shape of a tensor, the batch not counted."""
        return self.tape.shape(self.tensor(value))

    def axis(self, value: object, dim: object) -> int:
        """An axis, the batch counted, from the front.

        Raises:
            ValueError: There is no such axis.
        """
        rank = len(self.shape(value)) + 1
        if not isinstance(dim, int) or not -rank <= dim < rank:
            raise ValueError(f"{self.where}: needs an axis of {rank}; got {dim!r:.40}")
        return dim % rank

    def inner(self, value: object, dim: object, what: str) -> int:
        """An axis counted from the first after the batch.

        Raises:
            ValueError: It is the batch's own.
        """
        axis = self.axis(value, dim)
        if axis == 0:
            raise ValueError(f"{self.where}: {what} must leave the batch, axis 0, alone")
        return axis - 1

    def refuse(self, text: str) -> ValueError:
        """An error that says where."""
        return ValueError(f"{self.where}: {text}")

    def _free(self, name: str) -> str:
        base = f"{self.scope}.{name}".strip(".")
        found, count = base, 1
        while found in self.reserved:
            count += 1
            found = f"{base}_{count}"
        return found


_table: dict[str, Operation] = {}


def operation(*names: str) -> Callable[[Operation], Operation]:
    """Enter the decorated function in the table under torch's own names for it."""

    def wrap(made: Operation) -> Operation:
        for name in names or (made.__name__,):
            _table[name] = made
        return made

    return wrap


@functools.cache
def _import_all() -> None:
    home = importlib.import_module("engine.importing.operations")
    for info in pkgutil.iter_modules(home.__path__):
        importlib.import_module(f"{home.__name__}.{info.name}")


def operations() -> Mapping[str, Operation]:
    """Torch's name of a function -> what writes it down."""
    _import_all()
    return _table


def perform(name: str, scribe: Scribe, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Write a function's call down; what it gives.

    Raises:
        ValueError: There is no layer for it, or it is called in a way that none has.
    """
    made = operations().get(name)
    if made is None:
        raise scribe.refuse(f"no layer does what {name} does{nearest(name, operations())}")
    try:
        call = inspect.signature(made).bind(scribe, *args, **kwargs)
    except TypeError as error:
        raise scribe.refuse(f"{name}: {error}") from None
    return made(*call.args, **call.kwargs)
