"""A spec played on a tape: what the folding is held against."""

from __future__ import annotations

from engine.importing.tape import Ref, Tape
from engine.network.graph import Source
from engine.network.spec import NetworkSpec
from engine.network.trace import trace


def replay(spec: NetworkSpec) -> Tape:
    """All layers of a spec, flat."""
    traced = trace(spec)
    if traced.errors:
        raise ValueError(traced.errors[0].text)
    tape = Tape()
    refs: dict[Source, Ref] = {}
    for step in traced.plan.steps:
        sources = [refs[source] for source in step.sources]
        made = tape.add(step.type, step.params, sources, step.path, where=step.path)
        refs.update({(step.path, number): ref for number, ref in enumerate(made)})
    tape.outputs = [refs[source] for source in traced.plan.outputs.values()]
    tape.title = spec.title
    return tape
