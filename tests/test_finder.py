"""The search for a learning rate: held against the limit that theory knows."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from engine.data import DataSet
from engine.models.kept import load as load_kept
from engine.network.templates import spec_of
from engine.store.home import run_folder
from engine.training.finder import advise, find, smoothed, walk
from engine.training.run import train
from engine.training.session import Session
from engine.training.settings import Settings
from tests.test_training import finish, mlp

FEATURES, SAMPLES = 6, 512


def regression(curvature):
    """Linear data whose squared error has the largest curvature `curvature`, to the digit."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SAMPLES, FEATURES, generator=generator)
    x -= x.mean(0)
    root = torch.linalg.cholesky(x.T @ x / SAMPLES)
    white = torch.linalg.solve_triangular(root, x.T, upper=False).T  # its moments are exactly 1
    x = white * (torch.linspace(0.1, 1.0, FEATURES) * curvature / 2).sqrt()
    noise = 0.3 * torch.randn(SAMPLES, 1, generator=generator)
    y = x @ torch.ones(FEATURES, 1) + noise
    return DataSet("linear", "regression", x, y, x[:50], y[:50], (), (FEATURES,))


def searched(curvature, **chosen):
    torch.manual_seed(0)
    data = regression(curvature)
    settings = Settings(batch_size=SAMPLES, **chosen)
    session = Session(nn.Linear(FEATURES, 1, bias=False), data, settings)
    rates = np.geomspace(0.01 / curvature, 100 / curvature, 300)
    losses = np.array(list(walk(session, rates)))
    return advise(rates[: len(losses)], losses)


@pytest.mark.parametrize("curvature", [0.5, 2.0, 8.0])
def test_the_loss_is_seen_to_rise_where_descent_stops_converging(curvature):
    """Descent on a quadratic converges below 2 / λ; a rise must grow for some steps to be seen."""
    found = searched(curvature, optimizer="SGD")
    assert 0.85 < found.limit / (2 / curvature) < 1.4
    assert found.rate < 2 / curvature


@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_momentum_moves_that_place_as_polyak_says(momentum):
    """The limit is 2 (1 + β) / λ; a heavy ball swings before it, so the rise is seen earlier."""
    found = searched(2.0, optimizer="Momentum", momentum=momentum)
    assert 0.6 < found.limit / (1 + momentum) < 1.4


def test_the_loss_falls_fastest_where_it_was_made_to():
    rates = np.geomspace(1e-5, 10, 210)
    place = 10**-2.5
    losses = 1 + 1 / (1 + (rates / place) ** 2)  # its slope over ln(rate) is least at `place`
    advice = advise(rates, losses)
    assert advice.steepest == pytest.approx(place, rel=0.1)
    assert math.isnan(advice.limit)


def test_smoothing_leaves_a_straight_line_and_moves_no_step():
    steep = np.concatenate([np.full(60, 1.0), np.full(60, 0.1)])
    line = smoothed(steep)
    assert np.allclose(smoothed(np.full(50, 0.3)), 0.3)
    assert np.argmin(np.gradient(np.log(line))) in (59, 60)


def test_a_loss_that_no_rate_changes_gives_no_rate():
    advice = advise(np.geomspace(1e-5, 10, 210), np.full(210, 2.3))
    assert math.isnan(advice.rate)
    assert "cannot learn" in advice.reason


def test_the_rate_found_trains_better_than_a_tenth_and_ten_times_of_it():
    """On the user's own way of training: the network that takes the rate ends lowest."""
    spec, settings = spec_of("lenet-digits"), {"optimizer": "Momentum", "batch_size": 64}
    *_, last = find(spec, "digits", settings)
    rate = last.facts["suggested rate"]
    losses = []
    for factor in (0.1, 1.0, 10.0):
        chosen = {**settings, "epochs": 2, "learning_rate": min(3.0, rate * factor)}
        losses.append(_validation(spec, "digits", chosen))
    assert losses[1] == min(losses)


def _validation(spec, data, chosen):
    try:
        frame = finish(train(spec, data, **chosen))
    except ValueError:  # it diverged
        return math.inf
    return frame.views["loss"].lines["validation"][-1]


def test_a_search_from_a_runs_weights_leaves_the_run_as_it_was(home):
    folder = run_folder("one")
    finish(train(mlp(), "moons", folder=folder, epochs=40, learning_rate=0.05))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    frames = list(find(mlp(), "moons", {"batch_size": 32}, run="one"))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert load_kept(folder).summary["finished"]
    first = frames[0].views["finder"].lines["each batch"][0]
    fresh = next(find(mlp(), "moons", {"batch_size": 32})).views["finder"].lines["each batch"][0]
    assert first < fresh / 2  # it began from what had been learnt
