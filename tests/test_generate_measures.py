"""Measures of samples against closed forms, direct sums, other libraries and known samples."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.stats import multivariate_normal
from sklearn.neighbors import NearestNeighbors

from engine.generate.judge import judge
from engine.generate.measures import density, judged, measures
from engine.generate.measures.features import class_score, class_shares, frechet, frechet_of
from engine.generate.measures.kernel import cubic, rbf, unbiased_mmd
from engine.generate.measures.modes import mode_shares
from engine.generate.measures.neighbours import inside
from engine.generate.model import Generative, Outline
from engine.generate.source import from_target, open_source
from engine.generate.targets.mixtures import gaussian, grid, uneven

DRAW = torch.Generator().manual_seed(3)


class Fixed(Generative):
    """A model that makes what it was given."""

    def __init__(self, made):
        super().__init__(Outline((2,)))
        self.made = made

    def sample(self, count, draw, labels=None):
        del draw, labels
        return self.made[:count]


def scores(made, source):
    return judged(Fixed(made), source, count=len(made))


def test_a_generator_stuck_at_the_origin_is_valid_but_has_no_modes():
    source = from_target("grid", grid())
    told = scores(0.04 * torch.randn(2000, 2, generator=DRAW), source)
    assert told["validity"] > 0.98
    assert told["mode coverage"] == pytest.approx(1 / 9)
    assert told["mode-TV"] == pytest.approx(8 / 9, abs=1e-6)
    assert told["recall"] < 0.2
    assert told["JS to the truth [nat]"] > 0.5


def test_true_samples_of_the_grid_get_full_marks():
    source = from_target("grid", grid())
    told = scores(grid().draw(2000, DRAW)[0], source)
    assert told["mode coverage"] == 1
    assert told["validity"] == pytest.approx(1 - math.exp(-4.5), abs=0.008)  # a Rayleigh's 3 σ
    assert told["mode-TV"] < 0.05
    for name in ("precision", "recall"):
        assert told[name] > 0.9
    for name, entry in measures.all().items():
        unit = entry.facts["unit"]
        key = f"{name} [{unit}]" if unit else name
        if key in told and "good" in entry.facts:
            sign = 1 if entry.facts["better"] == "higher" else -1
            assert sign * told[key] >= sign * entry.facts["good"], name


def test_mode_tv_of_known_samples():
    target = uneven(share=0.25, spread=0.01)
    source = from_target("uneven", target)
    made = target.modes[[0] * 50 + [1] * 50]
    due, nearest, valid = mode_shares(made, source)
    assert due.tolist() == [0.75, 0.25]
    assert nearest.tolist() == valid.tolist() == [0.5, 0.5]
    assert scores(made, source)["mode-TV"] == pytest.approx(0.25)


def test_a_spray_over_the_plane_gives_each_mode_its_share_and_is_not_valid():
    source = from_target("grid", grid())
    told = scores(3.6 * torch.rand(4000, 2, generator=DRAW) - 1.8, source)
    areas = [1.0, *[1.3] * 4, *[1.3**2] * 4]  # nearest to the middle, to an edge, to a corner
    truth = sum(abs(area / 3.6**2 - 1 / 9) for area in areas) / 2
    assert told["mode-TV"] == pytest.approx(truth, abs=0.02)
    assert told["mode coverage"] == 0
    assert told["validity"] == pytest.approx(9 * math.pi * 0.15**2 / 3.6**2, abs=0.01)


def test_cells_hold_the_mass_that_the_bell_curve_has_there():
    target = gaussian(spread=0.5)
    true = density.true_cells(target, 6)
    bell = multivariate_normal([0.8, 0.5], 0.25)
    cell = bell.cdf([1, 1], lower_limit=[0, 0])  # column 3, row 3 of 6 over [-3, 3]
    assert float(true[3 * 6 + 3]) == pytest.approx(float(cell), rel=0.01)
    assert float(true.sum()) == pytest.approx(1, abs=1e-9)


def test_samples_elsewhere_are_as_far_as_js_can_tell():
    source = from_target("grid", grid())
    told = scores(torch.full((500, 2), 40.0), source)
    assert told["JS to the truth [nat]"] == pytest.approx(math.log(2), abs=1e-4)


def test_kl_of_two_coins():
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.25, 0.5, 0.25])
    assert density.kl(p, q) == pytest.approx(0.5 * math.log(2))
    assert density.js(p, p) == 0


def test_mmd_is_the_direct_sum():
    x, y = torch.randn(5, 3, generator=DRAW), torch.randn(4, 3, generator=DRAW)

    def k(a, b):
        return math.exp(-sum((s - t) ** 2 for s, t in zip(a, b, strict=True)) / (2 * 0.7**2))

    xs, ys = x.tolist(), y.tolist()
    one = sum(k(a, b) for i, a in enumerate(xs) for j, b in enumerate(xs) if i != j) / 20
    two = sum(k(a, b) for i, a in enumerate(ys) for j, b in enumerate(ys) if i != j) / 12
    cross = sum(k(a, b) for a in xs for b in ys) / 20
    assert unbiased_mmd(x, y, rbf(0.7)) == pytest.approx(one + two - 2 * cross, abs=1e-6)


@pytest.mark.parametrize("kernel", [rbf(1.0), cubic], ids=["rbf", "cubic"])
def test_mmd_is_zero_on_average_for_samples_of_one_distribution(kernel):
    values = [
        unbiased_mmd(*torch.randn(2, 20, 4, generator=DRAW, dtype=torch.float64), kernel)
        for _ in range(400)
    ]
    error = np.std(values) / math.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    assert min(values) < 0


def test_frechet_distance_of_gaussians_with_one_axis_system():
    mean, other = torch.tensor([1.0, 2.0]).double(), torch.tensor([0.0, 0.0]).double()
    one, two = torch.tensor([4.0, 9.0]).double(), torch.tensor([1.0, 16.0]).double()
    truth = 1 + 4 + (2 - 1) ** 2 + (3 - 4) ** 2  # means; standard deviations along each axis
    assert frechet_of(mean, one.diag(), other, two.diag()) == pytest.approx(truth)


def test_frechet_distance_is_scipys_matrix_root():
    x = torch.randn(60, 5, generator=DRAW) @ torch.randn(5, 5, generator=DRAW)
    y = torch.randn(50, 5, generator=DRAW) + 0.3
    one, two = np.cov(x.numpy().T), np.cov(y.numpy().T)
    apart = ((x.mean(0) - y.mean(0)) ** 2).sum().item()
    root = scipy.linalg.sqrtm(one @ two).real
    truth = apart + np.trace(one + two - 2 * root)
    assert frechet(x, y) == pytest.approx(truth, rel=1e-5)
    assert frechet(x, x) == pytest.approx(0, abs=1e-9)


def test_the_region_of_a_cloud_is_that_of_its_neighbours_balls():
    cloud, x = torch.randn(80, 3, generator=DRAW), 1.5 * torch.randn(60, 3, generator=DRAW)
    near = NearestNeighbors(n_neighbors=4).fit(cloud.numpy())  # itself and three others
    radius = near.kneighbors(cloud.numpy())[0][:, 3]
    apart = np.linalg.norm(x.numpy()[:, None] - cloud.numpy()[None], axis=-1)
    assert inside(x, cloud) == pytest.approx((apart <= radius).any(1).mean())


def test_precision_and_recall_tell_collapse_from_spray():
    source = from_target("grid", grid())
    true = grid().draw(1000, DRAW)[0]
    one_mode = true[(true.norm(dim=1) < 0.2)].repeat(8, 1)[:800]
    collapsed = scores(one_mode + 0.001 * torch.randn(len(one_mode), 2, generator=DRAW), source)
    sprayed = scores(3.6 * torch.rand(1000, 2, generator=DRAW) - 1.8, source)
    assert collapsed["precision"] > 0.9 > 0.3 > collapsed["recall"]
    assert sprayed["precision"] < 0.4 < 0.9 < sprayed["recall"]


def test_class_score_runs_from_one_to_the_number_of_classes():
    assert class_score(torch.eye(10).repeat(3, 1)) == pytest.approx(10, rel=1e-6)
    assert class_score(torch.full((30, 10), 0.1)) == pytest.approx(1, rel=1e-6)


@pytest.fixture(scope="module")
def digits():
    return open_source("digits")


def test_the_classifier_that_judges_digits_knows_them(digits):
    eyes = judge(digits)
    right = (eyes(digits.held).argmax(1) == digits.held_labels).float().mean()
    assert float(right) > 0.97  # measured 0.986


def test_copies_of_training_images_are_not_novel(digits):
    entry = measures.find("novelty").function
    assert entry(digits.x[:200], digits, Fixed(digits.x), DRAW) == 0
    assert entry(digits.held, digits, Fixed(digits.x), DRAW) == pytest.approx(1)


def test_noise_is_far_from_digits_and_digits_are_near(digits):
    fid = measures.find("FID in our features").function
    kid = measures.find("KID in our features").function
    noise = torch.rand(300, 1, 8, 8, generator=DRAW) * 2 - 1
    true = digits.x[:300]
    for measure in (fid, kid):
        ours, far = (measure(x, digits, Fixed(x), DRAW) for x in (true, noise))
        assert ours < 0.1 * far


def test_classes_are_counted_by_the_classifier(digits):
    ones = digits.held[digits.held_labels == 1]
    due, got = class_shares(ones, digits)
    assert float(due.sum()) == pytest.approx(1)
    assert float(got[1]) > 0.9
    told = {
        name: measures.find(name).function(ones, digits, Fixed(ones), DRAW)
        for name in ("class coverage", "class-TV")
    }
    assert told["class coverage"] <= 0.3
    assert told["class-TV"] > 0.8


def test_what_a_measure_needs_and_is_not_there_leaves_it_out():
    told = scores(torch.randn(100, 2, generator=DRAW), open_source("spiral"))
    assert "mode-TV" not in told
    assert "asked and got" not in told
    assert "MMD²" in told
