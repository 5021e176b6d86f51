"""The logit lens: what the network would answer if it ended after each of its layers.

What it knows then lies in one stream of vectors that layers read from and add to. The stream after
an early layer is put in the place of the stream after the last one; what follows there, a norm and
a matrix, reads it as it is used to. So nothing needs to be known of how the network ends.

Source: nostalgebraist (2020), Interpreting GPT: the logit lens.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from engine.attention.edits import patch
from engine.attention.watch import Edit, Seen, look
from engine.network.build import Network
from engine.network.graph import Plan, Step, lay_out

Tensor = torch.Tensor


def stream(module: nn.Module, layers: Sequence[Seen]) -> tuple[str, ...]:
    """Paths of submodules after which all that is known lies in one place, in order.

    In a network of ours these are the layers that every way from the last input to the output
    passes, and at which ways meet or attention is paid. In any other module they are the members
    of its longest list of blocks with attention.
    """
    names = [layer.name.partition("#")[0] for layer in layers]
    if isinstance(module, Network):
        return _narrows(lay_out(module.spec), names)
    return _blocks(module, names)


def lens(
    module: nn.Module,
    inputs: Sequence[Tensor],
    points: Sequence[str],
    edits: Sequence[Edit] = (),
) -> tuple[Tensor, tuple[str, ...]]:
    """What the network says if it ends after each point, `(points, [places,] outputs)`, and which.

    Points at which the stream has another shape than at the last one are passed over.

    Raises:
        ValueError: There is no such stream.
    """
    with torch.no_grad():
        outputs = look(module, inputs, edits=edits, outputs=points, shallow=True).outputs
        known = [point for point in points if point in outputs]
        if not known:
            raise ValueError(
                "lens: this network has no stream of vectors that all of its layers write to"
            )
        last = outputs[known[-1]]
        kept = tuple(point for point in known if outputs[point].shape == last.shape)
        stack = torch.cat([outputs[point] for point in kept])  # (points, n, features)
        many = [one.repeat(len(kept), *[1] * (one.ndim - 1)) for one in inputs]
        return look(module, many, edits=[patch(kept[-1], stack)], shallow=True).answer, kept


def _narrows(plan: Plan, names: Sequence[str]) -> tuple[str, ...]:
    """Steps that every way from the last input to the first output passes and that join."""
    if not plan.outputs or not plan.inputs:
        return ()
    begin, (end, _) = plan.inputs[-1], next(iter(plan.outputs.values()))
    steps = {step.path: step for step in plan.steps}
    before = {path: {source for source, _ in step.sources} for path, step in steps.items()}
    there = _ways(list(steps), before, begin)
    after: dict[str, set[str]] = {path: set() for path in steps}
    for path, sources in before.items():
        for source in sources:
            after[source].add(path)
    back = _ways(list(reversed(steps)), after, end)
    passed = [p for p in steps if there[p] * back[p] == there[end] and there[p]]
    joints = [p for p in passed if _joins(steps[p], names)]
    if not joints:
        return ()
    first = passed[: passed.index(joints[0])]
    entry = [p for p in first if steps[p].type != "Input"][-1:]
    return (*entry, *joints)


def _ways(order: Sequence[str], sources: dict[str, set[str]], begin: str) -> dict[str, int]:
    """On how many ways each step is reached from one of them."""
    count: dict[str, int] = {}
    for path in order:
        count[path] = 1 if path == begin else sum(count.get(one, 0) for one in sources[path])
    return count


def _joins(step: Step, names: Sequence[str]) -> bool:
    holds = any(name == step.path or name.startswith(f"{step.path}.") for name in names)
    return holds or len({source for source, _ in step.sources}) > 1


def _blocks(module: nn.Module, names: Sequence[str]) -> tuple[str, ...]:
    best: tuple[str, ...] = ()
    for path, part in module.named_modules():
        if not isinstance(part, nn.ModuleList | nn.Sequential):
            continue
        members = [f"{path}.{name}" if path else name for name, _ in part.named_children()]
        holding = [m for m in members if any(n == m or n.startswith(f"{m}.") for n in names)]
        if holding and len(holding) >= len(best):
            best = tuple(members)
    return best
