"""A layer of a network by name, and what flows through it."""

from __future__ import annotations

import difflib

import torch
from torch import nn

from engine.explain.table import score

_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Hardswish)


def find_layer(who: str, module: nn.Module, name: str) -> nn.Module:
    """The layer of that name; an empty name is the last convolution with its activation.

    The paper of Grad-CAM weighs rectified maps. Before the activation most values are negative,
    and the map is often zero everywhere: on our LeNet for 3 of 30 digits, after it for none.

    Raises:
        LookupError: There is none of that name; says which is near.
        ValueError: None was named and the network has no convolution.
    """
    parts: dict[str, nn.Module] = dict(module.named_modules())
    if name and name in parts:
        return parts[name]
    if name:
        near = difflib.get_close_matches(name, parts, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise LookupError(f"{who}: no layer {name!r:.80}{hint}")
    leaves = [part for part in parts.values() if not any(part.children())]
    places = [place for place, part in enumerate(leaves) if isinstance(part, nn.Conv2d)]
    if not places:
        raise ValueError(
            f"{who}: needs a layer with rows and columns, and this network has no Conv2d; take "
            f"integrated_gradients or kernel_shap, which need none"
        )
    for following in leaves[places[-1] + 1 :]:
        if isinstance(following, _ACTIVATIONS):
            return following
        if not isinstance(following, nn.BatchNorm2d):
            break
    return leaves[places[-1]]


def flow(
    who: str, module: nn.Module, layer: nn.Module, x: torch.Tensor, target: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What a layer gives for `x` and its gradient, both `(batch, channels, rows, columns)`.

    Raises:
        ValueError: The layer has no rows and columns, or is not used exactly once.
    """
    seen: list[torch.Tensor] = []

    def begin_here(_layer: nn.Module, _inputs: object, out: object) -> object:
        """Let the graph of the gradient begin at this layer: nothing before it is needed."""
        if not isinstance(out, torch.Tensor):
            seen.append(torch.empty(0))
            return out
        seen.append(out.detach().requires_grad_())
        return seen[-1].clone()  # a copy, so that an activation may work in place

    hook = layer.register_forward_hook(begin_here)
    try:
        with torch.enable_grad():
            total = score(module, x.detach(), target).sum()
    finally:
        hook.remove()
    if len(seen) != 1:
        raise ValueError(f"{who}: the layer must be used once a pass; it is used {len(seen)} times")
    if seen[0].ndim != 4:
        raise ValueError(
            f"{who}: needs a layer with rows and columns; this one gives "
            f"{list(seen[0].shape[1:])}. "
            f"Choose a convolution"
        )
    maps = seen[0].detach()
    if not total.requires_grad:  # the scores do not depend on this layer
        return maps, torch.zeros_like(maps)
    (gradient,) = torch.autograd.grad(total, seen[0])
    return maps, gradient
