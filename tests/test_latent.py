"""Autoencoders and their bounds against closed forms: PCA, probabilistic PCA, exact scores."""

import math

import numpy as np
import pytest
import torch

from engine.generate.families import families
from engine.generate.families.quantised import Codebook
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.model import Outline
from engine.generate.panels import in_order
from engine.generate.parts.posterior import Posterior
from engine.generate.pictured import Pictures
from engine.generate.source import Source, from_target, open_source
from engine.generate.targets.mixtures import mixture


def source_of(x, labels=None, classes=()):
    """Rows of numbers as something to learn from, the last quarter held out."""
    cut = len(x) * 3 // 4
    parts = (None, None) if labels is None else (labels[:cut], labels[cut:])
    outline = Outline(tuple(x.shape[1:]), classes)
    return Source("made", outline, x[:cut], parts[0], x[cut:], parts[1])


def trained(family, source, steps, rate, *, batch=128, **own):
    recipe = fitting(family, source, own, {})
    learner = Learner(source, recipe, steps, batch, rate, 0)
    learner.judge = dict  # measuring samples would take most of the time
    while not learner.finished:
        if learner.step == steps * 3 // 4:
            learner.change(rate / 10)
        learner.advance()
    return learner.model.eval()


def largest_angle(one, other):
    """Of two subspaces, spanned by columns [degree]."""
    q, r = np.linalg.qr(one)[0], np.linalg.qr(other)[0]
    return math.degrees(math.acos(min(1.0, np.linalg.svd(q.T @ r)[1].min())))


def straight():
    """Five numbers that are mixed of two Gaussian ones, and noise."""
    draw = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[2.0, 0], [0, 1.2], [0.8, 0.5], [-0.5, 1], [0.3, 0.3]])
    x = torch.randn(4000, 2, generator=draw) @ mixing.T + 0.4 * torch.randn(4000, 5, generator=draw)
    return source_of(x + torch.tensor([1.0, -1, 0, 2, 0]))


def test_the_divergence_of_a_posterior_is_what_sampling_finds():
    q = Posterior(torch.tensor([[0.7, -1.2]]), torch.tensor([[-1.0, 0.4]]))
    told = float(q.divergence().sum())
    true = torch.distributions.Normal(q.mean, (0.5 * q.log_variance).exp())
    unit = torch.distributions.Normal(0.0, 1.0)
    closed = torch.distributions.kl_divergence(true, unit.expand(q.mean.shape)).sum()
    assert told == pytest.approx(float(closed), rel=1e-5)
    draw = torch.Generator().manual_seed(0)
    many = Posterior(q.mean.expand(100_000, 2), q.log_variance.expand(100_000, 2))
    z = many.draw(draw)
    found = many.log_density(z) - unit.log_prob(z).sum(1)
    assert float(found.mean()) == pytest.approx(told, rel=0.01)


def test_a_linear_vae_is_probabilistic_pca():
    """The best of Tipping & Bishop (1999), which a linear VAE reaches (Lucas et al. 2019)."""
    source = straight()
    model = trained(
        "vae", source, 1600, 0.02, batch=256, style="linear", likelihood="Gaussian, learnt width"
    )
    seen = source.x.double().numpy()
    values, vectors = np.linalg.eigh(np.cov(seen.T, bias=True))
    axes, noise = vectors[:, -2:], values[:3].mean()
    weight = model.decoder[0].weight.detach().double().numpy()
    assert largest_angle(weight, axes) < 2
    assert math.exp(2 * float(model.likelihood.log_width.detach())) == pytest.approx(noise, rel=0.1)
    lengths = np.sort(np.linalg.eigvalsh(weight.T @ weight))
    np.testing.assert_allclose(lengths, values[-2:] - noise, rtol=0.12)
    covariance = axes @ np.diag(values[-2:] - noise) @ axes.T + noise * np.eye(5)
    best = -0.5 * (
        5 * math.log(2 * math.pi)
        + np.linalg.slogdet(covariance)[1]
        + np.trace(np.linalg.solve(covariance, np.cov(seen.T, bias=True)))
    )
    with torch.no_grad():
        bounds = [model.bound(source.x, torch.Generator().manual_seed(s)) for s in range(10)]
    reached = float(torch.stack([(rebuilt - rate).mean() for rebuilt, rate in bounds]).mean())
    assert -0.05 < reached - best < 0.01, (reached, best)


def test_a_linear_autoencoder_is_pca():
    source = straight()
    model = trained("autoencoder", source, 1000, 0.02, batch=256, style="linear")
    middle = source.x.mean(0)
    axes = torch.linalg.svd(source.x - middle, full_matrices=False)[2][:2].T
    rest = source.x - middle
    best = (rest - rest @ axes @ axes.T).square().mean()
    with torch.no_grad():
        reached = (model.decode(model.encode(source.x)) - source.x).square().mean()
    assert 0.9999 < float(reached / best) < 1.01
    assert largest_angle(model.decoder[0].weight.detach().numpy(), axes.numpy()) < 1


def test_two_bent_codes_hold_more_than_two_straight_ones():
    source = open_source("digits")
    model = trained("autoencoder", source, 1500, 0.002)
    middle = source.x.flatten(1).mean(0)
    axes = torch.linalg.svd(source.x.flatten(1) - middle, full_matrices=False)[2][:2].T
    rest = source.held.flatten(1) - middle
    straight = (rest - rest @ axes @ axes.T).square().mean()
    with torch.no_grad():
        bent = (model.decode(model.encode(source.held)) - source.held).square().mean()
    assert float(bent / straight) < 0.85


def test_more_codes_give_a_tighter_bound():
    model = trained("vae", open_source("two moons"), 500, 0.005, width=32)
    x = open_source("two moons").held[:1000]
    with torch.no_grad():
        draw = torch.Generator().manual_seed(0)
        rebuilt, rate = model.bound(x, draw)
        bounds = [model.tightened(x, draw, count=count).mean() for count in (1, 8, 64)]
    elbo = float((rebuilt - rate).mean())
    assert float(bounds[0]) == pytest.approx(elbo, abs=0.04)  # one code is the ELBO itself
    assert elbo + 0.01 < float(bounds[1]) < float(bounds[2])


def test_beta_buys_silence_with_blur():
    """More β: a smaller rate and a larger distortion, and at last silent units."""
    source = open_source("digits")
    found = []
    for beta in (0.25, 0.5, 1, 2, 16):
        model = trained("beta-vae", source, 350, 0.003, beta=beta, width=64, latent=4)
        with torch.no_grad():
            rebuilt, rate = model.bound(source.held, torch.Generator().manual_seed(0))
            units = model.posterior(source.held).divergence().mean(0)
        found.append((float(rate.mean()), -float(rebuilt.mean()), int((units > 0.05).sum())))
    rates, distortions, active = zip(*found, strict=True)
    assert list(rates) == sorted(rates, reverse=True)
    assert list(distortions) == sorted(distortions)
    assert active[0] == 4
    assert active[-1] <= 1


def test_a_conditional_vae_draws_the_digit_that_it_is_told():
    from sklearn.linear_model import LogisticRegression

    source = open_source("digits")
    judge = LogisticRegression(max_iter=2000).fit(source.x.flatten(1), source.labels)
    assert judge.score(source.held.flatten(1), source.held_labels) > 0.93
    model = trained("conditional-vae", source, 700, 0.003)
    asked = torch.arange(1000) % 10
    made = model.sample(1000, torch.Generator().manual_seed(0), asked)
    assert judge.score(made.flatten(1), asked) > 0.9


def test_undoing_noise_learns_the_slope_of_the_smoothed_density():
    """Against the exact score of the mixture with the noise added to its width."""
    centres = torch.tensor([[-1.5, -0.8], [1.4, -0.6], [0.0, 1.4]])
    spread, noise = 0.25, 0.3
    source = from_target("three", mixture(centres, spread, (-3, 3, -3, 3)))
    model = trained("denoising-autoencoder", source, 900, 0.003, batch=256, noise=noise, width=64)
    smooth = mixture(centres, math.hypot(spread, noise), (-3, 3, -3, 3))
    x = smooth.draw(2000, torch.Generator().manual_seed(9))[0].requires_grad_()
    (exact,) = torch.autograd.grad(smooth.log_density(x).sum(), x)
    told = model.score(x).detach()
    alike = torch.nn.functional.cosine_similarity(told, exact, dim=1)
    assert float(alike.mean()) > 0.95
    made = model.sample(1500, torch.Generator().manual_seed(0))
    nearest = torch.cdist(made, centres).min(1)
    assert float((nearest.values < 3 * spread).float().mean()) > 0.9
    assert bool((nearest.indices.bincount(minlength=3) > 300).all())  # 500 each


def test_the_book_hands_gradients_straight_through():
    torch.manual_seed(0)
    book = Codebook(5, 3)
    vectors = torch.randn(4, 3, requires_grad=True)
    passed, words = book(vectors)
    torch.testing.assert_close(passed, book.entries[words])
    apart = (vectors[:, None] - book.entries).square().sum(-1)
    assert words.tolist() == apart.argmin(1).tolist()
    weights = torch.randn(4, 3)
    (slope,) = torch.autograd.grad((passed * weights).sum(), vectors)
    torch.testing.assert_close(slope, weights)


def test_entries_that_nobody_uses_come_back():
    book = Codebook(4, 2)
    vectors = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    words, draw = torch.tensor([1, 1, 1, 1, 1, 1]), torch.Generator().manual_seed(0)
    kept = book.entries[1].detach().clone()
    for _ in range(50):
        book.revive(vectors, words, draw)
    assert torch.equal(book.entries[1], kept)
    others = book.entries.detach()[[0, 2, 3]]
    assert float(torch.cdist(others, vectors).min(1).values.max()) == 0


def test_a_vq_vae_rebuilds_from_few_words_and_writes_new_ones():
    source = open_source("digits")
    model = trained("vq-vae", source, 250, 0.005, batch=32, width=16)
    words = model.words(source.held)
    assert words.shape[1:] == (4, 4)
    with torch.no_grad():
        lost = (model.read(words) - source.held).square().mean()
    assert float(lost) < 0.25 * float(source.held.var(0).mean())
    assert len(words.unique()) > 16
    made = model.write(300, torch.Generator().manual_seed(0))
    odds = [torch.bincount(one.flatten(), minlength=32) / one.numel() for one in (made, words)]
    assert float((odds[0] - odds[1]).abs().sum() / 2) < 0.25  # as often as in true images


def test_convolutions_are_refused_on_the_plane_and_black_and_white_too():
    plane = Outline((2,))
    with pytest.raises(ValueError, match="dense"):
        families.find("vae")(plane, {}, style="convolutional")
    with pytest.raises(ValueError, match="Gaussian"):
        families.find("vae")(plane, {}, likelihood="Bernoulli")


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 9), (1, 28, 28)])
def test_convolutions_come_back_to_the_size_they_began_with(shape):
    made = families.find("vae")(Outline(shape), {}, style="convolutional", width=16, latent=5)
    x = torch.zeros(2, *shape)
    assert made.encode(x).shape == (2, 5)
    assert made.decode(made.encode(x)).shape == x.shape


LEARNT = {
    ("autoencoder", "two moons"): {"reconstructions", "latent map"},
    ("denoising-autoencoder", "two moons"): {"reconstructions"},
    ("vae", "digits"): {"reconstructions", "latent map", "what units say", "rate and distortion"},
    ("conditional-vae", "digits"): {"reconstructions", "latent map", "likelihood"},
    ("vq-vae", "digits"): {"reconstructions", "codebook"},
    ("realnvp", "two moons"): {"learnt density", "bent grid", "likelihood"},
    ("glow", "digits"): {"likelihood"},
    ("pixelcnn", "digits"): {"receptive field", "masks", "likelihood"},
}


@pytest.mark.parametrize("pair", LEARNT)
def test_what_is_seen_while_it_learns(pair):
    family, data = pair
    own = {"width": 16, "depth": 1} if family == "pixelcnn" else {}
    recipe = fitting(family, open_source(data), own, {})
    learner = Learner(open_source(data), recipe, 2, 16, 0.001, 0)
    learner.advance()
    views = Pictures(learner, ",".join(in_order())).frame().views
    others = {name for both in LEARNT.values() for name in both}
    assert LEARNT[pair] <= set(views)
    if family == "denoising-autoencoder":
        assert not (others - LEARNT[pair] - {"latent map"}) & set(views)
    told = learner.scores
    if family in ("vae", "conditional-vae"):
        assert told["ELBO [nat]"] == pytest.approx(
            told["reconstruction [nat]"] - told["rate [nat]"]
        )
    assert ("bits per dimension [bit]" in told) == (family in ("glow", "pixelcnn"))
    assert ("KL from the truth [nat]" in told) == (family == "realnvp")
