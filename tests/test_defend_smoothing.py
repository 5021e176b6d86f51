"""Randomised smoothing against closed forms, published intervals and SciPy."""

import numpy as np
import pytest
import torch
from scipy.stats import beta, norm
from torch import nn

from engine.defend.smooth import smooth
from engine.defend.smoothing import ABSTAIN, certify, from_votes, lower_bound, quantile
from engine.network.templates import spec_of
from engine.training.run import train


@pytest.mark.parametrize(
    ("votes", "draws"), [(8, 10), (990, 1000), (99_500, 100_000), (51, 100), (1, 7), (7, 7)]
)
@pytest.mark.parametrize("alpha", [0.001, 0.05])
def test_the_bound_is_the_quantile_of_a_beta_distribution(votes, draws, alpha):
    assert lower_bound(votes, draws, alpha) == pytest.approx(
        beta.ppf(alpha, votes, draws - votes + 1), abs=1e-9
    )


@pytest.mark.parametrize(("votes", "low"), [(8, 0.4439), (4, 0.1216), (0, 0.0)])
def test_the_bound_gives_the_intervals_of_textbooks(votes, low):
    """The exact 95 % intervals of 8 of 10 and 4 of 10 begin at 0.4439 and 0.1216."""
    assert lower_bound(votes, 10, 0.025) == pytest.approx(low, abs=5e-5)


def test_all_votes_give_the_largest_radius_there_is():
    """With all of n votes p = α^(1/n), so 100,000 copies give 3.81 σ and no more."""
    found = from_votes(3, 100_000, 100_000, sigma=0.5, alpha=0.001)
    assert found.chance == pytest.approx(0.001**1e-5, abs=1e-10)
    assert found.radius == pytest.approx(0.5 * norm.ppf(0.001**1e-5), abs=1e-6)
    assert found.radius / 0.5 == pytest.approx(3.81, abs=0.01)


def test_it_abstains_where_one_half_cannot_be_excluded():
    found = from_votes(1, 530, 1000, sigma=1.0, alpha=0.001)
    assert found.answer == ABSTAIN
    assert found.radius == 0
    assert from_votes(1, 560, 1000, sigma=1.0, alpha=0.001).answer == 1
    assert quantile(0.975) == pytest.approx(1.959964, abs=1e-6)


def test_a_linear_network_is_certified_up_to_its_true_border_and_not_beyond():
    """For a half-space the smoothed border is the border: the radius is the distance to it."""
    module = nn.Linear(5, 2)
    x = torch.full((1, 5), 0.5)
    with torch.no_grad():
        module.weight[0], module.weight[1] = torch.arange(5.0), 0.0
        module.bias[0], module.bias[1] = -4.0, 0.0
        lead = float(module(x)[0, 0] - module(x)[0, 1])
    true = lead / float(torch.arange(5.0).norm())
    generator = torch.Generator().manual_seed(0)
    found = certify(module, x, sigma=0.2, draws=20_000, alpha=0.001, generator=generator)
    assert found.answer == 0
    assert 0.93 * true < found.radius <= true


def test_the_study_counts_every_sample_and_its_curve_falls(tmp_path):
    for _ in train(spec_of("mlp-2d"), "moons", folder=tmp_path, epochs=10):
        pass
    run = smooth(str(tmp_path), judged=15, draws=200, sigma=0.1)
    frame = next(run)
    while not frame.waits:
        frame = run.send(None)
    certain = frame.views["certified"].lines["smoothed, certain"]
    assert certain[0] > 70
    assert bool(np.all(np.diff(certain) <= 0))
    most = 0.1 * norm.ppf(0.001 ** (1 / 200))
    assert not certain[frame.views["certified"].x > most].any()
    assert frame.step == frame.of == 15
