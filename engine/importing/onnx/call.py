"""An ONNX node as a call: its inputs as tensors, constants or sizes, its attributes as values."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.importing.calls import BATCH, Parameter, Scribe, perform
from engine.importing.tape import Ref


@dataclass
class Call:
    """One node.

    Attributes:
        name: Its operator.
        inputs: `Ref` for a tensor, `Parameter` for stored numbers, a list for sizes, or None.
        attributes: By name.
        outputs: Names of what it gives.
    """

    name: str
    inputs: Sequence[Any]
    attributes: Mapping[str, Any]
    outputs: Sequence[str]
    scribe: Scribe

    def get(self, place: int) -> Any:
        """An input; None where there is none."""
        return self.inputs[place] if place < len(self.inputs) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(name, default)

    def sizes(self, place: int) -> list[Any]:
        """An input that must be known: whole numbers, or the batch size among them.

        Raises:
            ValueError: It depends on the data.
        """
        value = self.get(place)
        if isinstance(value, Parameter):
            if value.array.size > 10_000:
                raise self.scribe.refuse(f"{self.name}: too many sizes")
            return [one.item() for one in value.array.reshape(-1)]
        if isinstance(value, list):
            return value
        raise self.scribe.refuse(f"{self.name} needs sizes that are known beforehand")

    def number(self, place: int, default: float | None = None) -> float | None:
        """An input that is one number; the default where it is left out."""
        if self.get(place) is None:
            return default
        found = self.sizes(place)
        if len(found) != 1 or found[0] is BATCH:
            raise self.scribe.refuse(f"{self.name} needs one number")
        return float(found[0])

    def axes(self, place: int, default: Sequence[int] | None = None) -> list[int] | None:
        """Axes, which are an attribute in older files and an input in newer ones."""
        given = self.attribute("axes")
        if given is None and self.get(place) is not None:
            given = self.sizes(place)
        if given is None:
            return None if default is None else list(default)
        return [int(one) for one in given]

    def do(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Torch's function of that name."""
        return perform(name, self.scribe, args, kwargs)

    @property
    def is_constant(self) -> bool:
        """Whether no tensor comes in."""
        return not any(isinstance(one, Ref) for one in self.inputs)


Operator = Callable[[Call], Any]
_table: dict[str, Operator] = {}


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Enter the decorated function in the table of operators."""

    def wrap(made: Operator) -> Operator:
        for name in names:
            _table[name] = made
        return made

    return wrap


@functools.cache
def _import_all() -> None:
    home = importlib.import_module("engine.importing.onnx")
    for info in pkgutil.iter_modules(home.__path__):
        importlib.import_module(f"{home.__name__}.{info.name}")


def operators() -> Mapping[str, Operator]:
    """ONNX's name of an operator -> what writes it down."""
    _import_all()
    return _table


def plain(array: np.ndarray) -> list[Any]:
    """An array as a flat list."""
    return [one.item() for one in array.reshape(-1)]
