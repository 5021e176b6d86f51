"""What comes out of a layer, by running its real module on the meta device.

Nothing is allocated: a tensor there has a shape and no numbers. Results are kept, so an edit
runs only what it changed.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.network.layers.graph import Input
from engine.network.registry import Layer, MisfitError, Shape, factory, layer, words

BATCH = 2  # examples run through; the result is told for one
MOST_NUMBERS = 1_000_000_000  # in one example

Kind = Literal["float", "token", "truth"]


@dataclass(frozen=True, slots=True)
class Signal:
    """What flows along an edge: its shape without the batch, and what its numbers are."""

    shape: Shape
    kind: Kind = "float"

    @property
    def memory(self) -> int:
        """Bytes for one example."""
        size = {"float": 4, "token": 8, "truth": 1}[self.kind]
        return size * math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Window:
    """How far a layer looks along each axis of an image."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """A layer that works.

    Attributes:
        outputs: What comes out.
        weights: Name -> how many numbers, of every parameter.
        sizes: Name -> its axes, of every parameter.
        flops: Multiplications and additions for one example.
        arguments: What the module is constructed with.
        code: The line that constructs it.
        window: How far it looks, for layers that look through one.
    """

    outputs: tuple[Signal, ...]
    weights: Mapping[str, int]
    flops: int
    arguments: Mapping[str, Any]
    code: str
    window: Window | None
    sizes: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class Failed:
    """A layer that does not work.

    Attributes:
        text: Why, in words.
        field: The parameter that is at odds with the input, or "".
        found: What that parameter would have to be.
    """

    text: str
    field: str = ""
    found: int = 0


def measure(type: str, params: Mapping[str, Any], inputs: Sequence[Signal]) -> Measured | Failed:
    """Run a layer without allocating anything, or say why it cannot be run."""
    return _measure(type, json.dumps(params, sort_keys=True), tuple(inputs))


@functools.lru_cache(maxsize=20_000)
def _measure(type: str, params: str, inputs: tuple[Signal, ...]) -> Measured | Failed:
    try:
        chosen = layer(type, json.loads(params))
        if isinstance(problem := _count(chosen, inputs), Failed):
            return problem
        if isinstance(chosen, Input):
            return _input(chosen.shape, chosen.dtype)
        arguments = chosen.arguments([signal.shape for signal in inputs])
        return _run(chosen, arguments, inputs)
    except MisfitError as error:
        return Failed(str(error), error.field, error.found)
    except (ValueError, LookupError) as error:
        return Failed(str(error.args[0]))


def _count(chosen: Layer, inputs: Sequence[Signal]) -> Failed | None:
    few, many = chosen.inputs
    if few <= len(inputs) and (many is None or len(inputs) <= many):
        return None
    if not inputs:
        return Failed("has no input; draw an edge to it")
    wanted = str(few) if few == many else f"{few} to {many}" if many else f"at least {few}"
    return Failed(f"takes {wanted} input{'s' * (wanted != '1')}; {len(inputs)} come in")


def _input(shape: Sequence[int] | None, kind: Kind) -> Measured | Failed:
    if shape is None:
        return Failed("needs a shape, such as [1, 28, 28]")
    if math.prod(shape) > MOST_NUMBERS:
        return Failed(f"one example would be {arithmetic(shape)} numbers; at most {MOST_NUMBERS:,}")
    return Measured((Signal(tuple(shape), kind),), {}, 0, {}, "", None)


def _run(chosen: Layer, arguments: dict[str, Any], inputs: Sequence[Signal]) -> Measured | Failed:
    """Run a layer; one that goes from place to place on two short inputs, told for the long one.

    Every place adds the same to the shapes and to the work, and hundreds of them take seconds.
    """
    length = inputs[0].shape[0] if chosen.recurs and inputs[0].shape else 0
    if length <= 3:
        return _run_all(chosen, arguments, inputs)
    two, three = (
        _run_all(chosen, arguments, [replace(first, shape=(places, *first.shape[1:])), *rest])
        for first, *rest in [inputs]
        for places in (2, 3)
    )
    if isinstance(two, Failed) or isinstance(three, Failed):
        return two
    outputs = tuple(
        replace(
            a,
            shape=tuple(n + (length - 2) * (m - n) for n, m in zip(a.shape, b.shape, strict=True)),
        )
        for a, b in zip(two.outputs, three.outputs, strict=True)
    )
    flops = two.flops + (length - 2) * (three.flops - two.flops)
    return replace(two, outputs=outputs, flops=flops)


def _run_all(
    chosen: Layer, arguments: dict[str, Any], inputs: Sequence[Signal]
) -> Measured | Failed:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    kinds: dict[Kind, torch.dtype] = {
        "float": torch.float32,
        "token": torch.int64,
        "truth": torch.bool,
    }
    names: dict[torch.dtype, Kind] = {dtype: kind for kind, dtype in kinds.items()}
    try:
        with torch.device("meta"), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of hints for a run that does not happen here
            module = factory(type(chosen))(**arguments)
            given = [torch.empty(BATCH, *s.shape, dtype=kinds[s.kind]) for s in inputs]
            with FlopCounterMode(display=False) as counter:
                results = module(*given)
    except Exception as error:  # noqa: BLE001 - whatever a module says against its input is told
        return Failed(_plain(error))
    outputs = results if isinstance(results, tuple) else (results,)
    for result in outputs:
        if result.shape[:1] != (BATCH,):
            return Failed(f"mixes the examples of a batch: {BATCH} come in, {result.shape} go out")
    signals = tuple(Signal(tuple(r.shape[1:]), names.get(r.dtype, "float")) for r in outputs)
    for signal in signals:
        if math.prod(signal.shape) > MOST_NUMBERS:
            text = arithmetic(signal.shape)
            return Failed(f"one example would give {text} numbers; at most {MOST_NUMBERS:,}")
    head, parts = construction(chosen, arguments)
    parameters = list(module.named_parameters())
    return Measured(
        outputs=signals,
        weights={name: weight.numel() for name, weight in parameters},
        flops=counter.get_total_flops() // BATCH,
        arguments=arguments,
        code=f"{head}({', '.join(parts)})",
        window=_window(chosen, module),
        sizes={name: tuple(weight.shape) for name, weight in parameters},
    )


def _plain(error: Exception) -> str:
    """The first line of what a module says, without what it says of its own insides."""
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    return text[:300]


def _window(chosen: Layer, module: Any) -> Window | None:
    if chosen.reach != "window":
        return None
    axes = len(chosen.axes or ()) - 1
    kernel = _each(module.kernel_size, axes)
    stride = _each(getattr(module, "stride", None) or kernel, axes)  # a pool's own default
    dilation = _each(getattr(module, "dilation", 1), axes)
    return Window(kernel, stride, dilation)


def _each(sizes: Any, axes: int) -> tuple[int, ...]:
    return (int(sizes),) * axes if isinstance(sizes, int) else tuple(sizes)


def construction(chosen: Layer, arguments: Mapping[str, Any]) -> tuple[str, list[str]]:
    """How Python constructs a layer's module: `nn.Conv2d` and `["1", "6", "kernel_size=5"]`.

    Arguments at their default are left out; the first two without a default stand without name.
    """
    parts: list[str] = []
    for place, parameter in enumerate(signature(factory(type(chosen)))):
        if parameter.name not in arguments:
            continue
        value = arguments[parameter.name]
        value = tuple(value) if isinstance(value, list) else value
        if parameter.default is parameter.empty and place < 2 and len(parts) == place:
            parts.append(literal(value))
        elif value != parameter.default:
            parts.append(f"{parameter.name}={literal(value)}")
    name = type(chosen).__name__
    return name if chosen.home else f"nn.{name}", parts


def literal(value: object) -> str:
    """A value as ruff would write it: text in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


@functools.cache
def signature(made: Any) -> tuple[inspect.Parameter, ...]:
    """The parameters of a module's constructor."""
    return tuple(inspect.signature(made).parameters.values())


def arithmetic(shape: Sequence[int]) -> str:
    """A shape's product in numbers: `16 × 5 × 5 = 400`."""
    product = f"{math.prod(shape):,}"
    return f"{words(shape)} = {product}" if len(shape) > 1 else product
