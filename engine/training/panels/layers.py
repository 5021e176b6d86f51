"""What happens inside, layer by layer: weights, activations, gradients, steps, dead units."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from engine.training.panels import MOST_LAYERS, SAMPLES, Memory, outputs, panels, weighty
from engine.training.session import Session
from engine.views import Array, Bars, Histogram, Tiles, View

MOST_FILTERS = 64
BINS = 40
_OFF = (nn.ReLU, nn.ReLU6, nn.Hardswish)  # activations with units that can die


@panels.add("filters", place=7, shown=True)
def filters(session: Session, memory: Memory) -> View | None:
    """The first layer's weights as pictures."""
    if "weight" not in memory:
        memory["weight"] = _filter_weight(session)
    weight = memory["weight"]
    if weight is None:
        return None
    images = weight.detach()
    if images.ndim == 2:
        images = images.reshape(-1, *session.data.shape)
    tiles = images.reshape(-1, *images.shape[-2:])[:MOST_FILTERS]
    return Tiles(tiles.numpy().copy(), scale="signed", title="weights of the first layer")


@panels.add("maps", place=9, shown=False)
def maps(session: Session, memory: Memory) -> View | None:
    """What the first convolution makes of one validation sample."""
    del memory
    if session.data.kind != "image":
        return None
    found = outputs(session, session.data.valid_x[:1])
    first = next((name for name, out in found.items() if out.ndim == 4), None)
    if first is None:
        return None
    after = list(found)[list(found).index(first) + 1 :][:1]
    name = after[0] if after and found[after[0]].shape == found[first].shape else first
    tiles = found[name][0][:MOST_FILTERS].float().numpy().copy()
    return Tiles(tiles, scale="sequential", title=f"one validation sample after {name}")


@panels.add("gradients", place=8, shown=True)
def gradients(session: Session, memory: Memory) -> View | None:
    """Length of each layer's gradient at the last step."""
    owned = memory.setdefault("owned", weighty(session.module))
    if all(p.grad is None for own in owned.values() for p in own):
        return None  # a step of the past: its gradient is gone
    lengths = [
        math.hypot(*(float(torch.linalg.vector_norm(p.grad)) for p in own if p.grad is not None))
        for own in owned.values()
    ]
    heights = {"gradient": np.array(lengths)}
    return Bars(tuple(owned), heights, ylabel="norm of the gradient", log=True)


@panels.add("updates", place=16, shown=False)
def updates(session: Session, memory: Memory) -> View:
    """How far each layer's weights move in a step, against their size; 0.001 is healthy.

    Source: Karpathy (2016), CS231n: ratio of weights to updates.
    """
    owned = weighty(session.module)
    now = {name: torch.cat([p.detach().flatten() for p in own]) for name, own in owned.items()}
    before, step = memory.get("weights"), memory.get("step", session.step)
    memory["weights"] = {name: one.clone() for name, one in now.items()}
    memory["step"] = session.step
    taken = session.step - step
    if before is None or not taken:
        ratios = memory.get("ratios", np.full(len(now), np.nan))
    else:
        ratios = np.array(
            [
                float((one - before[name]).norm() / one.norm().clamp_min(1e-12)) / taken
                for name, one in now.items()
            ]
        )
    memory["ratios"] = ratios
    words = "change a step / size of the weights"
    level = {"healthy: about 0.001": 1e-3}
    return Bars(tuple(now), {"since the last picture": ratios}, ylabel=words, log=True, level=level)


@panels.add("weights", place=13, shown=False)
def weights(session: Session, memory: Memory) -> View:
    """How each layer's weights are spread."""
    del memory
    named = {name: own[0].detach() for name, own in weighty(session.module).items()}
    return _spread({name: one for name, one in named.items() if one.ndim > 1}, "weight")


@panels.add("activations", place=14, shown=False)
def activations(session: Session, memory: Memory) -> View:
    """How what each layer gives is spread, over some validation samples."""
    del memory
    found = outputs(session, session.data.valid_x[:SAMPLES])
    return _spread({name: out for name, out in found.items() if out.ndim > 1}, "activation")


@panels.add("slopes", place=15, shown=False)
def slopes(session: Session, memory: Memory) -> View:
    """How each layer's gradient is spread at the last step."""
    del memory
    found = {
        name: own[0].grad
        for name, own in weighty(session.module).items()
        if own[0].grad is not None and own[0].ndim > 1
    }
    return _spread(found, "gradient")


@panels.add("dead", place=17, shown=False, slow=True)
def dead(session: Session, memory: Memory) -> View | None:
    """Which part of each ReLU layer gives nothing for any of some validation samples."""
    del memory
    found = silent(session)
    if not found:
        return None
    heights = {"dead": 100 * np.array(list(found.values()))}
    return Bars(tuple(found), heights, ylabel="units that never fire [%]")


def silent(session: Session) -> dict[str, float]:
    """Layer of rectifiers -> the part of its units that never fires on some validation samples.

    Units are the features of vectors and sequences, the channels of pictures.
    """
    parts = dict(session.module.named_modules())
    found: dict[str, float] = {}
    for name, out in outputs(session, session.data.valid_x[: 4 * SAMPLES]).items():
        if isinstance(parts[name], _OFF):
            axis = 1 if out.ndim == 4 else out.ndim - 1
            never = (out.transpose(axis, -1).flatten(0, -2) <= 0).all(0)
            found[name] = float(never.float().mean())
    return found


def _spread(named: dict[str, torch.Tensor], words: str) -> Histogram:
    """Densities of up to eight layers' numbers over common edges."""
    chosen = list(named.items())[:: max(1, -(-len(named) // MOST_LAYERS))]
    numbers: dict[str, Array] = {
        name: np.nan_to_num(one.detach().float().flatten()[:20_000].numpy()) for name, one in chosen
    }
    if not numbers:
        return Histogram(np.array([0.0, 1.0]), {}, xlabel=words)
    ends = [np.quantile(one, (0.002, 0.998)) for one in numbers.values()]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    edges = np.linspace(low, high if high > low else low + 1e-6, BINS + 1)
    counts = {name: np.histogram(one, edges, density=True)[0] for name, one in numbers.items()}
    return Histogram(edges, counts, xlabel=words, ylabel="density")


def _filter_weight(session: Session) -> torch.Tensor | None:
    """The first convolution's weight, or the first linear layer's if it sees the whole picture."""
    if session.data.kind != "image":
        return None
    for part in session.module.modules():
        if isinstance(part, nn.Conv2d):
            return part.weight
        if isinstance(part, nn.Linear):
            fits = part.in_features == torch.Size(session.data.shape).numel()
            return part.weight if fits else None
    return None
