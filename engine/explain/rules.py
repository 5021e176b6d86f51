"""Other rules than the derivative for what passes back through an activation.

Guided backprop and DeepLift replace how activations and max pooling pass a signal back. That
works only where each of them is a module of its own, used once a pass and not in place; a
network in which that is not so is refused with the reason, because it would give wrong numbers
without a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

ELEMENTWISE = (
    nn.ReLU,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.SELU,
    nn.CELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Sigmoid,
    nn.Tanh,
    nn.Softplus,
    nn.Softsign,
    nn.Hardtanh,
    nn.ReLU6,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.LogSigmoid,
    nn.Tanhshrink,
)
BENDING = {  # operators that are no straight line, by the name torch gives them
    "relu", "leaky_relu", "prelu", "_prelu_kernel", "elu", "gelu", "silu", "mish", "sigmoid",
    "tanh", "softplus", "hardtanh", "hardswish", "hardsigmoid", "log_sigmoid_forward",
    "max_pool2d_with_indices", "exp", "log", "pow", "clamp", "clamp_min", "abs", "sqrt",
    "maximum", "minimum",
}  # fmt: skip

Rule = Callable[..., Any]


@contextmanager
def guided(who: str, module: nn.Module, x: torch.Tensor, *, plain: bool = False) -> Iterator[None]:
    """Within, ReLUs pass back only what is positive.

    Args:
        who: The method, for messages.
        module: The network.
        x: Samples, to see how the network uses its layers.
        plain: Whether the sign of what went forward is ignored (deconvolution).
    """
    refuse_hidden(who, module, x)
    rule = _Deconvolved if plain else _Guided
    parts = [part for part in module.modules() if isinstance(part, nn.ReLU)]
    with replaced(dict.fromkeys(parts, rule.apply)):
        yield


@contextmanager
def rescaled(who: str, module: nn.Module, x: torch.Tensor) -> Iterator[None]:
    """Within, the first half of a batch is compared with the second: DeepLift's rescale rule."""
    refuse_hidden(who, module, x)
    rules: dict[nn.Module, Rule] = {}
    for part in module.modules():
        if isinstance(part, ELEMENTWISE):
            rules[part] = _bind(_Rescaled.apply, part.forward)
        elif isinstance(part, nn.MaxPool2d):
            rules[part] = _bind(_RescaledPool.apply, part)
    with replaced(rules):
        yield


@contextmanager
def proportional(who: str, module: nn.Module, x: torch.Tensor) -> Iterator[None]:
    """Within, activations pass back times `out / in`: the ε-rule of relevance propagation."""
    refuse_hidden(who, module, x)
    parts = [part for part in module.modules() if isinstance(part, ELEMENTWISE)]
    with replaced({part: _bind(_Proportional.apply, part.forward) for part in parts}):
        yield


@contextmanager
def replaced(rules: dict[nn.Module, Rule]) -> Iterator[None]:
    """Within, each of the modules computes by its rule."""
    try:
        for part, rule in rules.items():
            part.forward = rule
        yield
    finally:
        for part in rules:
            part.__dict__.pop("forward", None)


def refuse_hidden(who: str, module: nn.Module, x: torch.Tensor) -> None:
    """Do nothing if every activation of the network is a module used once and not in place.

    Raises:
        ValueError: One is not; names it and the reason.
    """
    names = {part: name for name, part in module.named_modules()}
    calls: dict[nn.Module, int] = {}
    watch = _Watch()
    kinds = (*ELEMENTWISE, nn.MaxPool2d)
    hooks: list[Any] = []
    for part in names:
        if isinstance(part, kinds):
            if getattr(part, "inplace", False):
                raise ValueError(
                    f"{who}: {names[part]} works in place, which hides what went into it; build "
                    f"it with inplace=False"
                )
            hooks.append(part.register_forward_pre_hook(lambda p, _i: watch.enter(p, calls)))
            hooks.append(part.register_forward_hook(lambda _p, _i, _o: watch.leave()))
        elif not any(part.children()) and not type(part).__module__.startswith("engine."):
            # other layers of torch (Softmax, norms) bend inside; they keep their derivative
            hooks.append(part.register_forward_pre_hook(lambda _p, _i: watch.enter(None, calls)))
            hooks.append(part.register_forward_hook(lambda _p, _i, _o: watch.leave()))
    try:
        with torch.no_grad(), watch:
            module(x[:1])
    finally:
        for hook in hooks:
            hook.remove()
    again = [names[part] for part, count in calls.items() if count > 1]
    if again:
        raise ValueError(
            f"{who}: {again[0]} is used {calls[module.get_submodule(again[0])]} times a pass; "
            f"give each use a node of its own"
        )
    if watch.hidden:
        raise ValueError(
            f"{who}: the network calls {watch.hidden[0]} as a function, where its rule cannot be "
            f"changed; use a node (such as ReLU) for it"
        )


class _Watch(TorchDispatchMode):
    """Notes operators that are no straight line and that run outside of known layers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.depth = 0
        self.hidden: list[str] = []

    def enter(self, part: nn.Module | None, calls: dict[nn.Module, int]) -> None:
        self.depth += 1
        if part is not None:
            calls[part] = calls.get(part, 0) + 1

    def leave(self) -> None:
        self.depth -= 1

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        name = func.overloadpacket.__name__.removesuffix("_")
        if self.depth == 0 and name in BENDING:
            self.hidden.append(name)
        return func(*args, **(kwargs or {}))


def _bind(rule: Rule, first: object) -> Rule:
    return lambda z: rule(z, first)


class _Guided(torch.autograd.Function):
    """Passes back what is positive, where what went forward was positive."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(z)
        return z.relu()

    @staticmethod
    def backward(ctx: Any, *upper: torch.Tensor) -> torch.Tensor:
        (z,) = ctx.saved_tensors
        passed: torch.Tensor = upper[0].relu() * (z > 0)
        return passed


class _Deconvolved(torch.autograd.Function):
    """Passes back what is positive."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        del ctx
        return z.relu()

    @staticmethod
    def backward(ctx: Any, *upper: torch.Tensor) -> torch.Tensor:
        del ctx
        return upper[0].relu()


class _Proportional(torch.autograd.Function):
    """Passes back times `out / in`, the slope of the straight line from the origin."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, activation: Rule) -> torch.Tensor:
        y: torch.Tensor = activation(z)
        stable = z + torch.where(z >= 0, NARROW, -NARROW)
        ctx.save_for_backward(y / stable)
        return y

    @staticmethod
    def backward(ctx: Any, *upper: torch.Tensor) -> tuple[torch.Tensor, None]:
        (quotient,) = ctx.saved_tensors
        return upper[0] * quotient, None


NARROW = 1e-6  # differences of inputs below which the derivative stands for the quotient


class _Rescaled(torch.autograd.Function):
    """Passes back times `Δout / Δin`, the slope between sample and baseline."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, activation: Rule) -> torch.Tensor:
        y: torch.Tensor = activation(z)
        with torch.enable_grad():
            twin = z.detach().requires_grad_()
            (steepness,) = torch.autograd.grad(activation(twin).sum(), twin)
        dz, dy = _difference(z), _difference(y)
        far = dz.abs() > NARROW
        quotient = torch.where(
            far, dy / torch.where(far, dz, torch.ones_like(dz)), _first(steepness)
        )
        ctx.save_for_backward(torch.cat([quotient, quotient]))
        return y

    @staticmethod
    def backward(ctx: Any, *upper: torch.Tensor) -> tuple[torch.Tensor, None]:
        (quotient,) = ctx.saved_tensors
        return upper[0] * quotient, None


class _RescaledPool(torch.autograd.Function):
    """Gives the difference of two maxima to the places that won them, over their own difference.

    With `m` the larger of the two maxima, `m − out′` goes to the sample's winner and `out − m` to
    the baseline's: whatever the places, the parts sum to the difference of the maxima.
    """

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, pool: nn.MaxPool2d) -> torch.Tensor:
        y, winners = functional.max_pool2d(
            z, pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.ceil_mode,
            return_indices=True,
        )  # fmt: skip
        ctx.save_for_backward(z, y, winners)
        return y

    @staticmethod
    def backward(ctx: Any, *upper: torch.Tensor) -> tuple[torch.Tensor, None]:
        z, y, winners = ctx.saved_tensors
        signal = _first(upper[0])
        out, base = y.chunk(2)
        larger = torch.maximum(out, base)
        dz = _difference(z)
        parts = torch.zeros_like(dz).flatten(2)
        own, other = winners.flatten(2).chunk(2)
        parts.scatter_add_(2, own, (signal * (larger - base)).flatten(2))
        parts.scatter_add_(2, other, (signal * (out - larger)).flatten(2))
        parts = parts.reshape(dz.shape)
        far = dz.abs() > NARROW
        multiplier = torch.where(far, parts / torch.where(far, dz, torch.ones_like(dz)), 0 * dz)
        return torch.cat([multiplier, multiplier]), None


def _first(pair: torch.Tensor) -> torch.Tensor:
    return pair.chunk(2)[0]


def _difference(pair: torch.Tensor) -> torch.Tensor:
    sample, baseline = pair.chunk(2)
    return sample - baseline
