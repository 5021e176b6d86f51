"""Update rules: how a gradient moves a weight.

Each rule is a pure function `rule(w, g, memory, ...) -> (w, memory)` in the symbols of its paper:
`w` the weights, `g` the gradient of the loss there (same shape, any shape), `η` the learning rate.
The memory begins as `Memory()`; what comes back is handed in at the next step. All arithmetic is
elementwise, so a whole network may be one flat vector. `RULES` names them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Memory:
    """What a rule remembers between two steps.

    Attributes:
        t: How many steps were made.
        m: Running mean of gradients (a velocity for momentum), shaped like the weights.
        v: Running size of gradients: a sum, mean or maximum, shaped like the weights.
        product: Product of Nadam's momenta so far.
    """

    t: int = 0
    m: Tensor | float = 0.0
    v: Tensor | float = 0.0
    product: float = 1.0


Rule = Callable[..., tuple[Tensor, Memory]]


def sgd(
    w: Tensor, g: Tensor, memory: Memory, learning_rate: float = 0.1, weight_decay: float = 0.0
) -> tuple[Tensor, Memory]:
    """Step against the gradient: `w ← w − η (g + λ w)`, `λ` the weight decay.

    Source: Robbins & Monro (1951), A stochastic approximation method.
    """
    return w - learning_rate * (g + weight_decay * w), replace(memory, t=memory.t + 1)


def momentum(
    w: Tensor, g: Tensor, memory: Memory, learning_rate: float = 0.1, beta: float = 0.9
) -> tuple[Tensor, Memory]:
    """Roll on like a heavy ball: `m ← β m + g`, `w ← w − η m`.

    Source: Polyak (1964), Some methods of speeding up the convergence of iteration methods.
    """
    m = beta * memory.m + g
    return w - learning_rate * m, Memory(memory.t + 1, m)


def nesterov(
    w: Tensor, g: Tensor, memory: Memory, learning_rate: float = 0.1, beta: float = 0.9
) -> tuple[Tensor, Memory]:
    """Momentum that looks ahead: `m ← β m + g`, `w ← w − η (g + β m)`.

    The weights kept here are the ones looked ahead to, so the gradient is taken at `w` itself.

    Source: Nesterov (1983), A method for solving the convex programming problem with
    convergence rate O(1/k²); Sutskever et al. (2013), On the importance of initialization and
    momentum in deep learning.
    """
    m = beta * memory.m + g
    return w - learning_rate * (g + beta * m), Memory(memory.t + 1, m)


def adagrad(
    w: Tensor, g: Tensor, memory: Memory, learning_rate: float = 0.1, epsilon: float = 1e-10
) -> tuple[Tensor, Memory]:
    """Divide by the root of all squares so far: `v ← v + g²`, `w ← w − η g / (√v + ε)`.

    Source: Duchi, Hazan & Singer (2011), Adaptive subgradient methods for online learning.
    """
    v = memory.v + g**2
    return w - learning_rate * g / (v.sqrt() + epsilon), Memory(memory.t + 1, v=v)


def rmsprop(
    w: Tensor,
    g: Tensor,
    memory: Memory,
    learning_rate: float = 0.01,
    beta: float = 0.99,
    epsilon: float = 1e-8,
) -> tuple[Tensor, Memory]:
    """AdaGrad that forgets: `v ← β v + (1 − β) g²`, `w ← w − η g / (√v + ε)`.

    Source: Tieleman & Hinton (2012), Lecture 6.5: rmsprop.
    """
    v = beta * memory.v + (1 - beta) * g**2
    return w - learning_rate * g / (v.sqrt() + epsilon), Memory(memory.t + 1, v=v)


def adam(
    w: Tensor,
    g: Tensor,
    memory: Memory,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.0,
    correct: bool = True,
) -> tuple[Tensor, Memory]:
    """Momentum over RMSProp: `w ← w − η m̂ / (√v̂ + ε)`.

    `m ← β₁ m + (1 − β₁) g` and `v ← β₂ v + (1 − β₂) g²` begin at zero and are too small at
    first; `m̂ = m / (1 − β₁ᵗ)` and `v̂ = v / (1 − β₂ᵗ)` correct that. `weight_decay` is the old
    L2 kind, added to the gradient.

    Source: Kingma & Ba (2015), Adam: A method for stochastic optimization.
    """
    t, g = memory.t + 1, g + weight_decay * w
    m = beta1 * memory.m + (1 - beta1) * g
    v = beta2 * memory.v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t) if correct else m
    v_hat = v / (1 - beta2**t) if correct else v
    return w - learning_rate * m_hat / (v_hat.sqrt() + epsilon), Memory(t, m, v)


def adamw(
    w: Tensor,
    g: Tensor,
    memory: Memory,
    learning_rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> tuple[Tensor, Memory]:
    """Adam with the decay beside the gradient, not in it: first `w ← w − η λ w`, then Adam.

    Source: Loshchilov & Hutter (2019), Decoupled weight decay regularization.
    """
    w = w - learning_rate * weight_decay * w
    return adam(w, g, memory, learning_rate, beta1, beta2, epsilon)


def nadam(
    w: Tensor,
    g: Tensor,
    memory: Memory,
    learning_rate: float = 0.002,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    decay: float = 0.004,
) -> tuple[Tensor, Memory]:
    """Adam with Nesterov's look-ahead: the fresh gradient counts once more.

    The momentum warms up, `μₜ = β₁ (1 − ½ · 0.96^(t · decay))`, and the step is
    `η (μₜ₊₁ m / (1 − ∏μ·μₜ₊₁) + (1 − μₜ) g / (1 − ∏μ)) / (√v̂ + ε)`.

    Source: Dozat (2016), Incorporating Nesterov momentum into Adam.
    """
    t = memory.t + 1
    now, following = (beta1 * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
    product = memory.product * now
    m = beta1 * memory.m + (1 - beta1) * g
    v = beta2 * memory.v + (1 - beta2) * g**2
    ahead = following * m / (1 - product * following) + (1 - now) * g / (1 - product)
    root = (v / (1 - beta2**t)).sqrt() + epsilon
    return w - learning_rate * ahead / root, Memory(t, m, v, product)


def adamax(
    w: Tensor,
    g: Tensor,
    memory: Memory,
    learning_rate: float = 0.002,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Tensor, Memory]:
    """Adam with the largest gradient in place of the mean square: `v ← max(β₂ v, |g| + ε)`.

    Source: Kingma & Ba (2015), Adam: A method for stochastic optimization, section 7.
    """
    t = memory.t + 1
    m = beta1 * memory.m + (1 - beta1) * g
    v = torch.maximum(beta2 * torch.as_tensor(memory.v).to(g), g.abs() + epsilon)
    return w - learning_rate * m / ((1 - beta1**t) * v), Memory(t, m, v)


RULES: dict[str, Rule] = {
    "SGD": sgd,
    "momentum": momentum,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": rmsprop,
    "Adam": adam,
    "AdamW": adamw,
    "Nadam": nadam,
    "AdaMax": adamax,
}
