"""State spaces walked place by place: what is let in, what is kept, what is read out.

The layers themselves answer for all places at once, by a long convolution or a parallel scan;
here the recurrence is written out, with the layer's own weights, and gives the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.network.modules.state_space import S4D, Mamba


@dataclass(frozen=True)
class Walk:
    """A state space's way along one sequence.

    Attributes:
        output: What the layer gives, `(1, length, features)`.
        states: The state after each place, `(length, channels, states)`; complex for S4D.
        kept: The factor of each part of the state at each place, like `states`.
        let_in: What each place adds to the state, like `states`.
        read: By what the state is multiplied to be read: `(length, 1 or channels, states)`.
        parts: Name -> values at each place, `(length, ...)`: what is chosen from what is read.
        inputs: The last inputs of the convolution before the scan; empty without one.
    """

    output: Tensor
    states: Tensor
    kept: Tensor
    let_in: Tensor
    read: Tensor
    parts: Mapping[str, Tensor]
    inputs: Tensor


def s4d(layer: S4D, x: Tensor, state: Tensor | None = None) -> Walk:
    """`h ← exp(Δ A) ⊙ h + x`, `y = 2 Re(Σ C ⊙ h) + D x`: the same at every place.

    Source: Gu et al. (2022), On the parameterization and initialization of diagonal state space
    models.
    """
    moved, gain = layer.discrete()  # (features, half); B is folded into C
    decay = moved.exp()
    now = torch.zeros_like(decay) if state is None else state
    states: list[Tensor] = []
    for signal in x[0]:
        now = decay * now + signal[:, None]
        states.append(now)
    found = torch.stack(states)
    output = 2 * torch.real((gain * found).sum(-1)) + layer.skip * x[0]
    return Walk(
        output=output[None],
        states=found,
        kept=decay.expand_as(found),
        let_in=x[0][..., None].expand_as(found),
        read=gain.expand_as(found),
        parts={"step Δ": layer.log_step.exp().expand(len(found), -1)},
        inputs=x.new_zeros(0),
    )


def mamba(
    layer: Mamba, x: Tensor, state: Tensor | None = None, inputs: Tensor | None = None
) -> Walk:
    """`h ← exp(Δ A) ⊙ h + Δ B u`, `y = C h + D u`, with `Δ`, `B` and `C` made from what is read.

    A large `Δ` lets a token in and forgets what was there; a small one passes it over.

    Source: Gu & Dao (2023), Mamba: linear-time sequence modeling with selective state spaces.
    """
    signal, gate = layer.in_proj(x).chunk(2, -1)
    conv, width = layer.conv1d, layer.conv1d.weight.shape[-1]
    before = signal.new_zeros(1, width - 1, signal.shape[-1]) if inputs is None else inputs
    stretch = torch.cat([before, signal], 1)  # (1, width - 1 + length, inner)
    mixed = functional.conv1d(stretch.transpose(1, 2), conv.weight, conv.bias, groups=conv.groups)
    u = functional.silu(mixed.transpose(1, 2))
    step, into, out = layer.x_proj(u).split([layer.rank, layer.states, layer.states], -1)
    step = functional.softplus(layer.dt_proj(step))[0]  # (length, inner)
    into, out, u = into[0], out[0], u[0]
    kept = (step[..., None] * -layer.A_log.exp()).exp()  # (length, inner, states)
    let_in = (step * u)[..., None] * into[:, None]
    now = torch.zeros_like(kept[0]) if state is None else state
    states: list[Tensor] = []
    for factor, flow in zip(kept, let_in, strict=True):
        now = factor * now + flow
        states.append(now)
    found = torch.stack(states)
    y = (found * out[:, None]).sum(-1) + layer.D * u
    return Walk(
        output=layer.out_proj(y[None] * functional.silu(gate)),
        states=found,
        kept=kept,
        let_in=let_in,
        read=out[:, None],
        parts={"step Δ": step, "into B": into, "out C": out},
        inputs=stretch[:, stretch.shape[1] - (width - 1) :],
    )


def reach(walk: Walk, channel: int) -> Tensor:
    """How much each place still says at each later one, `(length, length)`: later ones are rows.

    `α(t, s) = C_t Π exp(Δ A) (what s let in)`, the products over all places between.

    Source: Ali, Zimerman & Wolf (2024), The hidden attention of Mamba models.
    """
    length = len(walk.kept)
    kept, let_in = walk.kept[:, channel], walk.let_in[:, channel]  # (length, states)
    read = walk.read[:, min(channel, walk.read.shape[1] - 1)]
    found = torch.zeros(length, length)
    alive = torch.zeros(length, kept.shape[1], dtype=kept.dtype)  # what is left of each place
    for place in range(length):
        alive = alive * kept[place]
        alive[place] = let_in[place]
        said = (read[place] * alive).sum(-1)
        found[place] = 2 * said.real if said.is_complex() else said
    return found


def memory_span(walk: Walk) -> Tensor:
    """After how many places half of a state is forgotten, by the factor at each place: `(length,)`.

    The median over channels and states.
    """
    factor = walk.kept.abs().flatten(1).clamp(1e-6, 1 - 1e-6)
    return (torch.log(torch.tensor(0.5)) / factor.log()).median(1).values
