"""Weights by hand: looked at, changed, frozen and cut, in the spec and in a kept network."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
import torch
from torch import nn

from engine.models import kept
from engine.models.weights import SIDE, edit, look
from engine.network.build import build
from engine.network.describe import describe
from engine.network.spec import NetworkSpec
from engine.training.run import train


def chain(*layers: tuple[str, str, dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    nodes = [{"id": i, "type": t, "params": p, **more} for i, t, p, more in layers]
    edges = [[a["id"], b["id"]] for a, b in itertools.pairwise(nodes)]
    return {"version": 1, "nodes": nodes, "edges": edges, "outputs": [nodes[-1]["id"]]}


def small(**hidden: Any) -> dict[str, Any]:
    return chain(
        ("x", "Input", {"shape": [1, 8, 8]}, {}),
        ("conv", "Conv2d", {"out_channels": 4, "kernel_size": 3}, hidden.pop("conv", {})),
        ("relu", "ReLU", {}, {}),
        ("flat", "Flatten", {}, {}),
        ("hidden", "Linear", {"out_features": 12}, hidden),
        ("tanh", "Tanh", {}, {}),
        ("scores", "Linear", {"out_features": 10}, {}),
    )


def run(spec: dict[str, Any], folder: Any, **settings: Any) -> nn.Module:
    for _ in train(spec, "digits", folder=folder, epochs=1, batch_size=256, **settings):
        pass
    return kept.load(folder).module


def test_the_matrix_of_a_linear_is_its_weight_and_that_of_a_convolution_its_kernels() -> None:
    torch.manual_seed(5)
    net = build(small())
    told = look("hidden", spec=small(), seed=5)
    assert told["grid"] == [12, 144]
    assert told["step"] == [1, 2]
    part = look("hidden", spec=small(), seed=5, window=[2, 100, 3, 44])
    expected = net.get_parameter("hidden.weight")[2:5, 100:144]
    torch.testing.assert_close(torch.tensor(part["values"]), expected, rtol=1e-4, atol=1e-6)
    tiles = look("conv", spec=small(), seed=5)
    assert (tiles["tile"], tiles["grid"]) == ([3, 3], [12, 3])
    kernel = net.get_parameter("conv.weight")
    assert tiles["values"][3 * 2 + 1][2] == pytest.approx(kernel[2, 0, 1, 2].item(), rel=1e-4)


def test_a_large_matrix_is_shown_coarser_by_its_largest_numbers() -> None:
    spec = chain(
        ("x", "Input", {"shape": [300]}, {}),
        ("y", "Linear", {"out_features": 1000}, {"start": [[[777, 123], -5.0]]}),
    )
    told = look("y", spec=spec)
    assert told["step"] == [8, 3]
    assert max(told["rows"], told["columns"]) <= SIDE
    assert told["values"][777 // 8][123 // 3] == -5.0
    assert told["low"] == -5.0


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW"])
def test_a_cut_connection_stays_zero_through_training(tmp_path: Any, optimizer: str) -> None:
    spec = small(cut=[[3, 5], [0]], conv={"cut": [[1, 0, 2, 2], [2, 0]]})
    net = run(spec, tmp_path, optimizer=optimizer, momentum=0.9, weight_decay=0.01)
    weight, kernel = net.get_parameter("hidden.weight"), net.get_parameter("conv.weight")
    assert weight[3, 5] == 0
    assert not weight[0].any()
    assert (weight == 0).sum() == 1 + 144
    assert kernel[1, 0, 2, 2] == 0
    assert (kernel == 0).sum() == 1 + 9
    cells = look("conv", folder=str(tmp_path))["cut"]
    assert len(cells) == 10
    assert [1 * 3 + 2, 2] in cells


def test_a_copy_of_the_network_and_foreign_weights_are_cut_too() -> None:
    net = build(small(cut=[[3, 5]]))
    state = {name: torch.ones_like(value) for name, value in net.state_dict().items()}
    net.load_state_dict(state)
    assert net.eval().get_parameter("hidden.weight")[3, 5] == 0
    twin = copy.deepcopy(net).train()
    optimizer = torch.optim.SGD(twin.parameters(), 0.1)
    for _ in range(2):
        twin(torch.rand(4, 1, 8, 8)).square().sum().backward()  # type: ignore[union-attr]
        optimizer.step()
    assert twin.eval().get_parameter("hidden.weight")[3, 5] == 0


def test_training_does_not_move_a_frozen_layer_or_a_frozen_block(tmp_path: Any) -> None:
    spec = small(frozen=True, start=[[[0, 0], 0.125], [[3], -2.0, "bias"]])
    torch.manual_seed(0)
    before = build(spec)
    net = run(spec, tmp_path)
    assert net.get_parameter("hidden.weight")[0, 0] == 0.125
    assert net.get_parameter("hidden.bias")[3] == -2
    torch.testing.assert_close(
        net.get_parameter("hidden.weight"), before.get_parameter("hidden.weight")
    )
    assert not torch.equal(net.get_parameter("conv.weight"), before.get_parameter("conv.weight"))
    block = {
        "nodes": [
            {"id": "a", "type": "Input"},
            {"id": "b", "type": "Linear", "params": {"out_features": 3}},
        ],
        "edges": [["a", "b"]],
    }
    frozen = {
        "id": "twice",
        "type": "Block",
        "params": {"block": "one", "repeat": 2},
        "frozen": True,
    }
    nodes = [{"id": "x", "type": "Input", "params": {"shape": [3]}}, frozen]
    whole = build({"nodes": nodes, "edges": [["x", "twice"]], "blocks": {"one": block}})
    assert not any(p.requires_grad for p in whole.parameters())


def test_one_number_of_a_kept_network_is_changed_everywhere(tmp_path: Any) -> None:
    spec = small(cut=[[3, 5]])
    net = run(spec, tmp_path)
    old = net.get_parameter("hidden.weight")[2, 7].item()
    told = edit(str(tmp_path), "hidden", [2, 7], 0.75)
    assert told == {"before": pytest.approx(old), "after": 0.75}
    assert kept.load(tmp_path).module.get_parameter("hidden.weight")[2, 7] == 0.75
    for _ in train(spec, "digits", folder=tmp_path, epochs=1, batch_size=256):
        pass  # nothing is left to do: what stands in the checkpoint is written again
    assert kept.load(tmp_path).module.get_parameter("hidden.weight")[2, 7] == 0.75
    for node, index, value, words in [
        ("hidden", [2], 1.0, "12 × 144"),
        ("hidden", [3, 5], 1.0, "cut"),
        ("hidden", [0, 0], float("nan"), "between"),
        ("hiden", [0, 0], 1.0, "did you mean 'hidden'"),
        ("tanh", [0], 1.0, "no weights"),
    ]:
        with pytest.raises(ValueError, match=words):
            edit(str(tmp_path), node, index, value)


def test_tied_weights_are_changed_together(tmp_path: Any) -> None:
    from safetensors.torch import load_file, save_file

    spec = chain(
        ("x", "Input", {"shape": [4], "dtype": "token", "vocabulary": 9}, {}),
        ("wte", "Embedding", {"num_embeddings": 9, "embedding_dim": 6}, {}),
        ("head", "Linear", {"out_features": 9, "bias": False}, {"tied": "wte"}),
    )
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    state = {k: v.detach().clone() for k, v in build(spec).state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    edit(str(tmp_path), "head", [8, 1], 3.0)
    after = load_file(tmp_path / "weights.safetensors")
    assert after["wte.weight"][8, 1] == after["head.weight"][8, 1] == 3.0


def test_what_lies_outside_of_a_layer_is_told_with_a_repair() -> None:
    spec = small(cut=[[99, 0], [3, 5]], start=[[[1, 2], 1.0], [[0], 1.0, "bais"]])
    (problem,) = describe(spec)["nodes"]["hidden"]["problems"]
    assert problem["level"] == "error"
    assert "[99, 0] lies outside of its weight of 12 × 144" in problem["text"]
    repaired = problem["fixes"][0]["spec"]
    node = NetworkSpec.parse(repaired).node("hidden")
    assert node.cut == ((3, 5),)
    assert [one.place for one in node.start] == [(1, 2)]
    assert not describe(repaired)["nodes"]["hidden"]["problems"]
    with pytest.raises(ValueError, match="outside"):
        build(spec)


def test_a_layer_of_a_giant_is_seen_without_the_giant() -> None:
    spec = chain(
        ("x", "Input", {"shape": [4096]}, {}),
        ("wide", "Linear", {"out_features": 40_000}, {}),
        ("narrow", "Linear", {"out_features": 2}, {}),
    )
    assert look("narrow", spec=spec)["grid"] == [2, 40_000]
    with pytest.raises(ValueError, match="163,880,000 parameters"):
        look("wide", spec=spec)


def test_the_script_taken_home_cuts_freezes_and_sets_alike() -> None:
    from engine.export.script import script
    from engine.importing.source import read_source

    first = [[[3, 6], 0.25], [[0], -1.0, "bias"]]
    spec = small(cut=[[3, 5]], start=first, conv={"cut": [[2]], "frozen": True})
    again = read_source(script(spec))
    for id in ("hidden", "conv"):
        one, other = NetworkSpec.parse(spec).node(id), again.node(id)
        assert (one.cut, one.start, one.frozen) == (other.cut, other.start, other.frozen)
    names: dict[str, Any] = {"__name__": "network"}
    exec(script(spec), names)  # noqa: S102 - our own text
    torch.manual_seed(3)
    theirs = names["Network"]()
    torch.manual_seed(3)
    ours = build(spec)
    for (name, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    optimizer = torch.optim.AdamW(theirs.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        theirs(torch.rand(4, 1, 8, 8)).square().sum().backward()
        optimizer.step()
    assert theirs.hidden.weight[3, 5] == 0
    assert torch.equal(theirs.conv.weight, ours.get_parameter("conv.weight"))
    assert not torch.equal(theirs.hidden.weight, ours.get_parameter("hidden.weight"))
