"""The walk equals autograd, the landscape is the loss, the past is as it was."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from engine.data import load
from engine.network.build import build
from engine.network.spec import NetworkSpec
from engine.network.templates import spec_of
from engine.store.home import run_folder
from engine.training import travel
from engine.training.objective import Objective
from engine.training.run import train
from engine.training.settings import Settings
from engine.understand import landscape, past, story
from engine.understand.slopes import slopes
from engine.understand.walk import walk
from tests.test_training import chain, finish, mlp


def residual():
    nodes = [
        ("image", "Input", {"shape": [1, 8, 8]}),
        ("conv1", "Conv2d", {"out_channels": 4, "kernel_size": 3, "padding": 1}),
        ("norm", "BatchNorm2d", {}),
        ("relu", "ReLU", {}),
        ("conv2", "Conv2d", {"out_channels": 4, "kernel_size": 3, "padding": 1}),
        ("add", "Add", {}),
        ("pool", "MaxPool2d", {"kernel_size": 2}),
        ("flat", "Flatten", {}),
        ("drop", "Dropout", {"p": 0.3}),
        ("scores", "Linear", {"out_features": 10}),
    ]
    ids = [id for id, _, _ in nodes]
    return {
        "version": 1,
        "nodes": [{"id": id, "type": kind, "params": params} for id, kind, params in nodes],
        "edges": [*(list(pair) for pair in itertools.pairwise(ids)), ["relu", "add"]],
        "outputs": ["scores"],
    }


def bends():
    layers = [("LeakyReLU", {}), ("Tanh", {}), ("Sigmoid", {}), ("SiLU", {}), ("Identity", {})]
    parts = [("point", "Input", {"shape": [2]})]
    for number, (kind, params) in enumerate(layers):
        parts.append((f"linear{number}", "Linear", {"out_features": 6}))
        parts.append((f"norm{number}", "LayerNorm", {"normalized_shape": [6]}))
        parts.append((f"bend{number}", kind, params))
    return chain(*parts, ("scores", "Linear", {"out_features": 2}), ("chances", "Softmax", {}))


NETWORKS = {
    "points": (mlp(), "moons"),
    "bends": (bends(), "moons"),
    "residual": (residual(), "digits"),
    "lenet": (spec_of("lenet-digits"), "digits"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_walk_back_is_autograd(name):
    spec, data = NETWORKS[name]
    torch.manual_seed(0)
    module = build(NetworkSpec.parse(spec)).eval()
    samples = load(data)
    objective = Objective(samples, Settings())
    x, y = samples.train_x[3:4], samples.train_y[3:4]
    way = walk(module, samples.inputs(x), y, objective)
    loss = objective.loss(module(x), y)
    loss.backward()
    assert way.loss == pytest.approx(loss.item(), abs=1e-6)
    found = {
        f"{stop.name}.{key}": gradient
        for stop in way.stops
        for key, gradient in stop.weights.items()
    }
    wanted = {key: p.grad for key, p in module.named_parameters()}
    assert set(found) == set(wanted)
    for key, gradient in wanted.items():
        assert torch.allclose(found[key], gradient, atol=1e-6), key


def test_every_written_slope_is_walked_in_these_tests():
    walked = {
        type(layer)
        for spec, _ in NETWORKS.values()
        for layer in build(NetworkSpec.parse(spec)).modules()
    }
    missing = {entry.facts["type"] for entry in slopes.all().values()} - walked
    assert missing <= {nn.Embedding}


def test_an_embedding_learns_only_in_the_rows_that_were_looked_up():
    torch.manual_seed(0)
    layer, x = nn.Embedding(7, 3), torch.tensor([[1, 4, 1]])
    g = torch.randn(1, 3, 3)
    (layer(x) * g).sum().backward()
    _, own = slopes.find("Embedding").function(layer, x, layer(x), g)
    assert torch.allclose(own["weight"], layer.weight.grad)


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """A finished linear regression, whose loss is a paraboloid."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PLAYGROUND_HOME", str(tmp_path_factory.mktemp("home")))
    patch.setattr(travel, "SHARE", float("inf"))
    spec = chain(("row", "Input", {"shape": [10]}), ("scores", "Linear", {"out_features": 1}))
    folder = run_folder("linear")
    finish(train(spec, "diabetes", folder=folder, epochs=6, optimizer="SGD", learning_rate=0.05))
    yield folder
    patch.undo()


def test_the_landscape_of_a_linear_regression_is_a_paraboloid(linear):
    land = landscape.Landscape(linear)
    both, path, share = land.plane("the run's own", 0)
    assert 0.9 < share <= 1.0 + 1e-6
    assert torch.allclose(path[-1], torch.zeros(2), atol=1e-6)
    reach = torch.linspace(-1, 1, 7)
    along = np.array([land.loss(land.end + t * both[0]) for t in reach])
    second = np.diff(along, 2)
    assert second == pytest.approx(np.full(5, second.mean()), rel=1e-2)
    assert second.mean() > 0


def test_a_normalised_direction_has_the_networks_own_filter_lengths():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(108, 4))
    weights = list(module.parameters())
    direction = torch.randn(sum(p.numel() for p in weights))
    parts = landscape.normalised(direction, weights).split([p.numel() for p in weights])
    for part, own in zip(parts, weights, strict=True):
        if own.ndim > 1:
            lengths = part.view_as(own).flatten(1).norm(dim=1)
            assert torch.allclose(lengths, own.detach().flatten(1).norm(dim=1), atol=1e-5)
        else:
            assert not bool(part.any())


def test_the_landscapes_page_grows_and_waits_with_its_caveat(linear):
    run = landscape.study(str(linear), fineness=9)
    frames = [next(run)]
    while not frames[-1].waits:
        frames.append(run.send(None))
    assert len(frames) > 1
    assert np.isfinite(frames[-1].views["land"].values).all()
    assert "A cut, not the land" in frames[-1].views["caveat"].text
    end = frames[-1].facts["loss at the end"]
    middle = frames[-1].views["land"].values.min()
    assert middle <= np.log10(end) + 0.05


def test_the_past_has_the_weights_and_curves_of_its_step(linear):
    steps = travel.kept(linear)
    run = past.study(str(linear), moment=0.0)
    first = next(run)
    assert first.waits
    assert first.facts["kept step"] == steps[0] == 0
    last = run.send({"moment": 100.0})
    assert last.facts["kept step"] == steps[-1]
    assert len(last.views["loss"].x) > len(first.views["loss"].x)
    again = past.restored(linear, steps[-1])
    kept = past.restored(linear, steps[0])
    assert not torch.equal(
        again.module.get_submodule("scores").weight, kept.module.get_submodule("scores").weight
    )


def test_the_story_goes_forward_to_the_loss_and_back_with_numbers(linear):
    run = story.study(str(linear))
    frame = next(run)
    assert frame.waits
    assert "z[0] =" in frame.views["sum"].text
    loss = run.send({"stop": 1})
    assert "begins the way back" in loss.views["sum"].text
    back = run.send({"stop": 2})
    assert "∂L/∂W[0," in back.views["sum"].text
    assert "weight" in back.views


def test_a_run_without_kept_steps_says_what_to_do(tmp_path):
    for study in (past.study, landscape.study, story.study):
        with pytest.raises(LookupError, match="train"):
            next(study(str(tmp_path)))
