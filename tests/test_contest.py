"""Races, sweeps and clouds: fair, repeatable, and plain about what went wrong."""

import math
from collections import deque

import numpy as np
import pytest

from engine.contest.cloud import cloud
from engine.contest.race import race
from engine.contest.sweep import DIALS, sweep
from engine.training.run import train
from tests.test_training import finish, mlp

QUICK = {"epochs": 4, "batch_size": 50}


def ended(run):
    """The last frame."""
    (last,) = deque(run, maxlen=1)
    return last() if callable(last) else last


def two(**second):
    return [{"name": "one", "settings": {}}, {"name": "two", "settings": second}]


def test_a_lane_ends_where_the_same_training_alone_ends():
    frame = ended(race(mlp(), "moons", two(learning_rate=0.05), QUICK))
    alone = finish(train(mlp(), "moons", learning_rate=0.05, **QUICK))
    last = frame.views["score"].lines["two"][-1]
    assert 100 * last == pytest.approx(alone.facts["validation accuracy [%]"], abs=1e-4)
    assert frame.step == frame.of


def test_lanes_stay_equally_far():
    apart = 0.0
    for frame in race(mlp(), "moons", two(batch_size=25), {"epochs": 6, "batch_size": 100}):
        shown = frame() if callable(frame) else frame
        parts = [row[1] for row in shown.views["lanes"].rows]
        if all(part.endswith("%") for part in parts):
            values = [float(part.split()[0]) for part in parts]
            apart = max(apart, max(values) - min(values))
    assert apart <= 100 / 12 + 100 / 18  # a step of the coarsest lane, and the rounding


def test_a_lane_that_diverges_ends_alone():
    wild = {
        "optimizer": "SGD",
        "learning_rate": 3.0,
        "loss": "formula",
        "loss_formula": "exp(30*p)",
    }
    lanes = two(**wild)
    frame = ended(race(mlp(10, 1), "diabetes", lanes, {"epochs": 30, "batch_size": 50}))
    states = {row[0]: row[1] for row in frame.views["lanes"].rows}
    assert states["one"] == "finished"
    assert "no longer a finite number" in states["two"]


@pytest.mark.parametrize(
    ("lanes", "words"),
    [
        (two()[:1], "2 to 8"),
        ([{"name": "a"}, {"name": "a"}], "different names"),
        (two(learning_rate=99.0), "two: .*learning_rate"),
        (two(optimiser="SGD"), "did you mean 'optimizer'"),
    ],
)
def test_lanes_that_make_no_sense_are_told(lanes, words):
    with pytest.raises(ValueError, match=words):
        next(race(mlp(), "moons", lanes))


@pytest.mark.parametrize("how", ["TPE", "random", "grid", "halving"])
def test_a_sweep_tries_settings_and_tells_the_best(how):
    settings = {"epochs": 2, "batch_size": 50}
    dials = "learning_rate,optimizer"
    frame = ended(sweep(mlp(), "gauss", settings, how=how, dials=dials, trials=9, seed=1))
    view = frame.views["settings"]
    assert view.names == ("learning_rate", "optimizer", "score")
    low, high = DIALS["learning_rate"]
    assert ((view.values[:, 0] >= low) & (view.values[:, 0] <= high)).all()
    assert frame.facts["best score [%]"] == pytest.approx(100 * np.nanmax(view.values[:, -1]))
    assert frame.step == frame.of
    again = ended(sweep(mlp(), "gauss", settings, how=how, dials=dials, trials=9, seed=1))
    assert np.array_equal(view.values, again.views["settings"].values, equal_nan=True)


def test_a_sweep_finds_that_the_rate_matters_and_another_dial_does_not():
    settings = {"epochs": 2, "batch_size": 50, "optimizer": "SGD", "clip": 0.0}
    frame = ended(
        sweep(mlp(), "gauss", settings, how="random", dials="learning_rate,clip", trials=40)
    )
    bars = frame.views["importance"]
    shares = dict(zip(bars.names, bars.series["share of the differences"], strict=True))
    assert shares["learning_rate"] > shares["clip"]


def test_a_sweep_over_nothing_says_what_there_is():
    with pytest.raises(ValueError, match="learning_rate"):
        next(sweep(mlp(), "moons", dials=""))


def test_a_cloud_has_a_network_for_each_seed_and_its_first_is_the_plain_run():
    frame = ended(cloud(mlp(), "moons", {**QUICK, "seed": 5}, networks=6))
    counts = frame.views["scores"].counts["networks"]
    assert counts.sum() == 6
    alone = finish(train(mlp(), "moons", seed=5, **QUICK)).facts["validation accuracy [%]"]
    one = ended(cloud(mlp(), "moons", {**QUICK, "seed": 5}, networks=2))
    ends = {one.facts["worst [%]"], one.facts["best [%]"]}
    assert any(math.isclose(alone, end, abs_tol=1e-4) for end in ends)


def test_a_cloud_that_would_never_end_is_refused_before_it_begins():
    with pytest.raises(ValueError, match="fewer networks"):
        next(cloud(mlp(), "moons", {"epochs": 1000, "batch_size": 1}, networks=300))


def test_a_lanes_curve_ends_at_the_epochs_that_were_asked_for():
    """Also where the last batch of an epoch is a smaller one."""
    settings = {"epochs": 6, "batch_size": 64}  # 300 samples: four batches and a part of one
    frame = ended(race(mlp(), "moons", two(batch_size=50), settings))
    assert frame.views["loss"].x[-1] == pytest.approx(6)
