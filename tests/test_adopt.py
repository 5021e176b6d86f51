"""Networks that were not trained here are kept like those that were, and pages can look at them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.explain.study import study
from engine.models.adopt import adopt, go_on
from engine.models.inputs import Samples
from engine.models.kept import load
from engine.network.build import build
from engine.network.templates import find
from engine.store.home import run_folder

LENET = find("lenet-digits").spec
PICTURES = {
    "nodes": [
        {"id": "image", "type": "Input", "params": {"shape": [3, 9, 9]}},
        {"id": "flat", "type": "Flatten"},
        {"id": "scores", "type": "Linear", "params": {"out_features": 4}},
    ],
    "edges": [["image", "flat"], ["flat", "scores"]],
}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))


def test_first_weights_are_those_a_training_begins_with_and_know_nothing() -> None:
    id = adopt(LENET.to_json(), data="digits", seed=3)
    torch.manual_seed(3)
    expected = build(LENET).state_dict()
    kept = load(run_folder(id))
    for name, tensor in kept.module.state_dict().items():
        torch.testing.assert_close(tensor, expected[name])
    assert kept.summary["origin"] == "first"
    assert kept.summary["steps"] == 0
    assert kept.summary["accuracy"] < 0.4  # ten classes: a guess is right in a tenth
    assert kept.classes == tuple("0123456789")


def test_imported_weights_are_kept_as_they_came() -> None:
    torch.manual_seed(8)
    weights = {name: t.numpy() for name, t in build(LENET).state_dict().items()}
    kept = load(run_folder(adopt(LENET.to_json(), weights, "digits")))
    for name, tensor in kept.module.state_dict().items():
        torch.testing.assert_close(tensor, torch.from_numpy(weights[name]))
    assert kept.summary["origin"] == "imported"


def test_weights_of_another_network_are_refused_by_name() -> None:
    weights = build(PICTURES).state_dict()
    with pytest.raises(ValueError, match=r"weights: has no tensor 'conv1\.weight'"):
        adopt(LENET.to_json(), weights, "digits")
    assert not (run_folder("x").parent).exists()


def test_a_model_that_no_data_fits_is_shown_noise() -> None:
    id = adopt(PICTURES, data="digits")
    kept = load(run_folder(id))
    assert (kept.data, kept.classes) == ("", ())
    given = Samples(kept).choose("data", 5, [])
    assert given.x.shape == (1, 3, 9, 9)
    assert given.words.startswith("noise 5")
    frame = next(study(str(run_folder(id))))
    assert frame.waits or frame.views
    assert "accuracy" not in json.loads((run_folder(id) / "summary.json").read_text())


def test_a_trained_model_whose_connection_is_cut_keeps_all_else_it_has_learnt() -> None:
    id = adopt(LENET.to_json(), data="digits", seed=3)
    spec = LENET.to_json()
    for node in spec["nodes"]:
        if node["id"] == "conv1":
            node.update(cut=[[2]], frozen=True)
    before, after = load(run_folder(id)), load(run_folder(go_on(id, spec, "digits")))
    for name, tensor in after.module.state_dict().items():
        expected = before.module.state_dict()[name].clone()
        if name == "conv1.weight":
            expected[2] = 0
        torch.testing.assert_close(tensor, expected)
    assert after.summary["origin"] == "edited"
    with pytest.raises(LookupError):
        go_on("../../etc", spec)
