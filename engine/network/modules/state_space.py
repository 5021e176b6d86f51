"""Sequence layers without attention: state spaces, retention and RWKV's time mixing."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor


def scan(decay: Tensor, inflow: Tensor) -> Tensor:
    """`h_t = decay_t h_(t-1) + inflow_t` for all t at once, along axis 1, from `h = 0`.

    Where one place is much work it goes from place to place: on a processor that was 25 times as
    fast. Else it doubles the reach of each step, so a sequence of n takes log2(n) of them.
    """
    if inflow.device.type == "cpu" and inflow[:, 0].numel() >= 512:
        state, states = torch.zeros_like(inflow[:, 0]), []
        for factor, new in zip(decay.unbind(1), inflow.unbind(1), strict=True):
            state = factor * state + new
            states.append(state)
        return torch.stack(states, 1)
    reach = 1
    while reach < inflow.shape[1]:
        later = inflow[:, reach:] + decay[:, reach:] * inflow[:, :-reach]
        inflow = torch.cat([inflow[:, :reach], later], 1)
        decay = torch.cat([decay[:, :reach], decay[:, reach:] * decay[:, :-reach]], 1)
        reach *= 2
    return inflow


class S4D(nn.Module):
    """A diagonal linear state space for each feature, run as one long convolution."""

    def __init__(self, features: int, states: int = 64) -> None:
        super().__init__()
        span = math.log(0.1) - math.log(0.001)
        self.log_step = nn.Parameter(torch.rand(features) * span + math.log(0.001))
        half = max(1, states // 2)  # the other half are their conjugates
        self.log_real = nn.Parameter(torch.full((features, half), math.log(0.5)))
        frequencies = math.pi * torch.arange(half, dtype=torch.float32)
        self.imaginary = nn.Parameter(frequencies.repeat(features, 1))
        self.output = nn.Parameter(torch.randn(features, half, 2) * 0.5**0.5)
        self.skip = nn.Parameter(torch.randn(features))

    def discrete(self) -> tuple[Tensor, Tensor]:
        """The state's factor a step, and what an input adds to the output: `(features, half)`."""
        rate = torch.complex(-self.log_real.exp(), self.imaginary)
        moved: Tensor = rate * self.log_step.exp()[:, None]
        # Zero-order hold with B = 1, folded into C.
        gain: Tensor = torch.view_as_complex(self.output) * (moved.exp() - 1) / rate
        return moved, gain

    def kernel(self, length: int) -> Tensor:
        """The answer to an impulse: `(features, length)`."""
        moved, gain = self.discrete()
        places = torch.arange(length, device=moved.device)
        powers = (moved[..., None] * places).exp()  # (features, half, length)
        return 2 * torch.real((gain[..., None] * powers).sum(1))

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        length = x.shape[1]
        signal = x.transpose(1, 2)
        answer = torch.fft.rfft(self.kernel(length), n=2 * length)
        y: Tensor = torch.fft.irfft(torch.fft.rfft(signal, n=2 * length) * answer, n=2 * length)
        return (y[..., :length] + signal * self.skip[:, None]).transpose(1, 2)


class Mamba(nn.Module):
    """A state space whose steps and gates depend on what is read."""

    def __init__(
        self, features: int, states: int = 16, expand: int = 2, kernel: int = 4, rank: int = 0
    ) -> None:
        super().__init__()
        inner = expand * features
        self.rank, self.states = rank or math.ceil(features / 16), states
        self.in_proj = nn.Linear(features, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, kernel, groups=inner, padding=kernel - 1)
        self.x_proj = nn.Linear(inner, self.rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        start = torch.arange(1, states + 1, dtype=torch.float32)
        self.A_log = nn.Parameter(start.log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        length = x.shape[1]
        signal, gate = self.in_proj(x).chunk(2, -1)
        causal = self.conv1d(signal.transpose(1, 2))[..., :length].transpose(1, 2)
        signal = functional.silu(causal)
        result: Tensor = self.out_proj(self.select(signal) * functional.silu(gate))
        return result

    def select(self, u: Tensor) -> Tensor:
        """The selective state space: `(batch, length, inner)` to the same shape."""
        step, into, out = self.x_proj(u).split([self.rank, self.states, self.states], -1)
        step = functional.softplus(self.dt_proj(step))  # (batch, length, inner)
        decay = (step[..., None] * -self.A_log.exp()).exp()  # (batch, length, inner, states)
        inflow = (step * u)[..., None] * into[:, :, None]
        states = scan(decay, inflow)
        return torch.sum(states * out[:, :, None], -1) + self.D * u


class Retention(nn.Module):
    """Attention without softmax that forgets at a fixed rate, so it is a recurrence too."""

    def __init__(self, features: int, heads: int, expand: int = 2) -> None:
        super().__init__()
        if features % (2 * heads):
            raise ValueError(f"{features} features make no pairs for {heads} heads")
        self.heads = heads
        self.query = nn.Linear(features, features, bias=False)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, expand * features, bias=False)
        self.gate = nn.Linear(features, expand * features, bias=False)
        self.norm = nn.GroupNorm(heads, expand * features, affine=False)
        self.out = nn.Linear(expand * features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        return self.finish(x, self.parallel(*self.project(x)))

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key, value: `(batch, heads, length, size)`, the first two turned by place."""
        parts = (self.query(x), self.key(x), self.value(x))
        query, key, value = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in parts)
        return self.turn(query), self.turn(key) * key.shape[-1] ** -0.5, value

    def turn(self, x: Tensor) -> Tensor:
        """Pairs of features turned by angles that grow with the place."""
        length, size = x.shape[-2:]
        speed = 10_000.0 ** (-torch.arange(0, size, 2, device=x.device) / size)
        angle = torch.arange(length, device=x.device)[:, None] * speed
        even, odd, cos, sin = x[..., 0::2], x[..., 1::2], angle.cos(), angle.sin()
        return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)

    def decay(self, like: Tensor) -> Tensor:
        """How much of the state each head keeps a step: `1 - 2^(-5), 1 - 2^(-6), ...`."""
        return 1 - 2.0 ** (-5 - torch.arange(self.heads, device=like.device, dtype=like.dtype))

    def parallel(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """All places at once: `(Q Kᵀ ⊙ D) V`."""
        place = torch.arange(query.shape[2], device=query.device)
        distance = place[:, None] - place
        kept = self.decay(query)[:, None, None] ** distance.clamp(min=0)
        scores = query @ key.transpose(-1, -2) * kept * (distance >= 0)
        return scores @ value

    def recurrent(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Place by place: `S ← γ S + kᵀ v`, `q S`."""
        state = query.new_zeros(*query.shape[:2], query.shape[-1], value.shape[-1])
        outputs: list[Tensor] = []
        for place in range(query.shape[2]):
            outer = key[:, :, place, :, None] * value[:, :, place, None]
            state = self.decay(query)[:, None, None] * state + outer
            outputs.append((query[:, :, place, None] @ state).squeeze(-2))
        return torch.stack(outputs, 2)

    def finish(self, x: Tensor, retained: Tensor) -> Tensor:
        """Each head normalised, gated and mixed."""
        joined = retained.transpose(1, 2).flatten(2)  # (batch, length, expand * features)
        normal = self.norm(joined.flatten(0, 1)).view_as(joined)
        result: Tensor = self.out(functional.silu(self.gate(x)) * normal)
        return result


class RWKVTimeMixing(nn.Module):
    """A weighted mean of the past whose weights fade, gated by what is read."""

    def __init__(self, features: int) -> None:
        super().__init__()
        even = torch.linspace(0, 1, features)
        self.time_decay = nn.Parameter(-5 + 8 * even**0.7)
        self.time_first = nn.Parameter(torch.full((features,), math.log(0.3)))
        self.time_mix_k = nn.Parameter(even.clone())
        self.time_mix_v = nn.Parameter(even.clone())
        self.time_mix_r = nn.Parameter(0.5 * even)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, features, bias=False)
        self.receptance = nn.Linear(features, features, bias=False)
        self.output = nn.Linear(features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        before = functional.pad(x, (0, 0, 1, -1))
        key = self.key(torch.lerp(before, x, self.time_mix_k))
        value = self.value(torch.lerp(before, x, self.time_mix_v))
        gate = torch.sigmoid(self.receptance(torch.lerp(before, x, self.time_mix_r)))
        result: Tensor = self.output(gate * self.mean(key, value))
        return result

    def mean(self, key: Tensor, value: Tensor) -> Tensor:
        """The weighted mean of this place and all before it."""
        weight = (key - key.amax(1, keepdim=True)).exp()  # the largest cancels in the quotient
        decay = (-self.time_decay.exp()).exp().expand_as(key)
        past = functional.pad(scan(decay, weight * value), (0, 0, 1, -1))
        total = functional.pad(scan(decay, weight), (0, 0, 1, -1))
        now = self.time_first.exp() * weight
        return (past + now * value) / (total + now + 1e-30)


class RWKVChannelMixing(nn.Module):
    """A feed-forward part that also sees the place before, gated by what is read."""

    def __init__(self, features: int, expand: int = 4) -> None:
        super().__init__()
        even = torch.linspace(0, 1, features)
        self.time_mix_k = nn.Parameter(even.clone())
        self.time_mix_r = nn.Parameter(even.clone())
        self.key = nn.Linear(features, expand * features, bias=False)
        self.receptance = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(expand * features, features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, length, features)` to the same shape."""
        before = functional.pad(x, (0, 0, 1, -1))
        key = torch.relu(self.key(torch.lerp(before, x, self.time_mix_k))).square()
        gate = torch.sigmoid(self.receptance(torch.lerp(before, x, self.time_mix_r)))
        result: Tensor = gate * self.value(key)
        return result
