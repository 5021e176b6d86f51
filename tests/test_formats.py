"""Networks taken home in other forms, and read back: the same function, the same counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from engine.__main__ import main
from engine.export.examples import examples
from engine.export.link import decode, encode
from engine.export.table import Wanted, find, formats
from engine.export.weights import dump
from engine.importing.found import Found
from engine.importing.onnx_file import read_onnx
from engine.importing.program import read_program
from engine.importing.table import import_file, state
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.network.templates import find as template
from engine.training.checkpoint import fit
from tests.test_export import SEQUENCE
from tests.test_network import RESIDUAL
from tests.test_read_source import HEAD, RESNET

FOLDED = ["lenet-digits", "resnet-digits", "unet-digits", "shufflenet-digits", "convnext-digits"]


def answers(network: torch.nn.Module, *inputs: torch.Tensor) -> list[np.ndarray]:
    with torch.no_grad():
        found = network.eval()(*inputs)
    listed = list(found.values()) if isinstance(found, dict) else [found]
    return [one.numpy() for one in listed]


def rebuilt(found: Found) -> torch.nn.Module:
    assert found.weights is not None
    network = build(found.spec)
    fit(network, {name: torch.tensor(array) for name, array in found.weights.items()}, "file")
    return network


def stirred(network: torch.nn.Module) -> torch.nn.Module:
    """Weights and statistics of which none is where it begins, nor far from there."""
    torch.manual_seed(4)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point():
                tensor.add_(0.1 * torch.randn_like(tensor))
    return network.eval()


def wanted(spec: NetworkSpec, folder: Path) -> tuple[Wanted, torch.nn.Module]:
    network = build(spec)
    stirred(network)
    path = folder / "weights.safetensors"
    path.write_bytes(dump(network))
    return Wanted(spec, weights=path), network


@pytest.mark.parametrize("name", [*FOLDED, "residual", "sequence"])
def test_onnx_computes_the_same(name: str, tmp_path: Path) -> None:
    named = {"residual": RESIDUAL, "sequence": SEQUENCE}
    spec = NetworkSpec.parse(named[name]) if name in named else template(name).spec
    asked, network = wanted(spec, tmp_path)
    session = onnxruntime.InferenceSession(find("onnx").make(asked))
    inputs = examples(spec, 3)  # another batch than it was traced with
    names = [one.name for one in session.get_inputs()]
    assert names == [node.id for node in spec.nodes if node.type == "Input"]
    given = {name: one.numpy() for name, one in zip(names, inputs, strict=True)}
    for ours, theirs in zip(answers(network, *inputs), session.run(None, given), strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-4)


@pytest.mark.parametrize("form", ["onnx", "torch-export"])
@pytest.mark.parametrize("name", FOLDED)
def test_what_is_written_is_read_back_with_its_blocks(name: str, form: str, tmp_path: Path) -> None:
    spec = template(name).spec
    asked, network = wanted(spec, tmp_path)
    content = find(form).make(asked)
    found = read_onnx(content) if form == "onnx" else read_program(content)
    assert not found.notes, "the graph itself must be readable"
    assert len(found.spec.nodes) == len(spec.nodes)
    x = examples(spec)
    np.testing.assert_allclose(answers(rebuilt(found), *x)[0], answers(network, *x)[0], atol=1e-5)


def test_resnet_50_comes_back_from_onnx_folded_and_with_every_parameter() -> None:
    spec = template("resnet50").spec
    found = read_onnx(find("onnx").make(Wanted(spec)))
    assert len(found.spec.nodes) == 11
    repeats = [n.params["repeat"] for n in found.spec.nodes if n.type == "Block"]
    assert repeats == [3, 4, 6, 3]  # He et al. (2015), table 1
    assert len(found.spec.blocks) == 1
    network = rebuilt(found)
    assert sum(p.numel() for p in network.parameters()) == 25_557_032  # torchvision's ResNet-50


def test_a_file_whose_graph_no_layer_draws_comes_back_by_its_own_spec(tmp_path: Path) -> None:
    spec = NetworkSpec.parse(SEQUENCE)
    asked, network = wanted(spec, tmp_path)
    found = read_program(find("torch-export").make(asked))
    assert found.notes
    assert found.notes[0].startswith("Read from the spec in the file")
    x = examples(spec)
    for ours, theirs in zip(answers(network, *x), answers(rebuilt(found), *x), strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)


def test_a_program_of_somebody_elses_classes_is_read_with_blocks(tmp_path: Path) -> None:
    scope: dict[str, Any] = {}
    exec(HEAD + RESNET, scope)  # noqa: S102 - the test's own text
    module = stirred(scope["ResNet"]())
    x = torch.randn(2, 1, 12, 12)
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(module, (x,), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "theirs.pt2")
    found = import_file("theirs.pt2", (tmp_path / "theirs.pt2").read_bytes())
    assert set(found.spec.blocks) == {"BasicBlock"}  # the projection became a Shortcut
    with torch.no_grad():
        expected = module(x).numpy()
    np.testing.assert_allclose(answers(rebuilt(found), x)[0], expected, atol=1e-5)


def foreign() -> bytes:
    """An ONNX file as other programs write them: nameless nodes, matrices the other way round."""
    make = np.random.default_rng(0)
    arrays = {
        "w": make.normal(size=(6, 2, 3, 3)),
        "scale": make.normal(size=6),
        "shift": make.normal(size=6),
        "mean": make.normal(size=6),
        "var": make.uniform(1, 2, 6),
        "m": make.normal(size=(6, 5)),
        "b": make.normal(size=5),
        "g": make.normal(size=(5, 3)),
        "c": make.normal(size=3),
    }
    stored = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    stored += [
        numpy_helper.from_array(np.array([0, 6], np.int64), "flat"),
        numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
        numpy_helper.from_array(np.array(0, np.float32), "low"),
        numpy_helper.from_array(np.array(6, np.float32), "high"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[0, 1, 1, 1], strides=[2, 2]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "var"], ["n"]),
        helper.make_node("Clip", ["n", "low", "high"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["p", "axes"], ["q"], keepdims=1),
        helper.make_node("Reshape", ["q", "flat"], ["f"]),
        helper.make_node("MatMul", ["f", "m"], ["h"]),
        helper.make_node("Add", ["h", "b"], ["i"]),
        helper.make_node("LeakyRelu", ["i"], ["j"], alpha=0.2),
        helper.make_node("Gemm", ["j", "g", "c"], ["k"], alpha=0.5),
        helper.make_node("Softmax", ["k"], ["y"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "theirs",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 9, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return bytes(model.SerializeToString())


def test_an_onnx_file_of_another_program_computes_the_same_here() -> None:
    content = foreign()
    found = read_onnx(content)
    x = torch.randn(4, 2, 9, 9)
    (expected,) = onnxruntime.InferenceSession(content).run(None, {"x": x.numpy()})
    np.testing.assert_allclose(answers(rebuilt(found), x)[0], expected, atol=1e-5)
    types = [node.type for node in found.spec.nodes]
    assert types.count("Linear") == 2
    assert "ReLU6" in types


def test_an_onnx_node_without_a_layer_is_named() -> None:
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Einsum", ["x"], ["y"], name="mix", equation="bij->bji")],
            "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 2])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2, 2])],
        )
    )
    with pytest.raises(ValueError, match=r"node 'mix' \(Einsum\): no layer does what Einsum does"):
        read_onnx(model.SerializeToString())


MANY = {
    "nodes": [
        {"id": "image", "type": "Input", "params": {"shape": [3, 12, 12]}},
        {
            "id": "conv",
            "type": "Conv2d",
            "params": {"out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1, "groups": 3},
        },
        {"id": "norm", "type": "BatchNorm2d"},
        {"id": "gelu", "type": "GELU"},
        {"id": "up", "type": "ConvTranspose2d", "params": {"out_channels": 4, "kernel_size": 2}},
        {"id": "group", "type": "GroupNorm", "params": {"num_groups": 2}},
        {"id": "leaky", "type": "LeakyReLU", "params": {"negative_slope": 0.2}},
        {"id": "pool", "type": "MaxPool2d", "params": {"kernel_size": 3, "padding": 1}},
        {"id": "dilated", "type": "Conv2d", "params": {"out_channels": 4, "kernel_size": 2}},
        {"id": "average", "type": "AvgPool2d", "params": {"kernel_size": 2, "stride": 1}},
        {"id": "grown", "type": "Upsample", "params": {"scale_factor": 3.0}},
        {"id": "both", "type": "Concat"},
        {"id": "drop", "type": "Dropout"},
        {"id": "order", "type": "Permute", "params": {"order": [1, 2, 0]}},
        {"id": "layer", "type": "LayerNorm"},
        {"id": "flat", "type": "Flatten"},
        {"id": "scores", "type": "Linear", "params": {"out_features": 5}},
        {"id": "chances", "type": "Softmax"},
    ],
    "edges": [
        ["image", "conv"],
        ["conv", "norm"],
        ["norm", "gelu"],
        ["gelu", "up"],
        ["up", "group"],
        ["group", "leaky"],
        ["leaky", "pool"],
        ["pool", "dilated"],
        ["dilated", "average"],
        ["average", "grown"],
        ["pool", "both"],
        ["grown", "both"],
        ["both", "drop"],
        ["drop", "order"],
        ["order", "layer"],
        ["layer", "flat"],
        ["flat", "scores"],
        ["scores", "chances"],
    ],
    "outputs": ["chances", "both"],
}


def there(form: str, spec: NetworkSpec, folder: Path, scope: dict[str, Any]) -> torch.nn.Module:
    """The code run with the weights in; our own network to compare with."""
    asked, network = wanted(spec, folder)
    text = find(form).make(asked).decode()
    assert "engine" not in text
    exec(compile(text, form, "exec"), scope)  # noqa: S102 - what is under test
    scope["model"] = scope["network"]()
    scope["load"](scope["model"], str(folder / "weights.safetensors"))
    return network


@pytest.mark.parametrize("which", ["many", "resnet-digits", "words"])
def test_keras_code_computes_the_same(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    spec = {"many": NetworkSpec.parse(MANY), "words": NetworkSpec.parse(WORDS)}.get(which)
    spec = spec or template(which).spec
    scope: dict[str, Any] = {"__name__": "written"}
    network = there("keras", spec, tmp_path, scope)
    x = examples(spec, 3)
    found = scope["model"](x[0].numpy(), training=False)
    listed = found if isinstance(found, list) else [found]
    for ours, theirs in zip(answers(network, *x), listed, strict=True):
        np.testing.assert_allclose(theirs.detach().numpy(), ours, atol=1e-4)


def test_flax_code_computes_the_same(tmp_path: Path) -> None:
    spec = NetworkSpec.parse(MANY)
    scope: dict[str, Any] = {"__name__": "written"}
    network = there("flax", spec, tmp_path, scope)
    x = examples(spec, 3)
    found = scope["model"](x[0].numpy())
    for ours, theirs in zip(answers(network, *x), found.values(), strict=True):
        np.testing.assert_allclose(np.asarray(theirs), ours, atol=1e-4)


WORDS = {
    "nodes": [
        {"id": "words", "type": "Input", "params": {"shape": [6], "dtype": "token"}},
        {"id": "table", "type": "Embedding", "params": {"num_embeddings": 9, "embedding_dim": 4}},
        {"id": "lstm", "type": "LSTM", "params": {"hidden_size": 5, "num_layers": 2}},
        {"id": "gru", "type": "GRU", "params": {"hidden_size": 3}},
        {"id": "last", "type": "Select", "params": {"index": -1}},
        {"id": "out", "type": "Linear", "params": {"out_features": 2}},
    ],
    "edges": [
        ["words", "table"],
        ["table", "lstm"],
        ["lstm", "gru"],
        ["gru", "last"],
        ["last", "out"],
    ],
    "outputs": ["out"],
}


@pytest.mark.parametrize("form", ["keras", "flax"])
def test_layers_without_a_counterpart_are_all_named(form: str) -> None:
    with pytest.raises(ValueError, match=r"no counterpart for: .*SelfAttention \(self\)"):
        find(form).make(Wanted(NetworkSpec.parse(SEQUENCE)))


@pytest.mark.parametrize("name", ["resnet50", "unet-digits", "mlp-2d"])
def test_a_link_carries_the_whole_network(name: str) -> None:
    spec = template(name).spec
    text = encode(spec)
    assert decode(f"https://here.example/build#net={text}") == spec
    assert len(text) < 4_000


@pytest.mark.parametrize("form", formats())
def test_every_form_can_be_made_at_the_command_line(form: str, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(template("mlp-2d").spec.to_json()))
    target = tmp_path / find(form).file
    assert main(["export", str(spec), "--to", form, "-o", str(target)]) == 0
    assert target.stat().st_size > 100


@pytest.mark.parametrize("form", ["onnx", "torch-export", "json", "link", "script", "safetensors"])
def test_what_the_command_line_writes_it_reads(form: str, tmp_path: Path) -> None:
    spec = template("mlp-2d").spec
    asked, network = wanted(spec, tmp_path)
    file = tmp_path / find(form).file
    file.write_bytes(find(form).make(asked))
    out, weights = tmp_path / "out.json", tmp_path / "out.safetensors"
    more = ["--weights-out", str(weights)] if find(form).holds else []
    assert main(["import", str(file), "-o", str(out), *more]) == 0
    found = NetworkSpec.parse(out.read_bytes())
    assert [node.type for node in found.nodes] == [node.type for node in spec.nodes]
    if more:
        again = import_file("w.safetensors", weights.read_bytes(), found)
        x = examples(spec)
        np.testing.assert_allclose(
            answers(rebuilt(again), *x)[0], answers(network, *x)[0], atol=1e-6
        )


def test_weights_alone_go_to_the_network_on_stage_or_are_refused_by_name() -> None:
    spec = template("mlp-2d").spec
    tensors = {name: one.numpy() for name, one in build(spec).state_dict().items()}
    found = import_file("w.safetensors", state(tensors), spec)
    assert found.spec == spec
    with pytest.raises(ValueError, match="open that one first"):
        import_file("w.safetensors", state(tensors))
    with pytest.raises(ValueError, match=r"do not fit the network: there is no conv1\.weight"):
        import_file("w.safetensors", state(tensors), template("lenet-digits").spec)
    with pytest.raises(ValueError, match="never opened here"):
        import_file("model.pth", b"\x80\x04pickle")


def test_a_picture_names_every_layer() -> None:
    text = find("svg").make(Wanted(template("resnet-digits").spec)).decode()
    for node in template("resnet-digits").spec.nodes:
        assert f">{node.id}<" in text
    spec = template("mlp-2d").spec.model_copy(update={"title": "<script>&"})
    assert "<script>" not in find("svg").make(Wanted(spec)).decode()
