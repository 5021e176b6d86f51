"""A network that reads only what is new: keys, values and states of the rest are kept.

Without it a text of n tokens costs the network `1 + 2 + ... + n` places; with it n.

Source: Shazeer (2019), Fast transformer decoding: one write-head is all you need.
"""

from __future__ import annotations

from typing import Any

import torch

from engine.generate.steps import Kept, UnkeepableError, step
from engine.network.build import Network, answer, program

Tensor = torch.Tensor
CLOSE = 1e-3  # how far scores may be from those without a cache, as a part of the largest


class Cache:
    """A network's memory of a text that grows.

    The network's last input is the text; inputs before it (a source to translate) are read once.
    What was read, place by place, is in `kept`.
    """

    def __init__(self, network: Network, *fixed: Tensor) -> None:
        self._network = network
        self._inputs = len(fixed) + 1
        self._fixed: dict[int, Tensor] = dict(enumerate(fixed))
        self._growing = _growing(network, len(fixed))
        self._steps = [
            (step.dispatch(type(one.module)), one.module, one.name, one.reads, one.writes)
            for one in program(network)
            if one.writes[0] in self._growing
        ]
        self.length = 0
        self.kept: dict[str, Kept] = {}
        self._read_once()

    def read(self, tokens: Tensor) -> Tensor:
        """New tokens, `(1, new)`, to the scores at their places, `(1, new, tokens)`.

        Raises:
            UnkeepableError: A layer reads all places anew.
        """
        values: dict[int, Any] = {**self._fixed, self._inputs - 1: tokens}
        for take, layer, name, reads, writes in self._steps:
            kept = self.kept.setdefault(name, {})
            given = [values[place] for place in reads]
            _write(values, writes, take(layer, kept, self.length, *given))
        self.length += tokens.shape[1]
        scores: Tensor = values[answer(self._network)]
        return scores

    def clear(self) -> None:
        """Forget the text, not the source."""
        self.length = 0
        self.kept = {}

    @property
    def numbers(self) -> int:
        """How many numbers are kept."""
        return sum(tensor.numel() for kept in self.kept.values() for tensor in kept.values())

    def _read_once(self) -> None:
        """What the layers make of the source alone."""
        values: dict[int, Any] = dict(self._fixed)
        for one in program(self._network):
            if one.writes[0] not in self._growing:
                _write(values, one.writes, one.module(*[values[place] for place in one.reads]))
        self._fixed = values


def misfit(network: Network, tokens: Tensor, *fixed: Tensor) -> str:
    """Why the network cannot be used with a cache, in words; empty if it can.

    The tokens, `(1, n)`, are read in pieces and at once, and the scores must agree.
    """
    try:
        cache = Cache(network, *fixed)
        parts = [cache.read(part) for part in tokens.tensor_split(min(3, tokens.shape[1]), 1)]
        whole = network(*fixed, tokens)
    except UnkeepableError as error:
        return str(error)
    except (RuntimeError, ValueError) as error:
        return f"its layers do not run in pieces ({str(error).splitlines()[0]:.120})"
    if not isinstance(whole, Tensor):
        return "it has several outputs"
    gap = (torch.cat(parts, 1) - whole).abs().max() / whole.abs().max().clamp_min(1e-6)
    return "" if float(gap) < CLOSE else "in pieces it gives other scores than at once"


def _growing(network: Network, text: int) -> set[int]:
    """The numbers of the values that depend on the text."""
    found = {text}
    for one in program(network):
        if found.intersection(one.reads):
            found.update(one.writes)
    return found


def _write(values: dict[int, Any], writes: tuple[int, ...], result: Any) -> None:
    if len(writes) == 1:
        values[writes[0]] = result[0] if isinstance(result, tuple) else result
        return
    values.update(zip(writes, result, strict=True))
