"""Back-propagation on one sample, layer by layer, with the network's own numbers.

Forward, each layer gives `z` for what came in; at the end stands the loss. Back, the loss's
gradient `g = ∂L/∂z` passes each layer by the chain rule, leaving on its way the gradients of its
weights. The rules are written out in `engine/understand/slopes`; what has none there is passed by
PyTorch.

Source: Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import nn

from engine.network.build import Network, answer, program
from engine.training.objective import Objective
from engine.understand.slopes import rule

Tensor = torch.Tensor


@dataclass(frozen=True)
class Stop:
    """One layer on the way.

    Attributes:
        name: What the layer is called.
        layer: The layer itself.
        inputs: What came in, each `(1, ...)`.
        output: What came out, `(1, ...)`.
        formula: Forward and back, or that PyTorch computes it.
        by_hand: Whether the slope is written out here.
        error: The loss's gradient by the output.
        passed: The loss's gradient by the first input; None where it is no number to change.
        weights: The loss's gradients by the layer's own weights.
    """

    name: str
    layer: nn.Module
    inputs: tuple[Tensor, ...]
    output: Tensor
    formula: str
    by_hand: bool
    error: Tensor
    passed: Tensor | None
    weights: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Walk:
    """A sample's way through a network and back.

    Attributes:
        stops: The layers in the order in which they run.
        scores: What the network says.
        loss: How wrong that is.
        error: The loss's gradient by the scores, where the way back begins.
    """

    stops: tuple[Stop, ...]
    scores: Tensor
    loss: float
    error: Tensor


def walk(module: Network, given: tuple[Tensor, ...], y: Tensor, objective: Objective) -> Walk:
    """Take one sample forward and back.

    Args:
        module: The network, in eval mode, with one output.
        given: Its inputs, each `(1, ...)`.
        y: The answer, `(1,)` or `(1, outputs)`.
        objective: Whose loss begins the way back.

    Raises:
        ValueError: It has several outputs.
    """
    end = answer(module, only=True)
    values: dict[int, Tensor] = dict(enumerate(given))
    with torch.no_grad():
        for step in program(module):
            result = step.module(*[values[slot] for slot in step.reads])
            many = result if isinstance(result, tuple) else (result,)
            values.update(zip(step.writes, many, strict=False))
    scores = values[end].detach().requires_grad_()
    loss = objective.loss(scores, y)
    (error,) = torch.autograd.grad(loss, scores)
    return Walk(_back(module, values, end, error), scores.detach(), float(loss.detach()), error)


def _back(
    module: Network, values: Mapping[int, Tensor], end: int, error: Tensor
) -> tuple[Stop, ...]:
    """From the end to the beginning, adding up what comes back along several ways."""
    errors: dict[int, Tensor] = {end: error}
    stops: list[Stop] = []
    for step in reversed(program(module)):
        inputs = tuple(values[slot] for slot in step.reads)
        output = values[step.writes[0]]
        g = errors.get(step.writes[0], torch.zeros_like(output))
        back, own, words = _passed(step.module, inputs, output, g, len(step.writes))
        for slot, part in zip(step.reads, back, strict=True):
            if part is not None:
                errors[slot] = errors[slot] + part if slot in errors else part
        by_hand = not words.startswith("PyTorch")
        stops.append(Stop(step.name, step.module, inputs, output, words, by_hand, g, back[0], own))
    return tuple(reversed(stops))


def _passed(
    layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, g: Tensor, outputs: int
) -> tuple[list[Tensor | None], Mapping[str, Tensor], str]:
    """What goes on back along each input, the weights' gradients, and the rule in words."""
    found = rule(layer) if len(inputs) == 1 and outputs == 1 else None
    if found is not None:
        try:
            with torch.no_grad():
                passed, own = found.slope(layer, inputs[0], output, g)
        except NotImplementedError:
            pass  # a variant that is not written out
        else:
            whole = not inputs[0].is_floating_point()
            return [None if whole else passed], own, found.formula
    back, own = _by_pytorch(layer, inputs, g)
    return back, own, f"PyTorch computes the slope of {type(layer).__name__}"


def _by_pytorch(
    layer: nn.Module, inputs: tuple[Tensor, ...], g: Tensor
) -> tuple[list[Tensor | None], dict[str, Tensor]]:
    movable = [one.detach().requires_grad_() if one.is_floating_point() else one for one in inputs]
    out = layer(*movable)
    out = out[0] if isinstance(out, tuple) else out
    named = dict(layer.named_parameters())
    wanted = [one for one in movable if one.requires_grad] + list(named.values())
    if not wanted or not out.requires_grad:
        return [torch.zeros_like(one) if one.is_floating_point() else None for one in inputs], {}
    found = list(torch.autograd.grad(out, wanted, g, allow_unused=True))
    back: list[Tensor | None] = []
    for one in movable:
        part = found.pop(0) if one.requires_grad else None
        back.append(torch.zeros_like(one) if part is None and one.requires_grad else part)
    pairs = zip(named, found, strict=True)
    return back, {name: part for name, part in pairs if part is not None}
