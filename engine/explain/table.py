"""The table of explainers: `explain(module, x, target, **settings) -> like x`.

Facts of an entry: `family` (gradient, layer, neuron or perturbation), `complete` (its numbers
claim to sum to f(x) − f(baseline)), `sampled` (it draws random numbers), `classless` (it shows a
map even for a network that says the same to everything), and `cost`, how many samples it sends
through the network (see `engine.explain.cost`). A method that compares with real samples has a
parameter `references`, `(n, ...)` like `x`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeGuard

import torch
from torch import nn

from engine.tables import Entry, Table

explainers = Table("explainer", "engine.explain.methods")

Target = int | torch.Tensor
"""The output to explain: one for all samples, or one a sample, `(batch,)`."""

Explain = Callable[..., torch.Tensor]

_told: ContextVar[dict[str, float] | None] = ContextVar("told", default=None)


@contextmanager
def listening() -> Iterator[dict[str, float]]:
    """Within, what methods tell of their own error is put into the mapping."""
    found: dict[str, float] = {}
    token = _told.set(found)
    try:
        yield found
    finally:
        _told.reset(token)


def tell(name: str, value: float) -> None:
    """A method's own word on its error, for instance the R² of its fit; the worst sample counts."""
    found = _told.get()
    if found is not None:
        found[name] = min(value, found.get(name, value))


def explainer(name: str, **facts: Any) -> Callable[[Explain], Explain]:
    """Put an explainer into the table; it will always see a calm module and a sound request."""

    def wrap(explain: Explain) -> Explain:
        @functools.wraps(explain)
        def asked(module: nn.Module, x: torch.Tensor, target: Target, **settings: Any) -> Any:
            _refuse(name, x)
            with calm(module):
                wanted = torch.as_tensor(target).expand(len(x)).long()
                result = explain(module, x.detach(), wanted, **settings)
            return result.detach()

        return explainers.add(name, **facts)(asked)

    return wrap


def compares(entry: Entry) -> bool:
    """Whether a method compares with real samples of the data, its parameter `references`."""
    return "references" in inspect.signature(entry.function).parameters


@contextmanager
def calm(module: nn.Module) -> Iterator[nn.Module]:
    """The module in eval mode and with no gradients for its weights; both are put back after."""
    parts = list(module.modules())
    # only what must change is touched: this is a third of the time of a small network's GradCAM
    learning = [part for part in parts if part.training]
    modes = [(part, part.training) for part in parts] if learning else []
    wanted = [weight for part in parts for weight in part._parameters.values() if _learns(weight)]
    if learning:
        module.eval()
    for weight in wanted:
        weight.requires_grad_(False)
    try:
        yield module
    finally:
        for part, mode in modes:
            part.training = mode
        for weight in wanted:
            weight.requires_grad_(True)


def _learns(weight: nn.Parameter | None) -> TypeGuard[nn.Parameter]:
    return weight is not None and weight.requires_grad


def score(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The explained output of each sample, `(batch,)`, before any softmax.

    Raises:
        ValueError: The network has no such output.
    """
    answers = module(x)
    if not isinstance(answers, torch.Tensor) or answers.ndim != 2:
        raise ValueError("explain: needs a network with one row of scores a sample")
    if int(target.min()) < 0 or int(target.max()) >= answers.shape[1]:
        raise ValueError(
            f"explain: target must be an output 0 to {answers.shape[1] - 1}; got "
            f"{int(target.max())}"
        )
    return answers.gather(1, target[:, None])[:, 0]


def slope(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Gradient of each sample's explained output with respect to the sample, like `x`."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        total = score(module, x, target).sum()
        if not total.requires_grad:  # a network that ignores its input
            return torch.zeros_like(x)
        (gradient,) = torch.autograd.grad(total, x, allow_unused=True)
    return torch.zeros_like(x) if gradient is None else gradient


def _refuse(name: str, x: torch.Tensor) -> None:
    if not x.is_floating_point() or x.ndim < 2:
        raise ValueError(
            f"{name}: explains batches of real numbers, (batch, ...); got {x.dtype} of shape "
            f"{tuple(x.shape)}"
        )
