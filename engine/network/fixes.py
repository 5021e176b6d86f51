"""Repairs of a network: for a node that does not work, whole specs in which it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.network.edit import (
    connect,
    disconnect,
    graph_of,
    insert,
    join,
    locate,
    remove,
    set_params,
    with_graph,
)
from engine.network.explain import too_large, window_of
from engine.network.registry import Layer, Shape, layer, words
from engine.network.shapes import Failed, Signal
from engine.network.spec import Edge, Graph, NetworkSpec, Node
from engine.network.trace import Trace, trace

MOST = 5


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair that can be clicked.

    Attributes:
        text: What it does.
        spec: The whole network with it done.
    """

    text: str
    spec: NetworkSpec


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one graph, the network's or a block's, not tried out."""

    text: str
    graph: Graph


@dataclass(frozen=True, slots=True)
class _Case:
    """A node that does not work, in the network or in a block, and all that is known of it.

    `working` are the nodes beside it that work.
    """

    spec: Graph
    node: Node
    failed: Failed
    edges: Sequence[Edge]
    signals: Sequence[Signal]
    working: frozenset[str]

    @property
    def shape(self) -> Shape:
        return self.signals[0].shape if self.signals else ()

    @property
    def layer(self) -> Layer | None:
        try:
            return layer(self.node.type, self.node.params)
        except (ValueError, LookupError):
            return None


def fixes(spec: NetworkSpec, path: str, traced: Trace) -> list[Fix]:
    """Repairs of the layer at a path, each tried out: with it the layer works.

    Inside of a block it is the block that is repaired, for all its copies.
    """
    step = next((one for one in traced.plan.steps if one.path == path), None)
    if step is None or path not in traced.failed:
        return []
    block, id = locate(spec, path)
    graph = graph_of(spec, block)
    node = graph.node(id).model_copy(update={"params": dict(step.params)})
    prefix = path[: len(path) - len(id)]
    case = _Case(
        graph,
        node,
        traced.failed[path],
        [edge for edge in graph.edges if edge.target == id],
        traced.incoming(step) or [],
        frozenset(one.id for one in graph.nodes if prefix + one.id in traced.measured),
    )
    found: list[Fix] = []
    where = f"in block {block}: " if block else ""
    for change in _candidates(case):
        fix = Fix(f"{where}{change.text}", with_graph(spec, block, change.graph))
        if len(found) < MOST and _repairs(fix, path, traced):
            found.append(fix)
    return found


def _repairs(fix: Fix, path: str, before: Trace) -> bool:
    """Whether with it the layer works, or is gone, and nothing else is worse."""
    after = trace(fix.spec)
    gone = all(step.path != path for step in after.plan.steps)
    new = set(after.failed) - set(before.failed) - before.blocked
    works = path in after.measured or gone
    return works and not new and len(after.plan.troubles) <= len(before.plan.troubles)


def _candidates(case: _Case) -> Iterator[Change]:
    if not case.edges:
        yield from _connections(case)
        return
    if not case.signals:
        return
    yield from _flatten(case)
    yield from _drop_size(case)
    yield from _fewer_inputs(case)
    yield from _axes(case)
    yield from _window(case)
    yield from _groups(case)
    yield from _paths(case)
    yield from _tokens(case)
    yield from _heads(case)


def _connections(case: _Case) -> Iterator[Change]:
    followed = {edge.node for edge in case.spec.edges}
    loose = [n.id for n in case.spec.nodes if n.id not in followed and n.id in case.working]
    for id in loose[:3]:
        yield Change(f"connect {id} → {case.node.id}", connect(case.spec, id, case.node.id))
    yield Change(f"remove {case.node.id}", remove(case.spec, case.node.id))


def _flatten(case: _Case) -> Iterator[Change]:
    total = math.prod(case.shape)
    given = case.node.params.get("in_features")
    if case.node.type == "Linear" and len(case.shape) > 1 and given in (None, total):
        text = f"insert Flatten: {words(case.shape)} = {total} numbers"
        yield Change(text, insert(case.spec, case.edges[0], "Flatten", {}, "flat"))


def _drop_size(case: _Case) -> Iterator[Change]:
    if field := case.failed.field:
        text = f"set {field} to {case.failed.found}, as comes in"
        yield Change(text, set_params(case.spec, case.node.id, {field: case.failed.found}))
        text = f"let {field} follow from the input"
        yield Change(text, set_params(case.spec, case.node.id, {field: None}))


def _fewer_inputs(case: _Case) -> Iterator[Change]:
    chosen = case.layer
    if chosen is None or chosen.inputs[1] is None or len(case.edges) <= chosen.inputs[1]:
        return
    for kind in ("Add", "Concat"):
        yield Change(f"join the inputs with {kind}", join(case.spec, case.node.id, kind))
    last = case.edges[-1]
    yield Change(f"remove the edge from {last.source}", disconnect(case.spec, last))


def _axes(case: _Case) -> Iterator[Change]:
    chosen = case.layer
    if chosen is None or chosen.axes is None or len(case.shape) == len(chosen.axes):
        return
    edge, source = case.edges[0], case.spec.node(case.edges[0].node)
    if source.type == "Flatten":
        yield Change(
            f"remove {source.id}, so that {edge.target} sees the image",
            remove(case.spec, source.id),
        )
    wanted, missing = chosen.axes, len(chosen.axes) - len(case.shape)
    if missing > 0 and case.shape:
        shape = [1] * missing + list(case.shape)
        if (
            len(case.shape) == 1
            and len(wanted) == 3
            and (side := math.isqrt(case.shape[0])) ** 2 == case.shape[0]
        ):
            shape = [1, side, side]
        text = f"read {words(case.shape)} as {words(shape)}"
        yield Change(text, insert(case.spec, edge, "Reshape", {"shape": shape}))
    if missing < 0:
        shape = [*case.shape[: len(wanted) - 1], math.prod(case.shape[len(wanted) - 1 :])]
        yield Change(
            f"read {words(case.shape)} as {words(shape)}",
            insert(case.spec, edge, "Reshape", {"shape": shape}),
        )


def _window(case: _Case) -> Iterator[Change]:
    chosen = case.layer
    misfits = too_large(chosen, case.signals) if chosen else []
    if chosen is None or not misfits:
        return
    id = case.node.id
    window, _ = window_of(chosen, len(case.shape) - 1)
    pad = max(-(-(reach - size) // 2) for _, size, _, reach, _ in misfits)
    if "Conv" in case.node.type or 2 * pad <= min(window.kernel):
        yield Change(f"set padding to {pad}", set_params(case.spec, id, {"padding": pad}))
    sizes = case.shape[1:]
    kernel = [
        min(k, (n - 1) // d + 1)
        for k, n, d in zip(window.kernel, sizes, window.dilation, strict=True)
    ]
    one = kernel[0] if len(set(kernel)) == 1 else kernel
    yield Change(f"set kernel_size to {one}", set_params(case.spec, id, {"kernel_size": one}))
    if max(window.dilation) > 1:
        yield Change("set dilation to 1", set_params(case.spec, id, {"dilation": None}))
    if "Pool" in case.node.type:
        yield Change(f"remove {id}", remove(case.spec, id))


def _groups(case: _Case) -> Iterator[Change]:
    for field in ("groups", "num_groups"):
        if field in case.node.params and case.shape and isinstance(case.node.params[field], int):
            out = case.node.params.get("out_channels", 0)
            found = math.gcd(
                case.node.params[field], case.shape[0], out if isinstance(out, int) else 0
            )
            yield Change(
                f"set {field} to {found}", set_params(case.spec, case.node.id, {field: found})
            )
            channels = case.shape[0]
            if isinstance(out, int) and out and case.node.params[field] == channels:
                near = max(1, round(out / channels)) * channels
                text = f"set out_channels to {near}"
                yield Change(text, set_params(case.spec, case.node.id, {"out_channels": near}))


def _paths(case: _Case) -> Iterator[Change]:
    """Two paths that do not fit: bring the skipped one to the shape of the other."""
    if len(case.signals) != 2 or len(case.edges) != 2:
        return
    yield from _keep_size(case)
    for skip, branch in ((0, 1), (1, 0)):
        edge, a, b = case.edges[skip], case.signals[skip].shape, case.signals[branch].shape
        if len(a) == len(b) == 3 and all(n >= m for n, m in zip(a[1:], b[1:], strict=True)):
            yield Change(
                f"project {edge.source} to {words(b)} with a 1 × 1 convolution",
                _project(case, edge, case.edges[branch].source),
            )
        if len(a) == len(b) and a[:-1] == b[:-1]:
            text = f"project {edge.source} to {words(b)} with a Linear"
            yield Change(
                text, insert(case.spec, edge, "Linear", {"out_features": b[-1]}, "project")
            )
        if math.prod(a) == math.prod(b):
            text = f"read {edge.source} as {words(b)}"
            yield Change(text, insert(case.spec, edge, "Reshape", {"shape": list(b)}))
        if len(a) == len(b) and sorted(a) == sorted(b):
            yield Change(
                f"permute the axes of {edge.source}",
                insert(case.spec, edge, "Permute", {"order": _order(a, b)}),
            )
        if len(a) == len(b) == 3 and case.node.type == "Concat":
            text = f"resize {edge.source} to {words(b[1:])}"
            yield Change(
                text,
                insert(
                    case.spec, edge, "AdaptiveAvgPool2d", {"output_size": list(b[1:])}, "resize"
                ),
            )


def _keep_size(case: _Case) -> Iterator[Change]:
    """Padding for the convolutions of the longer path, which shrank it."""
    for branch, skip in ((0, 1), (1, 0)):
        above = _chain_above(case.spec, case.edges[skip].node)
        shrinking = [
            id
            for id in _chain_above(case.spec, case.edges[branch].node)
            if id not in above and _shrinks(case.spec.node(id))
        ]
        padded = case.spec
        for id in shrinking:
            padded = set_params(padded, id, {"padding": "same"})
        if shrinking:
            text = f"pad {', '.join(shrinking)} so that the size stays"
            yield Change(text, padded)
            fitted = _project(
                replace(case, spec=padded), case.edges[skip], case.edges[branch].source
            )
            yield Change(f"{text}, and project {case.edges[skip].source}", fitted)


def _chain_above(spec: Graph, id: str) -> list[str]:
    """A node and those before it, as long as each has one input."""
    chain = [id]
    while len(before := [edge.node for edge in spec.edges if edge.target == chain[-1]]) == 1:
        if before[0] in chain:
            break
        chain.append(before[0])
    return chain


def _shrinks(node: Node) -> bool:
    fields = node.params
    plain = fields.get("stride", 1) == 1 and fields.get("padding", 0) in (0, "valid")
    return node.type in ("Conv1d", "Conv2d", "Conv3d") and plain


def _project(case: _Case, edge: Edge, branch: str) -> Graph:
    repaired = insert(case.spec, edge, "Shortcut", {}, "shortcut")
    new = ({node.id for node in repaired.nodes} - {node.id for node in case.spec.nodes}).pop()
    return connect(repaired, branch, new)


def _order(a: Shape, b: Shape) -> list[int]:
    free = list(range(len(a)))
    return [free.pop(next(n for n, axis in enumerate(free) if a[axis] == size)) for size in b]


def _tokens(case: _Case) -> Iterator[Change]:
    source = case.spec.node(case.edges[0].node)
    if case.layer and case.layer.reads == "token" and source.type == "Input":
        changed = {"dtype": "token", "vocabulary": case.node.params.get("num_embeddings")}
        yield Change(f"let {source.id} hold tokens", set_params(case.spec, source.id, changed))


def _heads(case: _Case) -> Iterator[Change]:
    for field in ("num_heads", "nhead", "heads"):
        heads = case.node.params.get(field)
        if isinstance(heads, int) and case.shape:
            found = math.gcd(heads, case.shape[-1])
            yield Change(
                f"set {field} to {found}", set_params(case.spec, case.node.id, {field: found})
            )
