"""Is a map faithful? The measures of it against captum, closed forms."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from engine.data import load as load_data
from engine.explain import explainers
from engine.explain.faithful import (
    area,
    deletion,
    impute,
    infidelity,
    missing,
    ranking,
    road,
    sensitivity,
)
from engine.explain.randomised import cascade, correlation, scramble, stages
from engine.models.kept import load
from engine.network.templates import spec_of
from engine.training.run import train

TABLE = explainers.all()


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A small network trained on the embedded digits, and some of them it gets right."""
    place = tmp_path_factory.mktemp("run")
    for _ in train(spec_of("lenet-digits"), "digits", folder=place, epochs=4):
        pass
    module, data = load(place).module, load_data("digits")
    with torch.no_grad():
        right = module(data.valid_x).argmax(1) == data.valid_y
    return module, data.valid_x[right][:10], data.valid_y[right][:10]


def test_plain_correlation_is_fooled_by_zero_pixels_and_our_score_is_not(digits):
    module, x, y = digits
    for name in ("input_x_gradient", "integrated_gradients", "deeplift"):
        plain, score = [], []
        for i in range(len(x)):
            one, target = x[i : i + 1], int(y[i])
            last = list(cascade(module, lambda m, n=name, o=one, t=target: TABLE[n](m, o, t), one))[
                -1
            ]
            plain.append(last.plain)
            score.append(last.score)
        assert np.mean(plain) > 0.8, name  # as if nothing had been forgotten
        assert abs(np.mean(score)) < 0.15, name
        assert np.abs(score).max() < 0.6, name


def test_a_map_that_shows_the_input_alone_keeps_its_score(digits):
    module, x, _ = digits
    for stage in cascade(module, lambda _m: x[:1].clone(), x[:1]):
        assert stage.plain == pytest.approx(1)
        assert stage.score > 0.5  # what random networks share is taken as 0.9 at most


def test_the_cascade_begins_at_the_end_and_leaves_the_network_alone(digits):
    module, x, _ = digits
    before = {name: value.clone() for name, value in module.state_dict().items()}
    names = [s.layer for s in cascade(module, lambda m: TABLE["saliency"](m, x[:1], 0), x[:1])]
    assert names[0] == "as trained"
    assert stages(module)[0] == [names[1]]
    assert names[-1] == next(n for n, p in module.named_modules() if list(p.parameters(False)))
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_scrambled_weights_keep_their_sizes():
    layer = nn.Linear(8, 8)
    before = layer.weight.detach().abs().flatten().sort().values
    kept = layer.weight.detach().clone()
    scramble(layer, torch.Generator().manual_seed(0))
    assert torch.equal(layer.weight.detach().abs().flatten().sort().values, before)
    assert not torch.equal(layer.weight, kept)


def test_rank_correlation_is_scipys_ties_and_all():
    stats = pytest.importorskip("scipy.stats")
    one = torch.tensor([0.0, 0.0, 3.0, 1.0, 1.0, -2.0])
    other = torch.tensor([1.0, 0.0, 2.0, 2.0, 0.0, 0.0])
    expected = stats.spearmanr(one.numpy(), other.numpy()).statistic
    assert correlation(one, other) == pytest.approx(expected)
    assert correlation(one, torch.ones(6)) == 0


def test_infidelity_is_zero_for_the_truth_and_one_for_nothing():
    module, x = nn.Linear(6, 2), torch.randn(1, 6)
    truth = module.weight[1].detach()[None]
    plain, unforeseen = infidelity(module, x, 1, truth)
    assert plain < 1e-10
    assert unforeseen < 1e-6
    assert infidelity(module, x, 1, 5 * truth)[1] < 1e-6  # a map in another unit
    assert infidelity(module, x, 1, torch.zeros(1, 6))[1] == pytest.approx(1)


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_infidelity_and_sensitivity(digits):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum.metrics import infidelity as their_infidelity
        from captum.metrics import sensitivity_max
    module, x, y = digits
    one, target = x[:1], int(y[0])
    map_ = TABLE["saliency"](module, one, target, signed=True)
    spread = 0.1 * float(one.max() - one.min())

    def perturb(inputs):
        noise = spread * torch.randn(inputs.shape, generator=torch.Generator().manual_seed(3))
        return noise, inputs - noise

    ours = infidelity(module, one, target, map_, samples=4000, seed=1)[0]
    theirs = their_infidelity(
        module, perturb, one, map_, target=target, n_perturb_samples=4000,
        max_examples_per_batch=4000,
    )  # fmt: skip
    assert ours == pytest.approx(float(theirs), rel=0.15)  # two draws of the same mean
    explain = TABLE["saliency"]
    most = sensitivity(lambda z: explain(module, z, target), one, samples=200)
    theirs = sensitivity_max(
        lambda z: (explain(module, z[0], target),), one, perturb_radius=0.02, n_perturb_samples=200
    )
    assert most == pytest.approx(float(theirs), rel=0.35)  # the largest of two hundred draws


def test_sensitivity_of_a_linear_model_by_hand():
    module, x = nn.Linear(4, 2), torch.ones(1, 4)
    assert sensitivity(lambda z: TABLE["saliency"](module, z, 1), x) < 1e-6
    moved = sensitivity(lambda z: z, x, radius=0.1, samples=300)
    assert 0.08 < moved <= 0.1  # |δ| / |x| is 0.1 at most, in a corner


def test_a_hole_is_filled_smoothly_from_its_rim():
    slope = torch.arange(6.0).expand(1, 6, 6).clone()  # a ramp is its own weighted mean
    gone = torch.zeros(6, 6, dtype=torch.bool)
    gone[2:4, 2:4] = True
    assert torch.allclose(impute(slope, gone[None]), slope, atol=1e-5)
    corner = torch.zeros(2, 3, 3)
    corner[:, 0, 1], corner[:, 1, 0], corner[:, 1, 1] = 6.0, 6.0, 12.0
    gone = torch.zeros(3, 3, dtype=torch.bool)
    gone[0, 0] = True  # (6/6 + 6/6 + 12/12) / (1/6 + 1/6 + 1/12)
    assert impute(corner, gone[None])[:, 0, 0].tolist() == pytest.approx([7.2, 7.2])
    line = impute(torch.tensor([[0.0, 9.0, 2.0]]), torch.tensor([[False, True, False]]))
    assert line.tolist() == [[0.0, 1.0, 2.0]]
    everything = torch.ones(1, 3, 3, dtype=torch.bool)
    assert bool(impute(torch.rand(1, 3, 3), everything).isfinite().all())


def test_taking_away_the_right_pixels_hurts_more(digits):
    module, x, y = digits
    better = 0
    for i in range(len(x)):
        one, target = x[i : i + 1], int(y[i])
        order = ranking(TABLE["integrated_gradients"](module, one, target))
        other = torch.randperm(64, generator=torch.Generator().manual_seed(i))
        for judge in (deletion, road):
            falls = area(judge(module, one, target, order))
            better += falls < area(judge(module, one, target, other))
        put = [area(deletion(module, one, target, o, insert=True)) for o in (order, other)]
        better += put[0] > put[1]
    assert better >= 26  # of thirty


def test_what_is_missing_grows_from_nothing_to_all():
    x = torch.rand(1, 3, 2, 2)
    gone = missing(x, torch.tensor([3, 0, 1, 2]), 4)
    assert gone.shape == (5, 3, 2, 2)
    assert gone.flatten(1).sum(1).tolist() == [0, 3, 6, 9, 12]
    assert gone[1, :, 1, 1].all()
