"""Where a loss that is no number comes from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def first_sick(module: nn.Module, given: Sequence[torch.Tensor]) -> str:
    """The name of the first layer whose output is not finite for these inputs, or nothing."""
    found: list[str] = []
    names = {part: name for name, part in module.named_modules()}

    def watch(part: nn.Module, _: object, out: object) -> None:
        if isinstance(out, torch.Tensor) and not bool(out.isfinite().all()):
            found.append(names[part])

    leaves = [part for part in module.modules() if not any(part.children())]
    hooks = [part.register_forward_hook(watch) for part in leaves]
    with torch.no_grad():
        module(*given)
    for hook in hooks:
        hook.remove()
    return found[0] if found else ""


def diagnose(module: nn.Module, given: Sequence[torch.Tensor], rate: float) -> str:
    """Where it began and what to do, in a sentence or two."""
    layer = first_sick(module, given)
    sick = [n for n, p in module.named_parameters() if not bool(p.isfinite().all())]
    where = f"; the first layer whose output is not finite is {layer}" if layer else ""
    weights = f", whose weights {sick[0]} are not finite either" if sick else ""
    return (
        f"training: the loss is no longer a finite number{where}{weights}. The steps are too "
        f"large: take a learning rate of {rate / 10:.2g} instead of {rate:.2g}"
    )
