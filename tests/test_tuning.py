"""What a search over hyperparameters is made of, against other people's arithmetic."""

import numpy as np
import pytest
import torch

from engine.tuning import gaussian_process, landscapes
from engine.tuning.trial import Choices, Trial, split


def test_the_posterior_is_scikit_learns():
    regression = pytest.importorskip("sklearn.gaussian_process")
    random = np.random.default_rng(0)
    X, y, at = random.random((12, 2)), 50 * random.random(12), random.random((40, 2))
    length = np.array([0.3, 0.6])
    matern = regression.kernels.Matern(length_scale=length, nu=2.5)
    theirs = regression.GaussianProcessRegressor(
        matern, alpha=gaussian_process.JITTER, optimizer=None, normalize_y=True
    )
    mean, doubt = theirs.fit(X, y).predict(at, return_std=True)
    ours = gaussian_process.posterior(X, y, at, length)
    np.testing.assert_allclose(ours[0], mean, atol=1e-8)
    np.testing.assert_allclose(ours[1], doubt, atol=1e-8)


def test_the_length_scale_is_the_most_probable_one():
    regression = pytest.importorskip("sklearn.gaussian_process")
    random = np.random.default_rng(1)
    X = random.random((15, 2))
    y = np.sin(9 * X[:, 0]) + X[:, 1]
    z = (y - y.mean()) / y.std()

    def evidence(length):
        matern = regression.kernels.Matern(length_scale=length, nu=2.5)
        made = regression.GaussianProcessRegressor(matern, alpha=1e-6, optimizer=None)
        return made.fit(X, z).log_marginal_likelihood_value_

    tried = [(a, b) for a in gaussian_process.LENGTHS for b in gaussian_process.LENGTHS]
    assert tuple(gaussian_process.best_length(X, y)) == max(tried, key=evidence)


def test_expected_improvement_is_the_mean_of_what_is_gained():
    drawn = 1.0 + 0.5 * np.random.default_rng(2).standard_normal(400_000)
    counted = np.maximum(0.8 - drawn, 0).mean()
    formula = gaussian_process.expected_improvement(np.array([1.0]), np.array([0.5]), 0.8)
    assert formula[0] == pytest.approx(counted, abs=2e-3)


def test_a_trial_steps_as_torch_does():
    trial = Trial(Choices(learning_rate=0.2, width=7, depth=2, momentum=0.5), seed=3)
    parts = [torch.tensor(p, requires_grad=True) for layer in trial.layers for p in layer]
    x, y = (torch.tensor(part[:20]) for part in split()[:2])
    optimizer = torch.optim.SGD(parts, lr=0.2, momentum=0.5)
    for _ in range(3):
        z = x
        for W, b in zip(parts[0:-2:2], parts[1:-2:2], strict=True):
            z = (z @ W + b).relu()
        loss = torch.nn.functional.cross_entropy(z @ parts[-2] + parts[-1], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert trial.step(np.arange(20)) == pytest.approx(loss.item(), rel=1e-5)
    for ours, theirs in zip((p for layer in trial.layers for p in layer), parts, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-6)


def test_a_trial_that_diverges_says_so_and_learns_no_more():
    trial = Trial(Choices(learning_rate=1000.0, depth=3))
    trial.epoch()
    trial.epoch()
    assert trial.diverged
    assert trial.accuracy() == 0.1
    assert np.isfinite(trial.loss())


def test_the_landscapes_have_their_published_lowest_places():
    forrester = np.linspace(0, 1, 100_001)[:, None]
    assert landscapes.regret(forrester) == pytest.approx(0, abs=1e-5)
    for x, y in ((-np.pi, 12.275), (np.pi, 2.275), (9.42478, 2.475)):
        branin = np.array([[(x + 5) / 15, y / 15]])
        assert landscapes.regret(branin) == pytest.approx(0, abs=1e-5)
