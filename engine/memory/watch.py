"""A network run with some of its layers written out, so that what they carry can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from engine.memory.cells import Pass, Recurrent, unroll
from engine.network.modules.recurrent import GRU, LSTM, RNN

_Found = TypeVar("_Found")


def layers(network: nn.Module, *kinds: type[nn.Module]) -> dict[str, nn.Module]:
    """Name -> layer, of some kinds, in the order of the network."""
    return {name: part for name, part in network.named_modules() if isinstance(part, kinds)}


def recurrent(network: nn.Module) -> dict[str, nn.Module]:
    """Name -> recurrent layer."""
    return layers(network, RNN, GRU, LSTM)


@contextmanager
def instead(
    found: dict[str, nn.Module], written_out: Callable[[Any, Any], tuple[object, _Found]]
) -> Iterator[dict[str, _Found]]:
    """While this holds, the layers answer through `written_out(layer, inputs)`.

    That gives what the layer would give, which goes on through the network (gradients too), and
    what was seen on the way, which is kept by the layer's name.
    """
    seen: dict[str, _Found] = {}
    hooks = []
    for name, layer in found.items():

        def hook(part: nn.Module, given: Any, given_out: object, name: str = name) -> object:
            del given_out
            outputs, seen[name] = written_out(part, given)
            return outputs

        hooks.append(layer.register_forward_hook(hook))
    try:
        yield seen
    finally:
        for hook_ in hooks:
            hook_.remove()


def passes(network: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, dict[str, list[Pass]]]:
    """The network's answer, and what went on in each of its recurrent layers.

    Args:
        network: In eval mode.
        inputs: One sample, `(1, ...)` each.
    """

    def written_out(layer: Recurrent, given: Sequence[Tensor]) -> tuple[object, list[Pass]]:
        return unroll(layer, *given)

    with instead(recurrent(network), written_out) as seen, torch.enable_grad():
        answer: Tensor = network(*inputs)
    return answer, seen


def fading(score: Tensor, one: Pass) -> list[float]:
    """How much a score depends on the state at each place: the length of `∂score/∂h`.

    Where it falls by a factor at each place back, gradients vanish and nothing can be learnt from
    what stands far away.

    Source: Hochreiter (1991); Bengio, Simard & Frasconi (1994), Learning long-term dependencies
    with gradient descent is difficult.
    """
    slopes = torch.autograd.grad(score, one.states, retain_graph=True, allow_unused=True)
    return [0.0 if slope is None else float(slope.norm()) for slope in slopes]
