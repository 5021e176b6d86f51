"""Nodes made blocks and blocks made nodes: the network computes the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.network.build import build
from engine.network.describe import describe
from engine.network.groups import edit, group, repeat, unpack
from engine.network.spec import NetworkSpec
from engine.network.templates import find
from tests.test_network import RESIDUAL


def answers(spec: NetworkSpec, weights: dict[str, torch.Tensor] | None = None) -> Any:
    """What a network gives for fixed inputs, and its weights; or with given ones, by their names.

    In a block a name has something before it, and out of one its dots are other signs.
    """
    net = build(spec).eval()
    torch.manual_seed(1)
    inputs = []
    for node in spec.nodes:
        if node.type == "Input":
            shape = node.params["shape"]
            token = node.params.get("dtype") == "token"
            inputs.append(torch.randint(0, 9, (2, *shape)) if token else torch.rand(2, *shape))
    if weights is None:
        weights = {f"_{plain(n)}": w.detach().clone() for n, w in net.state_dict().items()}
    else:
        for name, mine in net.state_dict().items():
            mine.copy_(weights[max((n for n in weights if f"_{plain(name)}".endswith(n)), key=len)])
    with torch.no_grad():
        given = net(*inputs)
    return list(given.values()) if isinstance(given, dict) else [given], weights


def plain(name: str) -> str:
    return name.replace(".", "_")


def same(before: NetworkSpec, after: NetworkSpec) -> None:
    NetworkSpec.parse(after.to_json())
    told = [describe(one.to_json())["totals"]["parameters"] for one in (before, after)]
    assert told[0] == told[1]
    ours, weights = answers(before)
    theirs, _ = answers(after, weights)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    "name",
    ["resnet-digits", "gpt-small", "transformer-small", "t5-tiny", "swin-digits", "mamba-small"],
)
def test_blocks_of_templates_unpack_to_the_same_network_and_group_again(name: str) -> None:
    spec = find(name).spec
    opened = spec
    while blocks := [node.id for node in opened.nodes if node.type == "Block"]:
        opened = unpack(opened, blocks[0])
    same(spec, opened)
    first = [node.id for node in opened.nodes if node.type != "Input"]
    middle = first[len(first) // 4 : 3 * len(first) // 4]
    grouped = group(opened, middle, "the middle")
    same(opened, grouped)
    assert sum(node.type == "Block" for node in grouped.nodes) == 1
    use = next(node.id for node in grouped.nodes if node.type == "Block")
    same(opened, unpack(grouped, use))


def test_a_grouped_residual_branch_is_the_same_network() -> None:
    spec = NetworkSpec.parse(RESIDUAL)
    inner = [n.id for n in spec.nodes if n.type not in ("Input", "Linear", "Flatten")]
    grouped = group(spec, inner, "residual")
    same(spec, grouped)
    assert set(grouped.blocks) == {*spec.blocks, "residual"}
    same(spec, unpack(grouped, "residual"))


def test_several_inputs_outputs_ports_and_ties_survive() -> None:
    spec = NetworkSpec.parse(
        {
            "nodes": [
                {"id": "words", "type": "Input", "params": {"shape": [6], "dtype": "token"}},
                {"id": "other", "type": "Input", "params": {"shape": [6, 8]}},
                {
                    "id": "table",
                    "type": "Embedding",
                    "params": {"num_embeddings": 9, "embedding_dim": 8},
                },
                {"id": "lstm", "type": "LSTM", "params": {"hidden_size": 8}},
                {"id": "minus", "type": "Subtract"},
                {"id": "look", "type": "DotAttention"},
                {
                    "id": "head",
                    "type": "Linear",
                    "params": {"out_features": 9, "bias": False},
                    "tied": "table",
                },
            ],
            "edges": [
                ["words", "table"],
                ["table", "lstm"],
                ["lstm", "minus", 1],
                ["other", "minus", 0],
                ["lstm.1", "look"],
                ["minus", "look"],
                ["look", "head"],
            ],
            "outputs": ["head", "look.1", "lstm.2"],
        }
    )
    grouped = group(spec, ["table", "lstm", "minus"], "reader")
    same(spec, grouped)
    assert grouped.node("head").tied == "reader.table"
    same(spec, unpack(grouped, "reader"))
    twice = group(grouped, ["reader", "look"], "all of it")
    same(spec, twice)
    assert twice.node("head").tied == "all_of_it.reader.table"
    same(spec, unpack(unpack(twice, "all_of_it"), "all_of_it_reader"))


def test_a_repeated_block_has_as_many_parameters_as_copies() -> None:
    spec = {
        "nodes": [
            {"id": "x", "type": "Input", "params": {"shape": [5]}},
            {"id": "a", "type": "Linear", "params": {"out_features": 5}},
            {"id": "b", "type": "ReLU"},
        ],
        "edges": [["x", "a"], ["a", "b"]],
    }
    grouped = edit(spec, "group", nodes=["a", "b"], name="layer")
    assert grouped["nodes"] == ["layer"]
    four = edit(grouped["spec"], "repeat", node="layer", times=4)["spec"]
    assert describe(four)["totals"]["parameters"] == 4 * 30
    opened = edit(four, "unpack", node="layer")
    assert len(opened["nodes"]) == 8
    same(NetworkSpec.parse(four), NetworkSpec.parse(opened["spec"]))
    one = repeat(NetworkSpec.parse(four), "layer", 1)
    same(NetworkSpec.parse(spec), one)


@pytest.mark.parametrize(
    ("do", "wanted", "words"),
    [
        ("group", {"nodes": ["image"], "name": "a"}, "stays outside"),
        ("group", {"nodes": [], "name": "a"}, "at least one"),
        ("group", {"nodes": ["nothing"], "name": "a"}, "no node 'nothing'"),
        ("group", {"nodes": ["conv1", "flat"], "name": "a"}, "comes back"),
        ("group", {"nodes": ["conv1"], "name": ""}, "1 to 64 characters"),
        ("unpack", {"node": "conv1"}, "is no block"),
        ("repeat", {"node": "conv1", "times": 2}, "is no block"),
        ("melt", {}, "must be group"),
    ],
)
def test_what_cannot_be_grouped_is_told(do: str, wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        edit(find("lenet-digits").spec.to_json(), do, **wanted)
