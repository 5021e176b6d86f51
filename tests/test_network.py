"""The spec, what is told of a network, its repairs, and what is built from it."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import nn

from engine.network.build import build
from engine.network.describe import describe
from engine.network.registry import layers
from engine.network.spec import NetworkSpec
from engine.network.templates import find, spec_of, templates

Node = tuple[str, str, dict[str, Any]]
IMAGE: Node = ("image", "Input", {"shape": [1, 28, 28]})


def network(nodes: list[Node], edges: list[list[Any]], outputs: tuple[str, ...] = ()) -> Any:
    told = [{"id": id, "type": kind, "params": params} for id, kind, params in nodes]
    return {"version": 1, "nodes": told, "edges": edges, "outputs": list(outputs)}


def chain(*nodes: Node) -> Any:
    return network(list(nodes), [[a[0], b[0]] for a, b in itertools.pairwise(nodes)])


def errors(told: dict[str, Any]) -> list[str]:
    nodes = [p for node in told["nodes"].values() for p in node["problems"]]
    return [p["text"] for p in [*told["problems"], *nodes] if p["level"] == "error"]


def warnings_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [p for n in told["nodes"].values() for p in n["problems"] if p["level"] == "warning"]


RESIDUAL = {
    "blocks": {
        "basic": {
            "values": {"width": 8, "stride": 1},
            "nodes": [
                {"id": "x", "type": "Input"},
                {
                    "id": "conv",
                    "type": "Conv2d",
                    "params": {
                        "out_channels": "=width",
                        "kernel_size": 3,
                        "padding": 1,
                        "stride": "=stride",
                    },
                },
                {"id": "fit", "type": "Shortcut"},
                {"id": "add", "type": "Add"},
            ],
            "edges": [
                ["x", "conv"],
                ["x", "fit"],
                ["conv", "fit"],
                ["fit", "add"],
                ["conv", "add"],
            ],
            "outputs": ["add"],
        }
    },
    "nodes": [
        {"id": "image", "type": "Input", "params": {"shape": [3, 16, 16]}},
        {
            "id": "stage",
            "type": "Block",
            "params": {
                "block": "basic",
                "repeat": 3,
                "values": {"width": 16},
                "first": {"stride": 2},
            },
        },
        {"id": "last", "type": "Block", "params": {"block": "basic", "values": {"width": 16}}},
    ],
    "edges": [["image", "stage"], ["stage", "last"]],
}


def test_lenet_has_the_published_number_of_parameters_and_the_right_arithmetic() -> None:
    told = describe(find("lenet").spec.to_json())
    assert told["totals"]["parameters"] == 61_706
    # Two for each weight of a convolution at each place of its output.
    assert told["nodes"]["conv2"]["flops"] == 2 * (6 * 5 * 5) * (16 * 10 * 10)
    assert told["nodes"]["full1"]["flops"] == 2 * 400 * 120
    assert told["nodes"]["pool2"]["output"] == [16, 5, 5]
    assert told["nodes"]["conv1"]["memory"] == 4 * 6 * 28 * 28
    assert told["nodes"]["conv1"]["code"] == "nn.Conv2d(1, 6, kernel_size=5, padding=2)"
    # 1 + 4, + 1, + 4 · 2, + 1 · 2
    assert told["nodes"]["pool2"]["receptive_field"] == [16, 16]
    assert {"source": "flat", "target": "full1", "shape": [400]} in told["edges"]


def test_a_receptive_field_is_where_the_gradient_is_not_zero() -> None:
    spec = chain(
        ("image", "Input", {"shape": [1, 41, 41]}),
        ("a", "Conv2d", {"out_channels": 2, "kernel_size": 3, "stride": 2}),
        ("b", "Conv2d", {"out_channels": 2, "kernel_size": 3, "dilation": 2}),
        ("c", "AvgPool2d", {"kernel_size": 2}),
    )
    x = torch.randn(1, 1, 41, 41, requires_grad=True)
    result = build(spec)(x)
    result[0, :, 3, 3].sum().backward()
    assert x.grad is not None
    rows = (x.grad[0, 0].abs().sum(1) > 0).nonzero()
    assert describe(spec)["nodes"]["c"]["receptive_field"][0] == rows.max() - rows.min() + 1


@pytest.mark.parametrize("name", ["lenet", "lenet-digits", "mlp-2d"])
def test_a_spec_is_the_same_after_its_json(name: str) -> None:
    spec = find(name).spec
    assert NetworkSpec.parse(json.dumps(spec.to_json())) == spec


def test_state_is_named_by_the_nodes() -> None:
    names = set(build(find("lenet").spec).state_dict())
    assert {"conv1.weight", "conv1.bias", "scores.weight"} <= names


def test_a_built_chain_equals_the_same_layers_in_a_row() -> None:
    torch.manual_seed(3)
    ours = build(find("mlp-2d").spec)
    torch.manual_seed(3)
    plain = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))
    x = torch.randn(5, 2)
    torch.testing.assert_close(ours(x), plain(x))


def test_several_inputs_and_outputs_in_their_order() -> None:
    spec = network(
        [
            ("a", "Input", {"shape": [3]}),
            ("b", "Input", {"shape": [3]}),
            ("less", "Subtract", {}),
            ("twice", "Add", {}),
        ],
        [["b", "less", 1], ["a", "less", 0], ["a", "twice"], ["a", "twice"]],
        ("less", "twice"),
    )
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    result = build(spec)(a, b)
    assert isinstance(result, dict)
    torch.testing.assert_close(result["less"], a - b)
    torch.testing.assert_close(result["twice"], 2 * a)


def test_one_output_of_several_can_be_used() -> None:
    spec = network(
        [("x", "Input", {"shape": [4]}), ("parts", "Split", {}), ("less", "Subtract", {})],
        [["x", "parts"], ["parts.1", "less"], ["parts", "less"]],
    )
    x = torch.randn(2, 4)
    torch.testing.assert_close(build(spec)(x), x[:, 2:] - x[:, :2])
    assert describe(spec)["edges"][1]["shape"] == [2]


def test_blocks_repeat_with_their_own_sizes() -> None:
    built = build(RESIDUAL)
    names = list(dict(built.named_parameters()))
    assert "stage.0.fit.conv.weight" in names
    assert "stage.1.fit.conv.weight" not in names  # it fits
    assert "last.conv.weight" in names
    assert built(torch.randn(2, 3, 16, 16)).shape == (2, 16, 8, 8)
    told = describe(RESIDUAL)
    assert told["totals"]["parameters"] == sum(p.numel() for p in built.parameters())
    assert told["nodes"]["stage"]["output"] == [16, 8, 8]
    assert told["nodes"]["stage"]["receptive_field"] == [11, 11]  # 3, + 2 · 2, + 2 · 2


def test_tied_weights_are_one_and_counted_once() -> None:
    spec = chain(
        ("words", "Input", {"shape": [5], "dtype": "token"}),
        ("table", "Embedding", {"num_embeddings": 11, "embedding_dim": 4}),
        ("head", "Linear", {"out_features": 11, "bias": False}),
    )
    spec["nodes"][2]["tied"] = "table"
    built = build(spec)
    assert built.head.weight is built.table.weight
    assert describe(spec)["totals"]["parameters"] == 44
    assert sum(p.numel() for p in built.parameters()) == 44


def test_a_frozen_node_keeps_its_weights() -> None:
    spec = find("mlp-2d").spec.to_json()
    spec["nodes"][1]["frozen"] = True
    built = build(spec)
    assert not any(p.requires_grad for p in built.hidden1.parameters())
    assert all(p.requires_grad for p in built.hidden2.parameters())


def test_enormous_layers_are_looked_at_but_not_built() -> None:
    spec = chain(
        ("x", "Input", {"shape": [100_000]}),
        ("a", "Linear", {"out_features": 100_000}),
        ("b", "Linear", {"out_features": 10_000_000}),
    )
    told = describe(spec)
    assert told["nodes"]["a"]["parameters"] == 100_000 * 100_001
    assert "10,000,100,000 parameters" in errors(told)[0]
    with pytest.raises(ValueError, match=r"1,010,010,100,000 parameters.*b has the most"):
        build(spec)


BROKEN = {
    "a wrong number of features": chain(
        IMAGE, ("flat", "Flatten", {}), ("full", "Linear", {"in_features": 700, "out_features": 3})
    ),
    "an image where numbers are expected": chain(
        IMAGE, ("full", "Linear", {"in_features": 784, "out_features": 3})
    ),
    "a kernel larger than the image": chain(
        IMAGE, ("conv", "Conv2d", {"out_channels": 3, "kernel_size": 31})
    ),
    "a window larger than the image": chain(
        IMAGE,
        ("small", "MaxPool2d", {"kernel_size": 20}),
        ("pool", "MaxPool2d", {"kernel_size": 2}),
    ),
    "numbers where an image is expected": chain(
        IMAGE, ("flat", "Flatten", {}), ("conv", "Conv2d", {"out_channels": 3, "kernel_size": 3})
    ),
    "groups that do not go up": chain(
        ("image", "Input", {"shape": [6, 8, 8]}),
        ("conv", "Conv2d", {"out_channels": 8, "kernel_size": 3, "groups": 4}),
    ),
    "norm groups that do not go up": chain(
        ("image", "Input", {"shape": [6, 8, 8]}), ("norm", "GroupNorm", {"num_groups": 4})
    ),
    "heads that do not go up": chain(
        ("x", "Input", {"shape": [5, 12]}), ("look", "MultiheadAttention", {"num_heads": 5})
    ),
    "a skip past a convolution that shrinks": network(
        [
            ("image", "Input", {"shape": [3, 9, 9]}),
            ("conv", "Conv2d", {"out_channels": 6, "kernel_size": 3}),
            ("add", "Add", {}),
        ],
        [["image", "conv"], ["conv", "add"], ["image", "add"]],
    ),
    "a skip past a stride": network(
        [
            ("image", "Input", {"shape": [3, 8, 8]}),
            ("conv", "Conv2d", {"out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1}),
            ("add", "Add", {}),
        ],
        [["image", "conv"], ["conv", "add"], ["image", "add"]],
    ),
    "axes in another order": network(
        [("a", "Input", {"shape": [4, 6]}), ("b", "Input", {"shape": [6, 4]}), ("add", "Add", {})],
        [["a", "add"], ["b", "add"]],
    ),
    "widths that differ": network(
        [("a", "Input", {"shape": [4]}), ("b", "Input", {"shape": [6]}), ("add", "Add", {})],
        [["a", "add"], ["b", "add"]],
    ),
    "maps of different size put together": network(
        [
            ("a", "Input", {"shape": [3, 8, 8]}),
            ("b", "Input", {"shape": [3, 4, 4]}),
            ("c", "Concat", {}),
        ],
        [["a", "c"], ["b", "c"]],
    ),
    "two inputs for one": network(
        [("a", "Input", {"shape": [4]}), ("b", "Input", {"shape": [4]}), ("r", "ReLU", {})],
        [["a", "r"], ["b", "r"]],
    ),
    "nothing comes in": network([IMAGE, ("r", "ReLU", {})], []),
    "words from numbers": chain(
        ("x", "Input", {"shape": [7]}),
        ("e", "Embedding", {"num_embeddings": 9, "embedding_dim": 2}),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_told_at_the_node_and_every_fix_repairs(case: str) -> None:
    spec = BROKEN[case]
    (text,) = errors(describe(spec))
    (node,) = [
        id
        for id, n in describe(spec)["nodes"].items()
        if any(p["level"] == "error" for p in n["problems"])
    ]
    assert text.startswith(f"{node} (")
    fixes = [f for p in describe(spec)["nodes"][node]["problems"] for f in p["fixes"]]
    assert fixes
    for fix in fixes:
        assert errors(describe(fix["spec"])) == [], fix["text"]
        repaired = build(fix["spec"])
        inputs = [n for n in fix["spec"]["nodes"] if n["type"] == "Input"]
        kinds = {"float": torch.randn, "token": lambda *s: torch.zeros(s, dtype=torch.long)}
        given = [kinds[n["params"].get("dtype", "float")](2, *n["params"]["shape"]) for n in inputs]
        repaired(*given)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("a wrong number of features", "in_features is 700, but flat gives 784"),
        ("a kernel larger than the image", "28 + 2·0 − 31 + 1 = −2"),
        ("groups that do not go up", "6 channels cannot be split into 4 groups: 6 / 4 = 1.5"),
        (
            "a skip past a convolution that shrinks",
            "conv gives 6 × 7 × 7 and image gives 3 × 9 × 9",
        ),
        ("heads that do not go up", "12 / 5 = 2.4"),
        ("numbers where an image is expected", "channels × rows × columns; got 784"),
    ],
)
def test_an_error_gives_the_arithmetic_in_numbers(case: str, words: str) -> None:
    assert words in errors(describe(BROKEN[case]))[0]


def test_hints_teach_and_their_fixes_silence_them() -> None:
    spec = chain(
        IMAGE,
        ("conv", "Conv2d", {"out_channels": 4, "kernel_size": 3}),
        ("norm", "BatchNorm2d", {}),
        ("flat", "Flatten", {}),
        ("full1", "Linear", {"out_features": 5}),
        ("drop", "Dropout", {}),
        ("full2", "Linear", {"out_features": 5}),
        ("soft", "Softmax", {}),
    )
    found = {problem["text"].partition(":")[0]: problem for problem in warnings_of(describe(spec))}
    assert set(found) == {"conv", "full2", "soft"}
    for problem in found.values():
        after = [one["text"] for one in warnings_of(describe(problem["fixes"][0]["spec"]))]
        assert problem["text"] not in after


def test_dead_ends_and_images_in_linears_are_hinted_at() -> None:
    spec = network(
        [
            IMAGE,
            ("conv", "Conv2d", {"out_channels": 4, "kernel_size": 3}),
            ("dead", "ReLU", {}),
            ("full", "Linear", {"out_features": 5}),
        ],
        [["image", "conv"], ["conv", "dead"], ["conv", "full"]],
        ("full",),
    )
    texts = " ".join(problem["text"] for problem in warnings_of(describe(spec)))
    assert "dead: leads nowhere" in texts
    assert "full: works on the last axis only" in texts


TWO = [IMAGE, ("a", "ReLU", {}), ("b", "ReLU", {})]
MALFORMED = {
    "no object": ([], "must be an object"),
    "another version": ({"version": 2, "nodes": []}, "version must be one of 1; got 2"),
    "markup in an id": (chain(("<b>x</b>", "ReLU", {})), "node '<b>x</b>': id must be a name"),
    "a word of Python": (chain(("lambda", "ReLU", {})), "node 'lambda': id must be"),
    "twins": (network([("a", "ReLU", {}), ("a", "ReLU", {})], []), "node 'a': there are 2 nodes"),
    "an edge to nowhere": (network(TWO, [["a", "c"]]), "there is no node 'c'"),
    "an output from nowhere": (network([IMAGE], [], ("b",)), "outputs: there is no node 'b'"),
    "not a number": (chain(("a", "ELU", {"alpha": math.nan})), "node 'a': params must hold finite"),
    "a misspelt field": ({"nodes": [{"id": "a", "typ": "ReLU"}]}, "did you mean 'type'"),
    "too many": ({"nodes": [{"id": f"n{i}", "type": "ReLU"} for i in range(2001)]}, "at most 2000"),
    "our own name": (chain(IMAGE, ("spec", "ReLU", {})), "every torch module has already"),
    "a torch name": (chain(IMAGE, ("forward", "ReLU", {})), "every torch module has already"),
    "an unknown layer": (chain(IMAGE, ("a", "RelU", {})), "did you mean 'ReLU'"),
    "an unknown parameter": (chain(IMAGE, ("a", "Conv2d", {"kernelsize": 3})), "'kernel_size'"),
    "out of range": (chain(IMAGE, ("a", "Dropout", {"p": 1.5})), "p must be at most 1.0; got 1.5"),
    "a text for a number": (chain(IMAGE, ("a", "Linear", {"out_features": "9"})), "got '9'"),
    "a circle": (network(TWO, [["a", "b"], ["b", "a"]]), "a -> b -> a"),
    "no input": (network([], []), "the network has no input"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_bad_input_is_told_in_one_sentence_and_never_built(case: str) -> None:
    data, words = MALFORMED[case]
    told = " ".join(errors(describe(data)))
    assert words in told
    assert "\n" not in told
    with pytest.raises(ValueError, match=r"."):
        build(data)


def test_deep_nesting_and_broken_json_are_refused() -> None:
    deep: Any = {"nodes": []}
    for _ in range(5_000):
        deep = {"nodes": [deep]}
    assert "nested at most" in errors(describe(deep))[0]
    for text in ("[" * 100_000, "{", "nan", '{"nodes": NaN}', "\ud800"):
        with pytest.raises(ValueError, match=r"network"):
            NetworkSpec.parse(text)


def block_of(block: str, **more: Any) -> dict[str, Any]:
    inner = {"id": "b", "type": "Block", "params": {"block": block, **more}}
    return {"nodes": [{"id": "x", "type": "Input"}, inner], "edges": [["x", "b"]]}


def test_blocks_that_hold_themselves_or_explode_are_refused() -> None:
    top = {**block_of("a"), "blocks": {"a": block_of("a")}}
    top["nodes"][0]["params"] = {"shape": [3]}
    assert "holds itself: a -> a" in " ".join(errors(describe(top)))
    for last in ("ReLU", "Input"):
        blocks: Any = {"z": {"nodes": [{"id": "x", "type": last}], "outputs": ["x"]}}
        for name, inner in (("y", "z"), ("w", "y"), ("a", "w")):
            blocks[name] = block_of(inner, repeat=200)
        told = " ".join(errors(describe({**top, "blocks": blocks})))
        assert "more than 20,000 layers" in told


def test_the_spec_and_the_registry_can_be_read_without_torch() -> None:
    code = (
        "import sys; from engine.network.catalog import catalog; catalog();"
        "from engine.network.templates import find; find('lenet').spec;"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_misspelt_template_is_offered_its_neighbour() -> None:
    with pytest.raises(LookupError, match="did you mean 'lenet'"):
        find("lenett")
    assert all(one.help.endswith(".") for one in templates().values())


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.sampled_from([10**7, 10**12, 10**400, -1]),
    st.floats(), st.text(max_size=8), st.sampled_from(["same", "=width", "<script>", "relu"]),
)  # fmt: skip
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=6)
FIELDS = sorted({name for kind in layers().values() for name in kind.model_fields})
ids = st.sampled_from(["a", "b", "c", "d", "image", "<b>", "class", "forward", "", "ä"])


@st.composite
def nodes(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from([*layers(), "Input", "Input", "Nothing"]))
    known = list(layers()[kind].model_fields) if kind in layers() else []
    names = st.sampled_from([*known, draw(st.sampled_from(FIELDS))])
    return {
        "id": draw(ids),
        "type": kind,
        "params": draw(st.dictionaries(names, values, max_size=4)),
    }


graphs = st.fixed_dictionaries(
    {"nodes": st.lists(nodes(), max_size=6)},
    optional={
        "edges": st.lists(st.tuples(ids, ids).map(list), max_size=8),
        "outputs": st.lists(ids, max_size=2),
        "version": st.sampled_from([1, 1, 1, 2]),
        "blocks": st.just(RESIDUAL["blocks"]),
        "extra": values,
    },
)


@settings(max_examples=300, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])
@given(graphs)
def test_any_graph_gives_a_result_or_names_the_cause(data: dict[str, Any]) -> None:
    told = describe(data)
    json.dumps(told, allow_nan=False)
    if not errors(told) and told["totals"]["parameters"] < 1e6:
        build(data)
    elif errors(told):
        with pytest.raises(ValueError, match=r"."):
            build(data)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "drop", "wire", "type"]),
        st.integers(0, 12),
        st.sampled_from(FIELDS),
        scalars,
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS)
@example([("set", 4, "kernel_size", 10**12)])
def test_any_edit_of_lenet_is_described_and_its_fixes_hold(edits: list[Any]) -> None:
    spec = find("lenet").spec.to_json()
    for kind, place, name, value in edits:
        node = spec["nodes"][place % len(spec["nodes"])]
        if kind == "set":
            node.setdefault("params", {})[name] = value
        elif kind == "type":
            node["type"] = list(layers())[place]
        elif kind == "drop" and spec["edges"]:
            spec["edges"].pop(place % len(spec["edges"]))
        elif kind == "wire":
            spec["edges"].append([node["id"], spec["nodes"][-1 - place]["id"]])
    told = describe(spec)
    for id, node in told["nodes"].items():
        for fix in (f for p in node["problems"] if p["level"] == "error" for f in p["fixes"]):
            after = describe(fix["spec"])["nodes"].get(id, {"problems": []})
            assert not [p for p in after["problems"] if p["level"] == "error"], fix["text"]


def test_a_pass_is_timed_and_batches_that_do_not_fit_are_refused() -> None:
    from engine.network.timing import timing

    told = timing(find("lenet-digits").spec.to_json(), batch=4, rounds=2)
    assert told["forward"] > 0
    assert told["backward"] > 0
    wide = chain(("x", "Input", {"shape": [10_000_000]}), ("r", "ReLU", {}))
    with pytest.raises(ValueError, match="smaller batch"):
        timing(wide, batch=64)


def test_pooling_before_rectifying_changes_no_bit_of_the_gradient():
    """While it learns, a chain takes the cheaper order unless somebody watches its layers."""
    torch.manual_seed(0)
    network = build(spec_of("lenet")).train()
    x = torch.rand(16, 1, 28, 28)
    x[:, :, :9] = 0  # blank regions: all of a window is equal there
    y = torch.randint(10, (16,))

    def gradients():
        network.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        return [p.grad.clone() for p in network.parameters()]

    assert [type(one) for one in network._quick] != [type(one) for one in network._layers]
    quick = gradients()
    shapes = {}
    names = {part: name for name, part in network.named_modules()}
    hooks = [
        part.register_forward_hook(lambda part, _, out: shapes.update({names[part]: out.shape}))
        for part in network.children()
    ]
    plain = gradients()
    for hook in hooks:
        hook.remove()
    assert all(torch.equal(one, other) for one, other in zip(quick, plain, strict=True))
    assert shapes["relu1"] == (16, 6, 28, 28)  # whoever looks sees the network as it was drawn
