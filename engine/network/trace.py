"""A whole network measured layer by layer, without allocating it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from engine.network.by_hand import stray
from engine.network.graph import Plan, Step, Trouble, lay_out
from engine.network.shapes import Failed, Measured, Signal, measure
from engine.network.spec import NetworkSpec


@dataclass
class Trace:
    """What is true of each layer of a network.

    Attributes:
        plan: The network laid out.
        measured: Path -> the layer that works there.
        failed: Path -> why the layer there does not.
        blocked: Paths that get nothing because a layer before them does not work.
        errors: All that keeps the network from running, in the order it was met.
        ties: Weights that cannot be shared as is asked.
        strays: Weights by hand that point outside of their layer.
        tied: Paths whose `weight` is another's and counts there.
    """

    plan: Plan
    measured: dict[str, Measured] = field(default_factory=dict)
    failed: dict[str, Failed] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    errors: list[Trouble] = field(default_factory=list)
    ties: list[Trouble] = field(default_factory=list)
    strays: list[Trouble] = field(default_factory=list)
    tied: set[str] = field(default_factory=set)

    def parameters_of(self, path: str) -> int:
        """How many numbers the layer learns, not counting a weight it shares."""
        measured = self.measured[path]
        shared = measured.weights.get("weight", 0) if path in self.tied else 0
        return measured.parameters - shared

    @property
    def parameters(self) -> int:
        """How many numbers the network learns."""
        return sum(map(self.parameters_of, self.measured))

    @property
    def largest(self) -> str:
        """The layer with the most parameters."""
        return max(self.measured, key=self.parameters_of, default="")

    def incoming(self, step: Step) -> list[Signal] | None:
        """What flows into a layer, or None when something before it does not work."""
        signals: list[Signal] = []
        for path, index in step.sources:
            if path not in self.measured:
                return None
            outputs = self.measured[path].outputs
            if index < len(outputs):
                signals.append(outputs[index])
        return signals


def trace(spec: NetworkSpec) -> Trace:
    """Measure every layer of a spec; what does not work is told, never raised."""
    plan = lay_out(spec)
    traced = Trace(plan, errors=list(plan.troubles))
    for step in plan.steps:
        _visit(step, traced)
    for step in plan.steps:
        if step.tied:
            _check_tie(step, traced)
        if (step.cut or step.start) and step.path in traced.measured:
            _check_by_hand(step, traced)
    return traced


def _visit(step: Step, traced: Trace) -> None:
    incoming = traced.incoming(step)
    if incoming is None:
        traced.blocked.add(step.path)
        return
    if missing := _missing_output(step, traced):
        result: Measured | Failed = Failed(missing)
    elif reason := _refuse_name(step.path):
        result = Failed(reason)
    else:
        result = measure(step.type, step.params, incoming)
    if isinstance(result, Measured):
        traced.measured[step.path] = result
        return
    traced.failed[step.path] = result
    text = f"{step.path} ({step.type}): {result.text}"
    traced.errors.append(Trouble(step.owner, text, step.path))


def _missing_output(step: Step, traced: Trace) -> str:
    for path, index in step.sources:
        count = len(traced.measured[path].outputs)
        if index >= count:
            return f"{path} has {count} output{'s' * (count > 1)}; there is no output {index}"
    return ""


def _refuse_name(path: str) -> str:
    for part in path.split("."):
        if part in _taken():
            return f"{part!r} is what every torch module has already; give it another id"
    return ""


@functools.cache
def _taken() -> frozenset[str]:
    """The names of all that a module of torch has, and of what `build.Network` adds."""
    import torch

    return frozenset([*dir(torch.nn.Module()), "spec"])


def _check_by_hand(step: Step, traced: Trace) -> None:
    text = stray(step.cut, step.start, traced.measured[step.path].sizes)
    if text:
        text = f"{step.path} ({step.type}): {text}"
        traced.strays.append(Trouble(step.owner, text, step.path))
        traced.errors.append(traced.strays[-1])


def _check_tie(step: Step, traced: Trace) -> None:
    mine, other = traced.measured.get(step.path), traced.measured.get(step.tied)
    if mine is None:
        return
    if other is None or "weight" not in other.weights or "weight" not in mine.weights:
        text = f"is tied to {step.tied!r:.80}, but both must be layers with a weight"
    elif other.weights["weight"] != mine.weights["weight"]:
        text = (
            f"is tied to {step.tied}, but its weight has {mine.weights['weight']:,} numbers and "
            f"that one {other.weights['weight']:,}"
        )
    else:
        traced.tied.add(step.path)
        return
    traced.ties.append(Trouble(step.owner, f"{step.path} ({step.type}): {text}", step.path))
    traced.errors.append(traced.ties[-1])
