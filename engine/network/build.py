"""A spec made into a module that runs: the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import nn

from engine.network.graph import Plan, Source, Step
from engine.network.modules.cuts import begin, cut, places
from engine.network.registry import factory, find
from engine.network.spec import NetworkSpec
from engine.network.trace import Trace, trace

MOST_PARAMETERS = 200_000_000


class Network(nn.Module):
    """The network a spec describes; submodules are called as the nodes are.

    `forward` takes the inputs in the order of the spec's `Input` nodes and gives a tensor, or
    for a network with several outputs a dict of them by name.

    Attributes:
        spec: What it was built from.
    """

    def __init__(self, spec: NetworkSpec, traced: Trace) -> None:
        super().__init__()
        self.spec = spec
        self._layers: list[nn.Module] = []
        self._cuts: list[tuple[nn.Module, torch.Tensor]] = []
        self._reads: list[tuple[int, ...]] = []
        self._writes: list[tuple[int, ...]] = []
        plan = traced.plan
        slots = {(path, 0): place for place, path in enumerate(plan.inputs)}
        for step in plan.steps:
            if step.type != "Input":
                self._append(step, traced, slots)
        self._slots = len(slots)
        self._outputs = {name: slots[source] for name, source in plan.outputs.items()}
        self._only = next(iter(self._outputs.values())) if len(self._outputs) == 1 else None
        self._chain = self._is_chain(len(plan.inputs))
        self._quick = _pooled_first(self._layers)
        for step in plan.steps:
            _tie(self, step)
        for step in plan.steps:
            self._by_hand(step)

    def _by_hand(self, step: Step) -> None:
        """Weights that begin as somebody set them, and connections that are gone."""
        if not (step.start or step.cut):
            return
        layer = self.get_submodule(step.path)
        for index, value, name in step.start:
            begin(layer, name, (index, value))
        if step.cut:
            shape = cut(layer, *step.cut).get_parameter("weight").shape
            self._cuts.append((layer, places(shape, step.cut)))

    def train(self, mode: bool = True) -> Self:
        """As of every module; cut connections are cut again, whatever was loaded meanwhile."""
        self._hold()
        return super().train(mode)

    def _hold(self) -> None:
        for layer, gone in self._cuts:
            weight = layer.get_parameter("weight")
            here = gone.to(weight.device)
            if bool(weight.detach()[here].any()):
                with torch.no_grad():
                    weight.masked_fill_(here, 0)

    def _append(self, step: Step, traced: Trace, slots: dict[Source, int]) -> None:
        measured = traced.measured[step.path]
        module = factory(find(step.type))(**measured.arguments)
        if step.frozen:
            module.requires_grad_(False)
        _place(self, step.path, module)
        self._layers.append(module)
        self._reads.append(tuple(slots[source] for source in step.sources))
        for index in range(len(measured.outputs)):
            slots[step.path, index] = len(slots)
        self._writes.append(tuple(slots[step.path, i] for i in range(len(measured.outputs))))

    def _is_chain(self, inputs: int) -> bool:
        """Whether each layer takes just what the one before gives."""
        expected = 0
        for reads, writes in zip(self._reads, self._writes, strict=True):
            if reads != (expected,) or len(writes) != 1:
                return False
            expected = writes[0]
        return inputs == 1 and self._only == expected

    def _as_drawn(self) -> bool:
        """Whether somebody may look at single layers: a hook does, and so does an export."""
        if not (self.training or torch.is_inference_mode_enabled()):
            return True
        return any(layer._forward_hooks or layer._forward_pre_hooks for layer in self._layers)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor | dict[str, torch.Tensor]:
        """Inputs with the batch as first axis, to the output or the outputs by name."""
        if self._cuts and self.training:
            self._hold()  # an optimizer that mixes gradients may have moved them
        if self._chain:
            (x,) = inputs
            for layer in self._layers if self._as_drawn() else self._quick:
                x = layer(x)
            return x
        values = [*inputs, *[inputs[0]] * (self._slots - len(inputs))]
        for layer, reads, writes in zip(self._layers, self._reads, self._writes, strict=True):
            result = layer(*[values[slot] for slot in reads])
            if len(writes) == 1:
                values[writes[0]] = result[0] if isinstance(result, tuple) else result
            else:
                for slot, one in zip(writes, result, strict=True):
                    values[slot] = one
        if self._only is not None:
            return values[self._only]
        return {name: values[slot] for name, slot in self._outputs.items()}


def _pooled_first(layers: list[nn.Module]) -> list[nn.Module]:
    """The layers with each ReLU behind the max pooling that follows it: a quarter of the work.

    The largest of some numbers, rectified, is the largest of the rectified ones, and its gradient
    goes to the same place (nowhere if none is above zero), so every bit is the same.
    """
    found = list(layers)
    for place in range(len(found) - 1):
        one, other = found[place : place + 2]
        if type(one) is nn.ReLU and type(other) is nn.MaxPool2d and not other.return_indices:
            found[place : place + 2] = [other, one]
    return found


@dataclass(frozen=True, slots=True)
class Instruction:
    """One layer of a network's program: from which places it reads and to which it writes."""

    name: str
    module: nn.Module
    reads: tuple[int, ...]
    writes: tuple[int, ...]


# What follows are functions, not methods: a visitor may call a layer `program` or `answer`.


def program(network: Network) -> list[Instruction]:
    """The layers in the order they run.

    Inputs are in the first places, a layer's outputs in those it writes.
    """
    names = {module: name for name, module in network.named_modules()}
    rows = zip(network._layers, network._reads, network._writes, strict=True)
    return [Instruction(names[module], module, reads, writes) for module, reads, writes in rows]


def answer(network: Network, *, only: bool = False) -> int:
    """The place of the value that the network gives, the first of several.

    Raises:
        ValueError: It has several, and there must be one `only`.
    """
    if only and network._only is None:
        raise ValueError(f"the network must have one output; has {', '.join(network._outputs)}")
    return next(iter(network._outputs.values()))


def build(spec: NetworkSpec | Mapping[str, object] | str, limit: int = MOST_PARAMETERS) -> Network:
    """The network of a spec, freshly initialised from torch's generator.

    Args:
        spec: The spec, or the data or JSON text of one.
        limit: How many parameters it may have at most.

    Raises:
        ValueError: The spec describes no network that works, or one that is too large; nothing
            has been allocated then.
    """
    parsed = NetworkSpec.parse(spec)
    traced = trace(parsed)
    if traced.errors:
        raise ValueError(next(iter(traced.errors)).text)
    if traced.parameters > limit:
        raise ValueError(
            f"the network has {traced.parameters:,} parameters; at most {limit:,} are built here: "
            f"{traced.largest} has the most; make it smaller"
        )
    return Network(parsed, traced)


def _place(root: nn.Module, path: str, module: nn.Module) -> None:
    """Put a module at a dotted path, making the modules above it."""
    *above, name = path.split(".")
    for part in above:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    root.add_module(name, module)


def _tie(root: nn.Module, step: Step) -> None:
    if step.tied:
        owner = root.get_submodule(step.tied)
        root.get_submodule(step.path).register_parameter("weight", owner.get_parameter("weight"))


__all__ = ["MOST_PARAMETERS", "Network", "Plan", "build"]
