"""Every attention that a module computes, seen and perhaps changed while it runs.

Attention is known by what is computed, not by who computes it: a call of torch's
`scaled_dot_product_attention` (so do torch's own layers, ours and Hugging Face's), or a softmax
over the last axis whose result is multiplied with something. Nothing is known of the module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.attention.catch import Catch, Edit, Kind, Seen, What

__all__ = ["Edit", "Kind", "Seen", "Sight", "What", "answer_of", "look"]

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True)
class Sight:
    """What one run of a module showed.

    Attributes:
        answer: What it gave: `(batch, outputs)` or `(batch, places, outputs)`.
        layers: Its attentions, in the order in which they were computed.
        outputs: Path -> what that submodule gave, for those asked for.
    """

    answer: Tensor
    layers: tuple[Seen, ...]
    outputs: Mapping[str, Tensor]

    def find(self, name: str) -> Seen:
        """The attention of that name.

        Raises:
            LookupError: There is none; says which there are.
        """
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers) or "none"
        raise LookupError(f"no attention layer {name!r:.80}; there are: {known}")


def look(
    module: nn.Module,
    inputs: Sequence[Tensor] | Mapping[str, Tensor],
    *,
    edits: Sequence[Edit] = (),
    outputs: Collection[str] = (),
    shallow: bool = False,
) -> Sight:
    """Run a module as it is (in eval mode) and see its attentions.

    Args:
        module: Any module.
        inputs: What it takes, by order or by name.
        edits: What to change on the way, in this order.
        outputs: Paths of submodules whose outputs to keep.
        shallow: Whether only outputs are wanted and attentions need not be kept.
    """
    modes = {part: part.training for part in module.modules()}
    module.eval()
    watch = Catch(edits, frozenset(outputs), keep=not shallow)
    try:
        with watch.on(module), _slow_path(), watch:
            result = module(**inputs) if isinstance(inputs, Mapping) else module(*inputs)
    finally:
        for part, mode in modes.items():
            part.training = mode
    return Sight(answer_of(result), tuple(watch.seen), watch.outputs)


def answer_of(result: Any) -> Tensor:
    """The tensor that matters of whatever a network gives."""
    if isinstance(result, Tensor):
        return result
    for name in ("logits", "last_hidden_state"):
        if isinstance(found := getattr(result, name, None), Tensor):
            return found
    values = list(result.values()) if isinstance(result, Mapping) else list(result)
    found = next((one for one in values if isinstance(one, Tensor)), None)
    if found is None:
        raise ValueError("look inside: needs a network that gives a tensor")
    return found


@contextmanager
def _slow_path() -> Iterator[None]:
    """Torch's fused encoder layer hides its attention: not while we look."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
