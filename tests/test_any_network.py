"""Whatever is asked of the spec, its shapes and its edits: a result, or a sentence, soon."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.models.weights import SIDE, look
from engine.network.build import build
from engine.network.describe import describe
from engine.network.groups import edit, unpack, written_outputs
from engine.network.registry import find as layer_of
from engine.network.registry import layers, trial
from engine.network.spec import NetworkSpec
from engine.network.templates import find

usual = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
KINDS = [name for name in layers() if name not in ("Input", "Block")]


def errors(told: dict[str, Any]) -> list[str]:
    problems = [*told["problems"], *(p for n in told["nodes"].values() for p in n["problems"])]
    return [p["text"] for p in problems if p["level"] == "error"]


def check(data: dict[str, Any]) -> None:
    """A network is described; it can be built just when nothing is wrong with it."""
    told = describe(data)
    json.dumps(told, allow_nan=False)
    if errors(told):
        assert all(0 < len(text) < 1_000 for text in errors(told))
        with pytest.raises(ValueError, match=r"."):
            build(data)
    elif told["totals"]["parameters"] < 100_000 and told["totals"]["memory"] < 1e7:
        net = build(data)
        assert sum(p.numel() for p in net.parameters()) == told["totals"]["parameters"]


@st.composite
def sensible(draw: st.DrawFn, entries: int, depth: int) -> dict[str, Any]:
    """Layers with parameters that work somewhere, wired to any that come before."""
    nodes: list[dict[str, Any]] = []
    for n in range(entries):
        shape = draw(st.sampled_from([[4, 8, 8], [8, 8], [8], [16], [5, 5]]))
        kind = draw(st.sampled_from(["float", "float", "token"]))
        nodes.append({"id": f"in{n}", "type": "Input", "params": {"shape": shape, "dtype": kind}})
    edges = []
    for n in range(draw(st.integers(1, depth))):
        kind = draw(st.sampled_from([*KINDS, "Linear", "Conv2d", "ReLU", "Add", "Flatten"]))
        params = dict(trial(layer_of(kind))[0])
        id = f"n{n}"
        for _ in range(draw(st.integers(1, max(1, layer_of(kind).inputs[0])))):
            edges.append([draw(st.sampled_from([one["id"] for one in nodes])), id])
        more = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "cut": st.lists(
                        st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=2
                    ),
                    "start": st.lists(
                        st.tuples(
                            st.lists(st.integers(0, 9), min_size=1, max_size=3), st.just(0.5)
                        ),
                        max_size=2,
                    ),
                    "frozen": st.booleans(),
                    "tied": st.sampled_from(["n0", "n1", "nothing", ""]),
                },
            )
        )
        nodes.append({"id": id, "type": kind, "params": params, **more})
    return {"nodes": nodes, "edges": edges}


@usual
@given(sensible(2, 7))
def test_layers_wired_anyhow_are_described_and_built_or_told(data: dict[str, Any]) -> None:
    check(data)


@st.composite
def nested(draw: st.DrawFn) -> dict[str, Any]:
    """Blocks that use each other, perhaps themselves, with formulas and too many copies."""
    names = ["a", "b", "c"]
    width = st.sampled_from(["=width", "=2 * width", "=width * width", "=nothing", 8, "=1 // 0"])
    blocks = {}
    for name in names:
        inner: list[dict[str, Any]] = [{"id": "x", "type": "Input"}]
        for n in range(draw(st.integers(0, 3))):
            if draw(st.booleans()):
                one = {"id": f"l{n}", "type": "Linear", "params": {"out_features": draw(width)}}
            else:
                used = {
                    "block": draw(st.sampled_from([*names, "nowhere"])),
                    "repeat": draw(st.sampled_from([None, 1, 2, 20])),
                    "values": draw(st.sampled_from([{}, {"width": "=2 * width"}, {"other": 1}])),
                }
                one = {"id": f"b{n}", "type": "Block", "params": used}
            inner.append(one)
        ids = st.sampled_from([one["id"] for one in inner])
        wires = draw(st.lists(st.tuples(ids, ids).map(list), max_size=4))
        blocks[name] = {
            "nodes": inner,
            "edges": wires,
            "values": {"width": draw(st.integers(1, 9))},
        }
    nodes = [
        {"id": "image", "type": "Input", "params": {"shape": [8]}},
        {
            "id": "body",
            "type": "Block",
            "params": {"block": "a", "repeat": draw(st.sampled_from([None, 3, 20]))},
        },
    ]
    return {"nodes": nodes, "edges": [["image", "body"]], "blocks": blocks}


@settings(usual, max_examples=150)
@given(nested())
def test_blocks_in_blocks_are_described_and_built_or_told(data: dict[str, Any]) -> None:
    check(data)


@usual
@given(
    st.sampled_from(["lenet-digits", "resnet-digits", "gpt-small", "seq2seq-luong-small"]),
    st.lists(
        st.tuples(st.sampled_from(["group", "repeat", "unpack"]), st.integers(0, 10**6)), max_size=4
    ),
)
def test_any_groups_keep_the_parameters_or_are_refused(
    name: str, wanted: list[tuple[str, int]]
) -> None:
    spec = find(name).spec.to_json()
    for step, (do, number) in enumerate(wanted):
        before = describe(spec)
        ids = [node["id"] for node in spec["nodes"]]
        chosen = [id for place, id in enumerate(ids) if number >> place & 1]
        one = ids[number % len(ids)]
        try:
            spec = edit(spec, do, nodes=chosen, node=one, name=f"part {step}", times=number % 4)[
                "spec"
            ]
        except ValueError as error:
            assert str(error)  # noqa: PT017 - both ways are right, but not in silence
            continue
        after = describe(spec)
        assert not errors(after)
        if do != "repeat":
            assert after["totals"]["parameters"] == before["totals"]["parameters"]
            assert after["totals"]["flops"] == before["totals"]["flops"]


@usual
@given(
    st.sampled_from(["conv1", "full1", "relu1", "nothing", "full1.weight", ""]),
    st.sampled_from(["weight", "bias", "nothing", ""]),
    st.one_of(st.none(), st.lists(st.integers(-9, 10**6), max_size=5)),
)
def test_any_look_at_weights_is_a_small_matrix_or_a_sentence(
    node: str, name: str, window: list[int] | None
) -> None:
    try:
        told = look(node, spec=find("lenet-digits").spec.to_json(), name=name, window=window)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - both ways are right, but not in silence
        return
    assert len(told["values"]) == told["rows"] <= SIDE
    assert all(len(row) == told["columns"] <= SIDE for row in told["values"])
    json.dumps(told, allow_nan=False)


@settings(usual, max_examples=250)
@given(st.data())
def test_a_broken_piece_of_json_is_told_and_never_raises_anything_else(data: st.DataObject) -> None:
    """One place of a template's JSON is something else altogether."""
    spec = copy.deepcopy(find("resnet-digits").spec.to_json())
    place: Any = spec
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 3)) == 0:
            break
        place = inner
    place[key] = data.draw(
        st.sampled_from(
            [None, -1, 0, 10**12, "", "<img onerror=1>", [], {}, [[[[]]]], "=width", 1.5, True]
        )
    )
    told = describe(spec)
    json.dumps(told, allow_nan=False)
    if not errors(told):
        NetworkSpec.parse(spec)


def test_copies_of_copies_of_copies_are_refused_before_they_are_made() -> None:
    def use(block: str) -> dict[str, Any]:
        return {"id": "b", "type": "Block", "params": {"block": block, "repeat": 200}}

    empty: dict[str, Any] = {"nodes": [{"id": "x", "type": "Input"}], "outputs": ["x"]}
    outer = [
        {"nodes": [{"id": "x", "type": "Input"}, use(f"b{n + 1}")], "edges": [["x", "b"]]}
        for n in range(8)
    ]
    blocks = {**{f"b{n}": block for n, block in enumerate(outer)}, "b8": empty}
    nodes = [{"id": "image", "type": "Input", "params": {"shape": [8]}}, use("b0")]
    data = {"nodes": nodes, "edges": [["image", "b"]], "blocks": blocks}
    assert "repeat them less" in errors(describe(data))[0]
    wide = [{"id": f"r{n}", "type": "ReLU"} for n in range(20)]
    chain = {"nodes": [{"id": "x", "type": "Input"}, *wide], "edges": [["x", "r0"]]}
    data |= {"blocks": {"b0": chain}}
    with pytest.raises(ValueError, match="more than 2,000"):
        unpack(NetworkSpec.parse(data), "b")


def test_outputs_of_blocks_that_hold_each_other_are_counted_without_end() -> None:
    def block(other: str) -> dict[str, Any]:
        used = {"id": "y", "type": "Block", "params": {"block": other}}
        return {"nodes": [{"id": "x", "type": "Input"}, used], "edges": [["x", "y"]]}

    nodes = [
        {"id": "image", "type": "Input", "params": {"shape": [8]}},
        {"id": "body", "type": "Block", "params": {"block": "a"}},
    ]
    data = {
        "nodes": nodes,
        "edges": [["image", "body"]],
        "blocks": {"a": block("b"), "b": block("a")},
    }
    assert any("holds itself" in text for text in errors(describe(data)))
    spec = NetworkSpec.parse(data)
    with pytest.raises(ValueError, match="holds itself"):
        written_outputs(spec, spec)
