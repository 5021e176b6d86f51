"""The truth about a network: shapes, sizes, costs and problems of every node, as plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.network.build import MOST_PARAMETERS
from engine.network.by_hand import without_strays
from engine.network.explain import explain
from engine.network.fixes import Fix, fixes
from engine.network.graph import Step, Trouble
from engine.network.hints import hints
from engine.network.receptive import receptive_fields
from engine.network.spec import NetworkSpec
from engine.network.trace import Trace, trace

MOST_REPAIRED = 8  # nodes for which repairs are looked for; the others come after


def describe(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What is true of a network that may be half finished; never raises for what is in it.

    Returns:
        `nodes`: id -> inputs, output, outputs, parameters, flops, memory (bytes for one example),
        receptive_field, code, problems; `inside`: the same for the layers in blocks, by path;
        `edges`: source, target, shape; `problems` of the whole; `totals`. Shapes are lists
        without the batch. A problem is `{"level", "text", "path", "fixes": [{"text", "spec"}]}`;
        its path is that of the layer, inside of a block where it is there that it does not work.
    """
    try:
        parsed = NetworkSpec.parse(spec)
    except ValueError as error:
        problem = {"level": "error", "text": str(error), "path": "", "fixes": []}
        return {
            "nodes": {},
            "inside": {},
            "edges": [],
            "problems": [problem],
            "totals": _totals(None),
        }
    traced = trace(parsed)
    problems = _problems(parsed, traced)
    fields = receptive_fields(traced)
    inside = {step.path: _layer(step, traced, fields) for step in traced.plan.steps}
    nodes: dict[str, Any] = {}
    for node in parsed.nodes:
        told = inside.get(node.id) or _block(node.id, parsed, traced, inside)
        nodes[node.id] = {**told, "problems": problems.get(node.id, [])}
    return {
        "nodes": nodes,
        "inside": {path: told for path, told in inside.items() if path not in nodes},
        "edges": _edges(parsed, traced),
        "problems": problems.get("", []),
        "totals": _totals(traced),
    }


def _layer(step: Step, traced: Trace, fields: Mapping[str, list[int] | None]) -> dict[str, Any]:
    incoming = traced.incoming(step)
    measured = traced.measured.get(step.path)
    if measured is None:
        return {**_NOTHING, "inputs": [list(signal.shape) for signal in incoming or []]}
    return {
        "inputs": [list(signal.shape) for signal in incoming or []],
        "output": list(measured.outputs[0].shape),
        "outputs": [list(signal.shape) for signal in measured.outputs],
        "parameters": traced.parameters_of(step.path),
        "flops": measured.flops,
        "memory": sum(signal.memory for signal in measured.outputs),
        "receptive_field": fields.get(step.path),
        "code": measured.code,
    }


_NOTHING: Mapping[str, Any] = {
    "inputs": [],
    "output": None,
    "outputs": [],
    "parameters": 0,
    "flops": 0,
    "memory": 0,
    "receptive_field": None,
    "code": "",
}


def _block(
    id: str, spec: NetworkSpec, traced: Trace, inside: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """A block's node: its layers taken together."""
    layers = [told for path, told in inside.items() if path.startswith(f"{id}.")]
    ends = [
        (path, index) for path, index in traced.plan.ends.get(id, []) if path in traced.measured
    ]
    outputs = [list(traced.measured[path].outputs[index].shape) for path, index in ends]
    sums = {key: sum(told[key] for told in layers) for key in ("parameters", "flops", "memory")}
    return {
        **_NOTHING,
        **sums,
        "inputs": [e["shape"] for e in _edges(spec, traced) if e["target"] == id and e["shape"]],
        "output": outputs[0] if outputs else None,
        "outputs": outputs,
        "receptive_field": inside[ends[0][0]]["receptive_field"]
        if ends and ends[0][0] in inside
        else None,
    }


def _edges(spec: NetworkSpec, traced: Trace) -> list[dict[str, Any]]:
    return [
        {"source": edge.source, "target": edge.target, "shape": _shape(edge.source, traced)}
        for edge in spec.edges
    ]


def _shape(written: str, traced: Trace) -> list[int] | None:
    """What flows out of an end such as `conv1` or `lstm.1`."""
    id, _, number = written.partition(".")
    ends, index = traced.plan.ends.get(id, []), int(number or 0)
    path, first = (
        (ends[0][0], ends[0][1] + index) if len(ends) == 1 else (*ends, *[("", 0)] * 1_000)[index]
    )
    measured = traced.measured.get(path)
    if measured is None or first >= len(measured.outputs):
        return None
    return list(measured.outputs[first].shape)


def _problems(spec: NetworkSpec, traced: Trace) -> dict[str, list[dict[str, Any]]]:
    """Node, or "" for the whole network -> its problems."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    told = 0
    for step in traced.plan.steps:
        if step.path not in traced.failed:
            continue
        told += 1
        repairs = fixes(spec, step.path, traced) if told <= MOST_REPAIRED else []
        found[step.owner].append(_problem("error", _why(step, traced), repairs, step.path))
    for trouble in (*traced.plan.troubles, *traced.ties, *_enormous(traced)):
        where = trouble.path or trouble.node
        found[trouble.node].append(_problem("error", trouble.text, path=where))
    for stray in traced.strays:
        kept = without_strays(spec, stray.path, traced.measured[stray.path].sizes)
        repair = Fix("forget what lies outside", kept)
        found[stray.node].append(_problem("error", stray.text, [repair], stray.path))
    if traced.parameters > MOST_PARAMETERS:
        found[""].append(_problem("warning", _too_many(traced)))
    for hint in hints(spec, traced):
        found[hint.node].append(_problem("warning", hint.text, hint.fixes, hint.path))
    return found


def _problem(level: str, text: str, repairs: Sequence[Fix] = (), path: str = "") -> dict[str, Any]:
    offered = [{"text": fix.text, "spec": fix.spec.to_json()} for fix in repairs]
    return {"level": level, "text": text, "path": path, "fixes": offered}


def _why(step: Step, traced: Trace) -> str:
    signals = traced.incoming(step) or []
    names = [path if index == 0 else f"{path}.{index}" for path, index in step.sources]
    incoming = list(zip(names, signals, strict=False))
    cause = explain(step.type, step.params, traced.failed[step.path], incoming)
    return f"{step.path} ({step.type}): {cause}"


def _enormous(traced: Trace) -> Iterator[Trouble]:
    for step in traced.plan.steps:
        if step.path not in traced.measured:
            continue
        count = traced.parameters_of(step.path)
        if count > MOST_PARAMETERS:
            yield Trouble(
                step.owner,
                f"{step.path} ({step.type}): would have {count:,} parameters "
                f"({4 * count / 1e9:,.1f} GB); at most {MOST_PARAMETERS:,} are built here; make "
                "it smaller",
                step.path,
            )


def _too_many(traced: Trace) -> str:
    return (
        f"the network has {traced.parameters:,} parameters and can be looked at; at most "
        f"{MOST_PARAMETERS:,} are built and trained here"
    )


def _totals(traced: Trace | None) -> dict[str, Any]:
    measured = traced.measured.values() if traced else []
    parameters = traced.parameters if traced else 0
    return {
        "parameters": parameters,
        "flops": sum(one.flops for one in measured),
        "memory": sum(signal.memory for one in measured for signal in one.outputs),
        "weights": 4 * parameters,
        "layers": sum(1 for one in measured if one.code),
    }
