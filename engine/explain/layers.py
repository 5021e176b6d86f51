"""A layer of a network by name, and what flows through it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from engine.explain.table import score

_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Hardswish)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)


def find_layer(who: str, module: nn.Module, name: str) -> nn.Module:
    """The layer of that name; an empty name is the last convolution with its activation.

    The paper of Grad-CAM weighs rectified maps. Before the activation most values are negative,
    and the map is often zero everywhere: on our LeNet for 3 of 30 digits, after it for none.

    Raises:
        LookupError: There is none of that name; says which is near.
        ValueError: None was named and the network has no convolution.
    """
    parts: dict[str, nn.Module] = dict(module.named_modules())
    for known in (name, f"inner.{name}"):  # `inner` is the network inside an adapter
        if name and known in parts:
            named: nn.Module = parts[known]
            return named
    if name:
        near = difflib.get_close_matches(name, parts, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise LookupError(f"{who}: no layer {name!r:.80}{hint}")
    leaves = [part for part in parts.values() if not any(part.children())]
    places = [place for place, part in enumerate(leaves) if isinstance(part, _CONVOLUTIONS)]
    if not places:
        raise ValueError(
            f"{who}: needs a layer with rows and columns (or the length of a series), and this "
            f"network has no Conv2d or Conv1d; take "
            f"integrated_gradients or kernel_shap, which need none"
        )
    for following in leaves[places[-1] + 1 :]:
        if isinstance(following, _ACTIVATIONS):
            return following
        if not isinstance(following, nn.BatchNorm1d | nn.BatchNorm2d):
            break
    return leaves[places[-1]]


def any_layer(who: str, module: nn.Module, name: str) -> nn.Module:
    """The layer of that name; an empty name is the last convolution, or what the last layer reads.

    Raises:
        LookupError: There is none of that name.
        ValueError: The network has no layer but its last.
    """
    parts: list[tuple[str, nn.Module]] = list(module.named_modules())
    if name or any(isinstance(part, _CONVOLUTIONS) for _, part in parts):
        return find_layer(who, module, name)
    leaves = [part for _, part in parts if part is not module and not any(part.children())]
    dense = [place for place, part in enumerate(leaves) if isinstance(part, nn.Linear)]
    if not dense or not dense[-1]:
        raise ValueError(f"{who}: the network has no layer inside; name one")
    return leaves[dense[-1] - 1]


def flow(
    who: str, module: nn.Module, layer: nn.Module, x: torch.Tensor, target: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a layer of maps gives for `x` and its gradient, both `(batch, channels, *places)`.

    Raises:
        ValueError: The layer has no places of the input's kind, or is not used exactly once.
    """
    maps, gradient = inside(who, module, layer, x, target)
    if maps.ndim != x.ndim or x.ndim < 3:
        what = "a length" if x.ndim == 3 else "rows and columns"
        raise ValueError(
            f"{who}: needs a layer with {what}; this one gives {list(maps.shape[1:])}. "
            f"Choose a convolution"
        )
    return maps, gradient


def inside(
    who: str, module: nn.Module, layer: nn.Module, x: torch.Tensor, target: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a layer gives for `x` and the score's gradient there, both `(batch, *layer)`.

    Raises:
        ValueError: The layer is not used exactly once.
    """
    seen: list[torch.Tensor] = []

    def begin_here(_layer: nn.Module, _inputs: object, out: object) -> object:
        """Let the graph of the gradient begin at this layer: nothing before it is needed."""
        if not isinstance(out, torch.Tensor):
            seen.append(torch.empty(0))
            return out
        seen.append(out.detach().requires_grad_())
        return seen[-1].clone()  # a copy, so that an activation may work in place

    with hooked(layer, begin_here), torch.enable_grad():
        total = score(module, x.detach(), target).sum()
    once(who, seen)
    values = seen[0].detach()
    if not total.requires_grad:  # the scores do not depend on this layer
        return values, torch.zeros_like(values)
    (gradient,) = torch.autograd.grad(total, seen[0])
    return values, gradient


@contextmanager
def hooked(layer: nn.Module, hook: Callable[[nn.Module, Any, Any], object]) -> Iterator[None]:
    """Within, `hook(layer, inputs, output)` sees, and may replace, what the layer gives."""
    handle = layer.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def once(who: str, seen: list[torch.Tensor]) -> torch.Tensor:
    """The only tensor a layer gave in a pass.

    Raises:
        ValueError: It gave none, several, or no tensor.
    """
    if len(seen) != 1:
        raise ValueError(f"{who}: the layer must be used once a pass; it is used {len(seen)} times")
    if not seen[0].numel():
        raise ValueError(f"{who}: the layer gives several results; choose one that gives one")
    return seen[0]
