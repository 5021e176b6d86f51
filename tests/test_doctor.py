"""The training doctor: runs made ill on purpose are found out, healthy ones are left in peace."""

import json

import numpy as np
import pytest
import torch

from engine.data import DataSet, load
from engine.network.spec import NetworkSpec
from engine.network.templates import spec_of
from engine.training.doctor import rules
from engine.training.doctor.visit import Doctor
from engine.training.run import begin, train
from engine.training.session import Diverged
from engine.training.settings import Settings
from tests.test_training import chain


def mlp(depth=2, width=16, activation="ReLU", inputs=2, outputs=2):
    hidden = [
        layer
        for k in range(depth)
        for layer in (
            (f"hidden{k}", "Linear", {"out_features": width}),
            (f"act{k}", activation, {}),
        )
    ]
    first = ("point", "Input", {"shape": [inputs]})
    return chain(first, *hidden, ("scores", "Linear", {"out_features": outputs}))


def visited(spec, data, **settings):
    """The names of the findings after the run."""
    samples = load(data) if isinstance(data, str) else data
    chosen = Settings(**{"learning_rate": 0.01, "epochs": 30, "batch_size": 20, **settings})
    session = begin(NetworkSpec.parse(spec), samples, chosen)
    while not session.finished:
        session.advance()
    return {one.name: one for one in Doctor(session).findings()}


def table(train_x, train_y, valid_x, valid_y, classes=("a", "b")):
    x, y, u, v = (np.asarray(one, dtype=np.float32) for one in (train_x, train_y, valid_x, valid_y))
    tensors = [torch.from_numpy(one) for one in (x, y, u, v)]
    return DataSet(
        "own", "classification", tensors[0], tensors[1].long(), tensors[2], tensors[3].long(),
        classes, tuple(x.shape[1:]), features=tuple(f"c{k}" for k in range(x.shape[1])),
    )  # fmt: skip


def random(n, seed, features=5):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, features)), generator


def test_dead_relu_units_are_found_and_the_fix_brings_them_back():
    spec = mlp(3)
    ill = visited(spec, "moons", optimizer="SGD", learning_rate=3.0, seed=3)
    assert "Dead ReLU units" in ill or "Stuck at guessing" in ill
    ill = visited(spec, "moons", optimizer="Adam", learning_rate=1.0, seed=0)
    finding = ill["Dead ReLU units"]
    healed = json.loads(json.dumps(spec).replace('"ReLU"', f'"{finding.replace["ReLU"]}"'))
    well = visited(healed, "moons", **{"optimizer": "Adam", **finding.settings})
    assert "Dead ReLU units" not in well


def test_gradients_that_vanish_through_ten_sigmoids_are_found():
    ill = visited(mlp(10, activation="Sigmoid"), "moons", epochs=10)
    assert "Vanishing gradients" in ill
    finding = ill["Vanishing gradients"]
    healed = json.loads(json.dumps(mlp(10, activation="Sigmoid")).replace("Sigmoid", "ReLU"))
    assert "Vanishing gradients" not in visited(healed, "moons", epochs=10, **finding.settings)


def test_gradients_that_explode_from_wide_first_weights_are_found():
    spec = mlp(6, width=32)
    ill = visited(spec, "moons", initialisation="wide normal", epochs=3, learning_rate=1e-4)
    assert "Exploding gradients" in ill


def test_learning_by_heart_is_found():
    x, generator = random(60, 0)
    u, _ = random(200, 1)
    data = table(x, generator.integers(0, 2, 60), u, generator.integers(0, 2, 200))
    ill = visited(mlp(2, width=64, inputs=5), data, epochs=150)
    assert "Overfitting" in ill
    assert ill["Overfitting"].settings["patience"]


def test_steps_that_are_too_long_are_found():
    spec = mlp(2, activation="Tanh")
    ill = visited(spec, "spirals", optimizer="SGD", learning_rate=3.0, epochs=40)
    finding = ill["Learning rate too large"]
    well = visited(spec, "spirals", optimizer="SGD", epochs=40, **finding.settings)
    assert "Learning rate too large" not in well


def test_steps_that_are_too_short_are_found_and_ten_times_longer_ones_are_offered():
    ill = visited(mlp(1), "gauss", optimizer="SGD", learning_rate=2e-4, epochs=15)
    assert ill["Learning rate too small"].settings["learning_rate"] == pytest.approx(2e-3)


def test_a_network_that_cannot_begin_is_found():
    ill = visited(mlp(2), "moons", initialisation="zeros", epochs=40)
    assert "Stuck at guessing" in ill


def test_a_rare_class_that_is_given_up_is_found_and_balance_heals_it():
    x, generator = random(400, 0)
    u, other = random(200, 1)
    rule = lambda rows, gen: (rows[:, 0] + gen.normal(size=len(rows)) > 2.6).astype(int)  # noqa: E731
    data = table(x, rule(x, generator), u, rule(u, other))
    ill = visited(mlp(1, inputs=5), data, epochs=5, learning_rate=0.003)
    assert "A rare class is given up" in ill
    well = visited(mlp(1, inputs=5), data, epochs=5, learning_rate=0.003, balance=True)
    assert "A rare class is given up" not in well


def test_answers_that_leak_are_found():
    x, generator = random(200, 0)
    y = generator.integers(0, 2, 200)
    given = np.concatenate([x, y[:, None] * 2.0], axis=1)
    ill = visited(mlp(1, inputs=6), table(given[:150], y[:150], given[150:], y[150:]), epochs=3)
    assert "'c5'" in ill["An answer is given away"].evidence
    doubled = table(x, y, np.concatenate([x[:20], x[:20] + 1]), np.tile(y[:20], 2))
    ill = visited(mlp(1, inputs=5), doubled, epochs=3)
    assert "50 %" in ill["Validation samples seen in training"].evidence


def test_inputs_of_very_different_size_are_found():
    x, generator = random(200, 0)
    y = generator.integers(0, 2, 200)
    ill = visited(mlp(1, inputs=5), table(x[:150] * 1000, y[:150], x[150:] * 1000, y[150:]))
    assert "Inputs of very different size" in ill


def test_a_loss_that_is_no_number_is_written_down_with_the_layer_and_a_fix(tmp_path):
    wild = train(
        mlp(3, activation="ELU", inputs=10, outputs=1), "diabetes", folder=tmp_path,
        optimizer="SGD", learning_rate=3.0, epochs=50,
    )  # fmt: skip
    with pytest.raises(Diverged):
        for _ in wild:
            pass
    (finding,) = json.loads((tmp_path / "findings.json").read_text())
    assert finding["name"] == "The loss is no number"
    assert finding["settings"]["learning_rate"] == pytest.approx(0.3)


HEALTHY = [
    ("mlp-2d", "moons", {"epochs": 60}),
    ("mlp-2d", "spirals", {"epochs": 200, "learning_rate": 0.01}),
    ("lenet-digits", "digits", {"epochs": 4, "learning_rate": 0.003, "batch_size": 64}),
]


@pytest.mark.parametrize(("template", "data", "settings"), HEALTHY)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_healthy_run_is_left_in_peace(template, data, settings, seed, compiled, monkeypatch):
    monkeypatch.setattr("engine.training.route.ready", lambda: compiled)
    assert not visited(spec_of(template), data, seed=seed, **settings)


def test_every_rule_says_in_a_sentence_what_it_looks_for():
    assert len(rules.all()) >= 10
    assert all(entry.help.endswith(".") for entry in rules.all().values())
