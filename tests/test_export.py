"""A network taken home: the script alone is the same network, learns the same, and is clean."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.__main__ import main
from engine.data import load as load_data
from engine.export.notebook import notebook
from engine.export.script import code, script
from engine.export.weights import dump, load, spec_in
from engine.network.build import Network, build
from engine.network.templates import find, templates
from tests.test_network import BROKEN, RESIDUAL

SMALL = [
    *(n for n, one in templates().items() if one.data in ("digits", "mnist", "spirals")),
    *("char-gru", "gpt-small", "mamba-small"),
]
SEQUENCE = {
    "nodes": [
        {"id": "words", "type": "Input", "params": {"shape": [6], "dtype": "token"}},
        {"id": "table", "type": "Embedding", "params": {"num_embeddings": 9, "embedding_dim": 8}},
        {"id": "lstm", "type": "LSTM", "params": {"hidden_size": 8}},
        {"id": "look", "type": "DotAttention"},
        {"id": "self", "type": "SelfAttention", "params": {"heads": 2, "positions": "rotary"}},
        {"id": "head", "type": "Linear", "params": {"out_features": 9}},
    ],
    "edges": [
        ["words", "table"],
        ["table", "lstm"],
        ["lstm.1", "look"],
        ["lstm", "look"],
        ["look", "self"],
        ["self", "head"],
    ],
    "outputs": ["head", "look.1"],
}


def run(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "network.py", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def example_of(network: Network) -> torch.Tensor:
    (entry,) = [node for node in network.spec.nodes if node.type == "Input"]
    shape = entry.params["shape"]
    if entry.params.get("dtype") == "token":
        return torch.randint(0, 9, (4, *shape))
    return torch.randn(4, *shape)


def write(folder: Path, spec: Any, **settings: Any) -> Network:
    (folder / "network.py").write_text(script(spec, settings), encoding="utf-8")
    torch.manual_seed(1)
    network = build(spec)
    (folder / "weights.safetensors").write_bytes(dump(network))
    return network.eval()


@pytest.mark.parametrize("name", [*SMALL, "residual"])
def test_the_script_alone_gives_the_same_logits(name: str, tmp_path: Path) -> None:
    spec = RESIDUAL if name == "residual" else find(name).spec.to_json()
    network = write(tmp_path, spec)
    x = example_of(network)
    np.save(tmp_path / "x.npy", x.numpy())
    told = run(tmp_path, "--weights", "weights.safetensors", "--logits", "x.npy", "y.npy")
    assert f"{sum(p.numel() for p in network.parameters()):,} parameters" in told
    with torch.no_grad():
        expected = network(x).numpy()
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-5)


def test_several_outputs_are_written_by_name(tmp_path: Path) -> None:
    network = write(tmp_path, SEQUENCE)
    x = example_of(network)
    np.save(tmp_path / "x.npy", x.numpy())
    run(tmp_path, "--weights", "weights.safetensors", "--logits", "x.npy", "y.npz")
    with torch.no_grad():
        expected = network(x)
    with np.load(tmp_path / "y.npz") as found:
        assert set(found) == {"head", "look.1"}
        for key in found:
            np.testing.assert_allclose(found[key], expected[key].numpy(), atol=1e-5)


def test_a_network_of_several_inputs_is_a_script_without_training(tmp_path: Path) -> None:
    spec = {
        "nodes": [
            {"id": "a", "type": "Input", "params": {"shape": [3]}},
            {"id": "b", "type": "Input", "params": {"shape": [3]}},
            {"id": "both", "type": "Bilinear", "params": {"out_features": 2}},
        ],
        "edges": [["a", "both"], ["b", "both"]],
    }
    network = write(tmp_path, spec)
    a, b = torch.randn(2, 4, 3)
    np.save(tmp_path / "a.npy", a.numpy())
    np.save(tmp_path / "b.npy", b.numpy())
    run(tmp_path, "--weights", "weights.safetensors", "--logits", "a.npy", "b.npy", "y.npy")
    with torch.no_grad():
        expected = network(a, b).numpy()
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-5)
    with pytest.raises(ValueError, match="one input"):
        notebook(spec)


def test_tied_weights_survive_the_journey(tmp_path: Path) -> None:
    spec = {
        "nodes": [
            {"id": "words", "type": "Input", "params": {"shape": [5], "dtype": "token"}},
            {
                "id": "table",
                "type": "Embedding",
                "params": {"num_embeddings": 9, "embedding_dim": 4},
            },
            {
                "id": "head",
                "type": "Linear",
                "params": {"out_features": 9, "bias": False},
                "tied": "table",
            },
        ],
        "edges": [["words", "table"], ["table", "head"]],
        "outputs": ["head"],
    }
    network = write(tmp_path, spec)
    x = example_of(network)
    np.save(tmp_path / "x.npy", x.numpy())
    told = run(tmp_path, "--weights", "weights.safetensors", "--logits", "x.npy", "y.npy")
    assert "36 parameters" in told
    with torch.no_grad():
        np.testing.assert_allclose(np.load(tmp_path / "y.npy"), network(x).numpy(), atol=1e-5)


def test_the_script_learns_the_digits_and_its_weights_fit_here(tmp_path: Path) -> None:
    spec = find("lenet-digits").spec
    write(tmp_path, spec.to_json(), data="digits", epochs=6, seed=2)
    told = run(tmp_path)
    assert float(told.split()[-1]) > 0.9
    network = build(spec)
    load(network, tmp_path / "weights.safetensors")
    data = load_data("digits")
    with torch.no_grad():
        score = (network.eval()(data.valid_x).argmax(1) == data.valid_y).float().mean().item()
    assert score == pytest.approx(float(told.split()[-1]), abs=1e-4)
    again = run(tmp_path, "--weights", "weights.safetensors")
    assert float(again.split()[-1]) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize(
    "data",
    [
        "digits?seed=3",
        "moons",
        "spirals?arms=3",
        "plane",
        "iris",
        "stories",
        "induction",
        "reviews",
        "co2",
    ],
)
def test_the_script_makes_the_same_data(data: str) -> None:
    scope: dict[str, Any] = {"__name__": "script"}
    exec(script(find("mlp-2d").spec.to_json(), {"data": data}), scope)  # noqa: S102
    ours = load_data(data)
    for got, wanted in zip(
        scope["load"](), (ours.train_x, ours.train_y, ours.valid_x, ours.valid_y), strict=True
    ):
        torch.testing.assert_close(got, wanted)


def test_the_script_reads_the_same_mnist(
    mnist_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_DATA", str(mnist_folder))
    scope: dict[str, Any] = {"__name__": "script"}
    exec(script(find("lenet").spec.to_json(), {"data": "mnist"}), scope)  # noqa: S102
    ours = load_data("mnist")
    for got, wanted in zip(
        scope["load"](), (ours.train_x, ours.train_y, ours.valid_x, ours.valid_y), strict=True
    ):
        torch.testing.assert_close(got, wanted)


def test_the_same_seed_gives_the_same_first_weights() -> None:
    scope: dict[str, Any] = {"__name__": "script"}
    exec(script(RESIDUAL, {}), scope)  # noqa: S102
    torch.manual_seed(5)
    theirs = scope["Network"]().state_dict()
    torch.manual_seed(5)
    ours = build(RESIDUAL).state_dict()
    assert list(theirs) == list(ours)
    for name, tensor in ours.items():
        torch.testing.assert_close(theirs[name], tensor)


@pytest.mark.parametrize("name", [*SMALL, "residual", "sequence"])
def test_the_script_is_clean_and_imports_nothing_of_ours(name: str, tmp_path: Path) -> None:
    ruff = shutil.which("ruff", path=Path(sys.executable).parent) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    specs = {"residual": RESIDUAL, "sequence": SEQUENCE}
    spec = specs[name] if name in specs else find(name).spec.to_json()
    data = "spirals" if name == "mlp-2d" else "digits"
    text = script(spec, {"data": data, "optimizer": "Momentum"})
    assert "engine" not in text
    path = tmp_path / "network.py"
    path.write_text(text, encoding="utf-8")
    style = ["--isolated", "--line-length", "100"]
    style += ["--config", 'lint.pydocstyle.convention="google"']
    rules = ["--select", "E,F,W,I,N,UP,B,D", "--ignore", "N806,D107"]
    checked = subprocess.run(
        [ruff, "check", *style, *rules, path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
    laid = subprocess.run(
        [ruff, "format", *style, "--diff", path], capture_output=True, text=True, check=False
    )
    assert laid.returncode == 0, laid.stdout


def test_the_script_has_the_settings_of_the_run() -> None:
    settings = {"optimizer": "Nesterov", "learning_rate": 0.02, "momentum": 0.8, "batch_size": 10}
    text = script(find("mlp-2d").spec.to_json(), {**settings, "data": "moons", "epochs": 7})
    expected = "torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.8, nesterov=True)"
    assert expected in text
    assert "BATCH_SIZE = 10" in text
    assert "EPOCHS = 7" in text


def test_the_notebook_holds_the_same_code_and_its_cells_run(tmp_path: Path) -> None:
    spec = find("mlp-2d").spec.to_json()
    content = json.loads(notebook(spec, {"data": "moons", "epochs": 1}))
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
    cells = ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == "code"]
    (tmp_path / "network.py").write_text("\n\n".join(cells), encoding="utf-8")
    assert "accuracy" in run(tmp_path)
    assert (tmp_path / "weights.safetensors").exists()


def test_weights_say_whose_they_are_and_refuse_another_network(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(dump(build(find("mlp-2d").spec)))
    assert spec_in(path) == find("mlp-2d").spec
    with pytest.raises(ValueError, match=r"another network; it lacks conv1\.bias"):
        load(build(find("lenet-digits").spec), path)
    path.write_bytes(b"\x80\x04 a pickle, or anything")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load(build(find("mlp-2d").spec), path)


def test_a_title_cannot_break_out_of_the_script() -> None:
    spec = find("mlp-2d").spec.to_json()
    spec["title"] = 'x"""\nimport os\nos.remove("all")\n"""\\'
    compile(code(spec)["script"], "script", "exec")
    assert "\nos.remove" not in code(spec)["script"]


def test_a_broken_network_is_not_exported() -> None:
    with pytest.raises(ValueError, match=r"conv \(Conv2d\)"):
        script(BROKEN["a kernel larger than the image"])


def test_the_command_line_exports_and_tells_bad_input_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["templates", "mlp-2d", "--json"]) == 0
    spec = tmp_path / "spec.json"
    spec.write_text(capsys.readouterr().out)
    target = tmp_path / "network.py"
    assert main(["export", str(spec), "--to", "script", "-o", str(target), "epochs=2"]) == 0
    assert "EPOCHS = 2" in target.read_text()
    assert main(["describe", str(spec), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["totals"]["parameters"] == 114
    spec.write_text('{"nodes": [{"id": "a b", "type": "ReLU"}]}')
    for verb in (["describe", str(spec)], ["export", str(spec)], ["describe", "nowhere.json"]):
        assert main(verb) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
