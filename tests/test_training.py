"""Training: repeatable, steerable, resumable, and honest about what goes wrong."""

import itertools
import json
import time
from collections import deque

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from engine.data import load
from engine.forms import Form
from engine.models.kept import load as load_kept
from engine.network.templates import spec_of
from engine.training.hero import show
from engine.training.history import LONGEST, History
from engine.training.optimizers import optimizers
from engine.training.pictures import Pictures
from engine.training.run import train
from engine.training.session import Session, Settings
from engine.views import Bars, Curve, Field, Matrix, Neurons, Tiles

PATIENCE = 120.0  # seconds until a test gives up


def chain(*layers):
    """A spec whose layers, `(id, type, parameters)`, follow one another."""
    ids = [id for id, _, _ in layers]
    return {
        "version": 1,
        "nodes": [{"id": id, "type": kind, "params": params} for id, kind, params in layers],
        "edges": [list(pair) for pair in itertools.pairwise(ids)],
        "outputs": ids[-1:],
    }


def mlp(inputs=2, outputs=2, dropout=0.0):
    return chain(
        ("point", "Input", {"shape": [inputs]}),
        ("hidden", "Linear", {"out_features": 8}),
        ("tanh", "Tanh", {}),
        ("drop", "Dropout", {"p": dropout}),
        ("scores", "Linear", {"out_features": outputs}),
    )


def session(module=None, data="moons", **changes):
    torch.manual_seed(0)
    module = module or nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    usual = {
        "learning_rate": 0.05,
        "batch_size": 32,
        "epochs": 2,
        "optimizer": "SGD",
        "weight_decay": 0.0,
        "momentum": 0.9,
        "seed": 0,
    }
    return Session(module, load(data), Settings(**{**usual, **changes}))


def finish(run):
    """Go to the end; the last frame."""
    return deque(run, maxlen=1)[0]()


def weights(folder):
    return load_kept(folder).module.state_dict()


def interrupted(spec, data, folder, stop, **settings):
    """Train, close after `stop` steps, and go on in the same folder to the end."""
    run = train(spec, data, folder=folder, **settings)
    for _ in range(stop):
        next(run)
    run.close()
    return finish(train(spec, data, folder=folder, **settings))


def test_a_step_of_sgd_is_weights_minus_rate_times_gradient():
    one = session(nn.Linear(2, 2), batch_size=300, learning_rate=0.3)
    before = one.module.weight.detach().clone()
    x, y = one.data.train_x, one.data.train_y
    chances = (x @ before.T + one.module.bias.detach()).softmax(1)
    error = chances - torch.eye(2)[y]  # cross-entropy's slope, by hand
    expected = before - 0.3 * error.T @ x / len(x)
    one.advance()
    assert torch.allclose(one.module.weight, expected, atol=1e-6)


def test_a_linear_regression_reaches_the_normal_equations():
    one = session(nn.Linear(10, 1), "diabetes", batch_size=354, learning_rate=0.2, epochs=400)
    while not one.finished:
        one.advance()
    x = torch.cat([one.data.train_x, torch.ones(len(one.data.train_x), 1)], dim=1)
    best = torch.linalg.lstsq(x, one.data.train_y).solution
    least = (x @ best - one.data.train_y).square().mean().item()
    assert one.loss == pytest.approx(least, rel=2e-3)


@pytest.mark.parametrize("name", optimizers.all())
def test_every_optimizer_learns_and_resumes_exactly(name, tmp_path):
    entry = optimizers.find(name)
    settings = {"epochs": 6, "optimizer": name, "learning_rate": entry.facts["rate"], "seed": 4}
    whole = finish(train(mlp(), "gauss", folder=tmp_path / "whole", **settings))
    broken = interrupted(mlp(), "gauss", tmp_path / "broken", 11, **settings)
    assert whole.facts["validation accuracy [%]"] > 85
    assert broken.facts["train loss [nat]"] == whole.facts["train loss [nat]"]
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.allclose(one[key], other[key], atol=1e-6) for key in one)


def test_a_network_with_dropout_and_convolutions_resumes_exactly(tmp_path):
    spec = chain(
        ("image", "Input", {"shape": [1, 8, 8]}),
        ("conv", "Conv2d", {"out_channels": 4, "kernel_size": 3}),
        ("norm", "BatchNorm2d", {}),
        ("relu", "ReLU", {}),
        ("flat", "Flatten", {}),
        ("drop", "Dropout", {"p": 0.5}),
        ("scores", "Linear", {"out_features": 10}),
    )
    finish(train(spec, "digits", folder=tmp_path / "whole", epochs=2, seed=1))
    interrupted(spec, "digits", tmp_path / "broken", 30, epochs=2, seed=1)
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "broken")
    assert all(torch.allclose(one[key], other[key], atol=1e-6) for key in one)


def test_the_seed_fixes_a_run_and_the_callers_random_state_is_left_alone():
    torch.manual_seed(77)
    state = torch.get_rng_state()
    one = finish(train(mlp(dropout=0.3), "moons", epochs=2, seed=5))
    same = finish(train(mlp(dropout=0.3), "moons", epochs=2, seed=5))
    other = finish(train(mlp(dropout=0.3), "moons", epochs=2, seed=6))
    key = "train loss [nat]"
    assert one.facts[key] == same.facts[key] != other.facts[key]
    assert torch.equal(torch.get_rng_state(), state)


def test_every_step_yields_a_frame_with_the_same_slots():
    made = list(train(mlp(), "spirals", epochs=1, batch_size=100))
    frames = [one() for one in made]
    assert len(frames) == 3 == frames[-1].of
    assert list(frames[0].views) == [
        "surface",
        "network",
        "loss",
        "accuracy",
        "confusion",
        "gradients",
    ]
    assert all(list(frame.views) == list(frames[0].views) for frame in frames)
    kinds = (Field, Neurons, Curve, Curve, Matrix, Bars)
    assert tuple(type(view) for view in frames[-1].views.values()) == kinds


def test_pictures_show_the_first_convolution_and_all_validation_samples():
    frame = finish(train(spec_of("lenet-digits"), "digits", epochs=1))
    tiles, confusion = frame.views["filters"], frame.views["confusion"]
    assert isinstance(tiles, Tiles)
    assert tiles.images.shape == (8, 3, 3)
    assert confusion.values.sum() == 360
    right = np.trace(confusion.values) / 3.6
    assert right == pytest.approx(frame.facts["validation accuracy [%]"], abs=1e-4)


def test_the_surface_is_the_networks_own_answer():
    one = session(nn.Linear(2, 2))
    one.advance()
    with torch.no_grad():
        one.module.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
        one.module.bias.zero_()
    field = Pictures(one).frame().views["surface"]
    x = np.linspace(-1.5, 1.5, field.values.shape[1])
    assert np.allclose(field.values, np.tanh(x / 2)[None, :], atol=1e-6)  # σ(x) − σ(−x)


def test_gradient_bars_are_the_norms_of_the_last_step():
    one = session()
    one.advance()
    bars = Pictures(one).frame().views["gradients"]
    layer = one.module[2]
    norm = torch.cat([layer.weight.grad.flatten(), layer.bias.grad]).norm().item()
    assert bars.series["gradient"][1] == pytest.approx(norm, rel=1e-6)


def test_a_rate_turned_to_the_least_stops_the_weights_and_leaves_a_mark():
    run = train(mlp(), "moons", epochs=3, learning_rate=0.5)
    next(run)
    first = run.send({"learning_rate": 1e-5})()
    later = first
    for made in run:
        later = made()
    assert later.facts["learning rate"] == 1e-5
    assert list(later.views["loss"].marks.values()) == [1.0]
    surface = later.views["surface"].values - first.views["surface"].values
    assert np.abs(surface).max() < 0.01  # without the change it moves by more than 0.5


def test_batch_size_turned_mid_run_loses_no_sample():
    run = train(mlp(), "moons", epochs=2, batch_size=100)  # 300 samples
    next(run)
    frame = run.send({"batch_size": 50})()
    assert frame.facts["epoch"] == pytest.approx(0.5)
    assert finish(run).facts["epoch"] == 2


def test_turned_controls_survive_an_interruption(tmp_path):
    run = train(mlp(), "moons", folder=tmp_path, epochs=2)
    next(run)
    run.send({"learning_rate": 0.25})
    run.close()
    resumed = next(train(mlp(), "moons", folder=tmp_path, epochs=2))()
    assert resumed.facts["learning rate"] == 0.25
    assert resumed.step == 3
    assert resumed.views["loss"].marks


def test_the_folder_tells_all_of_a_finished_run(tmp_path):
    finish(train(mlp(), "moons", folder=tmp_path, epochs=1))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["parameters"] == 2 * 8 + 8 + 8 * 2 + 2
    assert summary["finished"] is True
    kept = load_kept(tmp_path)
    assert kept.data == "moons"
    assert kept.classes == ("A", "B")
    assert not kept.module.training
    again = next(train(mlp(), "moons", folder=tmp_path, epochs=1))()
    assert again.step == summary["steps"]


def test_weights_of_another_shape_are_refused_by_name(tmp_path):
    finish(train(mlp(), "moons", folder=tmp_path, epochs=1))
    (tmp_path / "spec.json").write_text(json.dumps(mlp(outputs=3)))
    with pytest.raises(ValueError, match=r"scores.weight must have shape \(3, 8\).*got \(2, 8\)"):
        load_kept(tmp_path)


def test_a_corrupt_checkpoint_is_refused(tmp_path):
    finish(train(mlp(), "moons", folder=tmp_path, epochs=1))
    (tmp_path / "checkpoint.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(ValueError, match="no checkpoint of a training"):
        next(train(mlp(), "moons", folder=tmp_path, epochs=1))


@pytest.mark.parametrize(
    ("spec", "data", "words"),
    [
        (mlp(inputs=4), "moons", r"point: takes samples of shape \[4\], but moons has \[2\]; set"),
        (
            mlp(outputs=7),
            "moons",
            "scores: must give 2 numbers.*gives 7. Set its out_f",
        ),
        (mlp(inputs=10), "diabetes", "scores: must give 1 numbers.*gives 2"),
        (
            chain(
                ("point", "Input", {"shape": [2]}),
                ("scores", "Linear", {"out_features": 2}),
                ("chances", "Softmax", {"dim": 1}),
            ),
            "moons",
            "chances: the loss .* applies softmax itself; delete this node",
        ),
        (
            chain(("point", "Input", {"shape": [2]}), ("relu", "ReLU", {})),
            "moons",
            "no weights to learn",
        ),
    ],
)
def test_what_does_not_fit_is_told_before_the_first_step(spec, data, words):
    with pytest.raises(ValueError, match=words):
        next(train(spec, data))


def test_a_loss_that_explodes_is_told_with_the_layer_and_a_rate():
    one = session(learning_rate=3.0)
    with torch.no_grad():
        one.module[2].weight.fill_(float("inf"))
    with pytest.raises(ValueError, match=r"layer whose output is not finite is 2.*rate of 0.3"):
        one.advance()


def test_a_diverged_run_keeps_its_last_good_checkpoint(tmp_path):
    spec = chain(
        ("x", "Input", {"shape": [10]}),
        ("answer", "Linear", {"out_features": 1}),
    )
    run = train(spec, "diabetes", folder=tmp_path, epochs=1000, learning_rate=3.0, optimizer="SGD")
    with pytest.raises(ValueError, match="no longer a finite number"):
        finish(run)
    kept = load_file(tmp_path / "weights.safetensors")
    assert all(weight.isfinite().all() for weight in kept.values())


def test_a_long_history_is_thinned_but_keeps_both_ends():
    history = History(every=1)
    for step in range(1, 5001):
        if history.due(step):
            history.add(step, {"loss train": float(step)})
    history.add(5000, {"loss train": 5000.0})
    curve = history.curve(("loss train",), "loss")
    assert len(curve.x) <= LONGEST
    assert (curve.x[0], curve.x[-1]) == (1, 5000)
    assert np.array_equal(curve.x, curve.lines["train"])


def test_a_slider_being_moved_leaves_one_mark():
    history = History(every=10)
    for step in range(5):
        history.mark(step, "learning rate", step / 10)
    history.mark(100, "learning rate", 1.0)
    assert list(history.marks.values()) == [4.0, 100.0]


def test_the_home_pages_run_learns_the_spirals_and_ends():
    frame = finish(show(seconds=0.0))
    assert frame.step == frame.of
    assert list(frame.views) == ["surface", "loss"]
    assert frame.facts["validation accuracy [%]"] >= 95


def test_the_form_of_train_offers_what_can_be_turned_live():
    live = Form.of(train, "train").live()
    assert {"learning_rate", "batch_size", "momentum", "weight_decay"} <= set(live)


def test_lenet_reaches_96_percent_in_three_epochs_through_a_worker(mnist_folder, home, monkeypatch):
    jobs = pytest.importorskip("engine.jobs")
    monkeypatch.setenv("PLAYGROUND_DATA", str(mnist_folder))
    board = jobs.Board(jobs.Limits())
    try:
        settings = {"spec": spec_of("lenet"), "data": "mnist", "epochs": 3}
        run = board.start("engine.training.run:train", settings, owner="test")
        deadline = time.monotonic() + PATIENCE
        while run.state not in ("finished", "failed", "stopped"):
            assert time.monotonic() < deadline, run.state
            run.wait(run.version, 1.0)
        assert run.state == "finished", run.failure
        assert run.latest.facts["validation accuracy [%]"] >= 96
        assert load_kept(run.folder).summary["samples"] == 1000
    finally:
        board.close()
