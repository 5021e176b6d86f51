"""The table of layers: one class an entry, and all that is known of a layer follows from it.

A layer is a pydantic model of its parameters, defined in a file under `engine/network/layers`.
Its name is the node's `type`; its docstring's first sentence is its help, `Source:` its source;
`home` names the file under `engine/network/modules` where its module is, or is empty when the
module is `torch.nn`'s of that name. Canvas form, validation, shapes, building, code and docs
follow. Nothing here imports torch before a module is asked for, so a server may read it all.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from engine.network.words import nearest, sentence

Shape = tuple[int, ...]  # without the batch axis
Reach = Literal["point", "window", "all"]

LARGEST = 10_000_000  # of any one size; products are held against limits when shapes are known

_Size = Annotated[int, Field(ge=1, le=10_000)]
_Offset = Annotated[int, Field(ge=0, le=10_000)]
Sizes = _Size | Annotated[list[_Size], Field(min_length=1, max_length=3)]
Offsets = _Offset | Annotated[list[_Offset], Field(min_length=1, max_length=3)]
"""One number for all axes, or a list with one for each."""


class MisfitError(ValueError):
    """A size that was given does not agree with what comes in.

    Attributes:
        field: Which parameter.
        found: What it would have to be.
    """

    def __init__(self, message: str, field: str, found: int) -> None:
        super().__init__(message)
        self.field, self.found = field, found


class Layer(BaseModel):
    """A layer's parameters, and what module they make.

    Attributes:
        category: Under what heading of the palette it stands.
        inputs: How few and how many inputs it takes; None for any number.
        home: File under `engine/network/modules` with its module, or "" for `torch.nn`.
        axes: What the axes of the first input must be, the batch not counted; None for any.
        reach: Whether a value of the output looks at one place of the input, a window, or all.
        reads: Whether numbers come in, or tokens.
        recurs: Whether it does the same at each place of its first input, one after the other.
        example: Shapes of inputs that it works with, where `axes` does not say enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    category: ClassVar[str] = ""
    inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    home: ClassVar[str] = ""
    axes: ClassVar[tuple[str, ...] | None] = None
    reach: ClassVar[Reach] = "all"
    reads: ClassVar[Literal["float", "token"]] = "float"
    recurs: ClassVar[bool] = False
    example: ClassVar[tuple[Shape, ...]] = ()

    def arguments(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """What the module is constructed with, given the shapes that come in.

        Parameters made with `follows` are taken from the first input; all others are passed as
        they are, without those that are None.

        Raises:
            MisfitError: A size was given and does not agree with what comes in.
        """
        if self.axes is not None and len(shapes[0]) != len(self.axes):
            raise ValueError(f"needs {' × '.join(self.axes)}; got {words(shapes[0])}")
        values = {name: getattr(self, name) for name in type(self).model_fields}
        for name, axis in followers(type(self)).items():
            values[name] = self.agree(name, shapes[0], axis)
        return {name: value for name, value in values.items() if value is not None}

    def agree(self, field: str, shape: Shape, axis: int) -> int:
        """The size of an axis, which a parameter, where it is given, must agree with."""
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"needs an input with at least {axis + 1 if axis >= 0 else -axis} "
                f"axes besides the batch; got {words(shape)}"
            )
        found, given = shape[axis], getattr(self, field)
        if given is not None and given != found:
            raise MisfitError(
                f"has {field} = {given} but {found} come in with {words(shape)}", field, found
            )
        return found


_USUAL = {"channels": 4, "length": 8, "features": 8, "nodes": 5}


def trial(kind: type[Layer]) -> tuple[dict[str, Any], tuple[Shape, ...]]:
    """Parameters a new node has, and shapes of inputs that it then works with."""
    params = {
        name: field.examples[0]
        for name, field in kind.model_fields.items()
        if field.is_required() and field.examples
    }
    axes = kind.axes or ("channels", "rows", "columns")
    usual = tuple(_USUAL.get(axis, 8) for axis in axes)
    return params, kind.example or (usual,) * kind.inputs[0]


def words(shape: Sequence[int]) -> str:
    """A shape as people write it: `1 × 28 × 28`; a single number for an empty shape."""
    return " × ".join(str(size) for size in shape) if shape else "a single number"


def limited(
    default: Any = ...,
    low: float = 1,
    high: float = LARGEST,
    help: str = "",
    begin: float | None = None,
) -> Any:
    """A number with limits; without a default it is required, and a new node has `begin`."""
    return Field(default, ge=low, le=high, description=help, examples=_listed(begin))


def required(begin: Any, help: str = "") -> Any:
    """A parameter without a default; a new node has `begin`."""
    return Field(description=help, examples=_listed(begin))


def _listed(begin: Any) -> list[Any] | None:
    return None if begin is None else [begin]


def follows(axis: int, help: str = "") -> Any:
    """A size that follows from the first input's axis (the batch not counted) unless given."""
    return Field(None, ge=0, le=LARGEST, description=help, json_schema_extra={"axis": axis})


@functools.cache
def followers(layer: type[Layer]) -> dict[str, int]:
    """Parameter -> axis of the input it follows."""
    return {
        name: extra["axis"]
        for name, field in layer.model_fields.items()
        if "axis" in (extra := _extra(field))
    }


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


@functools.cache
def layers() -> Mapping[str, type[Layer]]:
    """Type -> layer, in the order of the files and of their lines.

    Raises:
        ValueError: Two layers have one name.
    """
    home = importlib.import_module("engine.network.layers")
    found: dict[str, type[Layer]] = {}
    for info in pkgutil.iter_modules(home.__path__):
        module = importlib.import_module(f"{home.__name__}.{info.name}")
        for name, thing in vars(module).items():
            if not _is_entry(thing, module.__name__):
                continue
            if name in found:
                raise ValueError(f"there are two layers {name!r}")
            found[name] = thing
    return types.MappingProxyType(found)


def _is_entry(thing: object, module: str) -> bool:
    return (
        isinstance(thing, type)
        and issubclass(thing, Layer)
        and thing.__module__ == module
        and not thing.__name__.startswith("_")
    )


def find(name: str) -> type[Layer]:
    """The layer of that type.

    Raises:
        LookupError: There is none; says which is near.
    """
    if name not in layers():
        raise LookupError(f"there is no layer {name!r:.80}{nearest(name, layers())}")
    return layers()[name]


def layer(name: str, params: Mapping[str, Any]) -> Layer:
    """A layer with its parameters checked.

    Raises:
        LookupError: There is no such layer.
        ValueError: A parameter is unknown or not allowed; says which and why.
    """
    kind = find(name)
    try:
        return kind.model_validate(dict(params))
    except ValidationError as error:
        raise ValueError(sentence(error, kind.model_fields)) from None


def factory(kind: type[Layer]) -> Callable[..., Any]:
    """The class of the module that a layer makes (imports torch)."""
    home = f"engine.network.modules.{kind.home}" if kind.home else "torch.nn"
    return typing.cast("Callable[..., Any]", getattr(importlib.import_module(home), kind.__name__))
