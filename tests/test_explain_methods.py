"""The wider shelf of explainers: against captum, shap, closed forms; their costs and errors."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from engine.explain import explainers
from engine.explain.adapt import Embedded, adapted, folded, kind_of
from engine.explain.cost import Work, estimate, pace
from engine.explain.inner import inner
from engine.explain.interactions import of_game, shapley_interactions
from engine.explain.measure import SEEDS, band, measure
from engine.explain.methods.gradients import quadrature_of
from engine.explain.table import compares
from engine.explain.watched import watched

TABLE = explainers.all()
OTHERS = torch.rand((4, 1, 8, 8), generator=torch.Generator().manual_seed(5))


def cnn():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.Tanh(), nn.Flatten(),
        nn.Linear(216, 8), nn.ReLU(), nn.Linear(8, 3),
    )  # fmt: skip
    return module.eval()


@pytest.fixture
def net():
    return cnn()


@pytest.fixture
def picture():
    return torch.rand((2, 1, 8, 8), generator=torch.Generator().manual_seed(1))


def captum():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum import attr
    return attr


# Captum's answers for the same.


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("unit", [0, 5])
def test_captum_finds_the_same_of_a_neuron(net, picture, unit):
    attr, dense = captum(), net[6]
    x = picture.clone().requires_grad_()
    gradient = TABLE["neuron_gradient"](net, picture, 1, layer="6", unit=unit)
    theirs = attr.NeuronGradient(net, dense).attribute(x, unit)
    assert torch.allclose(gradient, theirs.detach(), atol=1e-5)
    integrated = TABLE["neuron_integrated_gradients"](net, picture, 1, layer="6", unit=unit)
    theirs = attr.NeuronIntegratedGradients(net, dense).attribute(x, unit, n_steps=50)
    assert torch.allclose(integrated, theirs.detach(), atol=1e-5)
    through = TABLE["neuron_conductance"](net, picture, 1, layer="6", unit=unit)
    theirs = attr.NeuronConductance(net, dense).attribute(
        x, unit, target=1, n_steps=50, method="gausslegendre"
    )  # its usual riemann_trapezoid is off by a fiftieth
    assert torch.allclose(through, theirs.detach(), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_of_a_layer(net, picture):
    attr = captum()
    ours = inner.find("unit_influence")(net, picture, 1, layer="3", steps=50)
    theirs = attr.InternalInfluence(net, net[3]).attribute(
        picture, target=1, n_steps=50, method="riemann_middle"
    )
    assert torch.allclose(ours, theirs.detach(), atol=1e-5)
    ours = inner.find("unit_conductance")(net, picture, 1, layer="3", steps=200)
    theirs = attr.LayerConductance(net, net[3]).attribute(picture, target=1, n_steps=300)
    assert (ours - theirs.detach()).norm() < 0.02 * ours.norm()
    ours = inner.find("unit_gradient_x_activation")(net, picture, 1, layer="3")
    theirs = attr.LayerGradientXActivation(net, net[3]).attribute(picture, target=1)
    assert torch.allclose(ours, theirs.detach(), atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_with_samples_of_the_data(net, picture):
    ours = TABLE["deeplift_shap"](net, picture, 1, references=OTHERS)
    theirs = captum().DeepLiftShap(net).attribute(picture, baselines=OTHERS, target=1)
    assert torch.allclose(ours, theirs.detach(), atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_by_leaving_out(net, picture):
    ours = TABLE["feature_ablation"](net, picture, 1, grid=4)
    cells = torch.arange(16).reshape(4, 4).repeat_interleave(2, 0).repeat_interleave(2, 1)
    theirs = (
        captum()
        .FeatureAblation(net)
        .attribute(picture, target=1, feature_mask=cells.expand(1, 1, 8, 8))
    )
    assert torch.allclose(ours, theirs / 4, atol=1e-5)  # ours spreads a cell over its pixels


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_relevance(picture):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 9), nn.ReLU(), nn.Linear(9, 3)).eval()
    flat = picture.flatten(1)
    ours = TABLE["lrp"](module, flat, 1)
    theirs = captum().LRP(module).attribute(flat.clone().requires_grad_(), target=1)
    assert torch.allclose(ours, theirs.detach(), atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_shap_finds_the_same_shapley_values():
    shap = pytest.importorskip("shap", reason="shap is an optional cross-check")
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2)).eval()
    x = torch.randn(1, 6)

    def score(rows):
        with torch.no_grad():
            return module(torch.from_numpy(np.asarray(rows, np.float32)))[:, 1].numpy()

    theirs = shap.ExactExplainer(score, np.zeros((1, 6)))(x.numpy()).values[0]
    for name in ("exact_shapley", "kernel_shap"):
        ours = TABLE[name](module, x, 1, **({"samples": 500} if name == "kernel_shap" else {}))
        assert np.allclose(ours[0].numpy(), theirs, atol=1e-4)


# Closed forms.


@pytest.mark.parametrize("name", ["left", "right", "midpoint", "trapezoid", "Gauss-Legendre"])
@pytest.mark.parametrize("steps", [2, 5, 40])
def test_every_quadrature_is_exact_for_a_constant_and_errs_as_theory_says(name, steps):
    places, weights = quadrature_of(name, steps)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)  # riemann_trapezoid: (n − 1)/n
    square = float((weights * places**2).sum()) - 1 / 3
    expected = {
        "left": 1 / (6 * steps**2) - 1 / (2 * steps),
        "right": 1 / (6 * steps**2) + 1 / (2 * steps),
        "midpoint": -1 / (12 * steps**2),
        "trapezoid": 1 / (6 * (steps - 1) ** 2),
        "Gauss-Legendre": 0,
    }[name]
    assert square == pytest.approx(expected, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_our_trapezoid_is_complete_where_captums_is_off_by_its_factor():
    module, x = nn.Linear(3, 1, bias=False), torch.tensor([[1.0, 2.0, -1.0]])
    total = float(module(x))
    ours = TABLE["integrated_gradients"](module, x, 0, steps=10, quadrature="trapezoid")
    theirs = (
        captum()
        .IntegratedGradients(module)
        .attribute(x, target=0, n_steps=10, method="riemann_trapezoid")
    )
    assert float(ours.sum()) == pytest.approx(total, rel=1e-5)
    assert float(theirs.sum()) == pytest.approx(0.9 * total, rel=1e-4)


def test_conductances_of_all_units_sum_to_integrated_gradients(net, picture):
    whole = TABLE["integrated_gradients"](net, picture, 1, steps=50)
    parts = sum(
        TABLE["neuron_conductance"](net, picture, 1, layer="6", unit=unit) for unit in range(8)
    )
    assert torch.allclose(parts, whole, atol=1e-4)
    through = inner.find("unit_conductance")(net, picture, 1, layer="6", steps=300)
    with torch.no_grad():
        difference = (net(picture) - net(torch.zeros_like(picture)))[:, 1]
    assert torch.allclose(through.sum(1), difference, atol=1e-3)


def test_permutation_by_hand_and_alone_it_is_refused():
    module = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[3.0, 0.0]]))
    x = torch.tensor([[1.0, 5.0], [2.0, 7.0]])  # each takes the other's value
    found = TABLE["feature_permutation"](module, x, 0)
    assert torch.allclose(found, torch.tensor([[-3.0, 0.0], [3.0, 0.0]]))
    with pytest.raises(ValueError, match="a batch of one has none"):
        TABLE["feature_permutation"](module, x[:1], 0)
    found = TABLE["feature_permutation"](module, x[:1], 0, references=x[1:])
    assert torch.allclose(found, torch.tensor([[-3.0, 0.0]]))


def test_interactions_of_small_games():
    both = of_game(lambda s: (s[:, 0] & s[:, 1]).astype(float), 3)  # a dummy is the third
    assert np.allclose(both, [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]])
    xor = of_game(lambda s: (s[:, 0] ^ s[:, 1]).astype(float), 2)
    assert np.allclose(xor, [[1, -1], [-1, 1]])  # each alone gives 1, together they give nothing
    majority = of_game(lambda s: (s.sum(1) >= 2).astype(float), 3)
    assert np.allclose(majority.sum(1), 1 / 3)
    assert np.allclose(majority, majority.T)


def test_interactions_sum_to_the_exact_shapley_values(net, picture):
    found = shapley_interactions(net, picture[:1], 1, grid=3)
    exact = TABLE["exact_shapley"](net, picture[:1], 1, grid=3)[0, 0]
    cells = torch.arange(8) * 3 // 8
    shares = [float(exact[cells == row][:, cells == column].sum()) for row in range(3)
              for column in range(3)]  # fmt: skip
    assert np.allclose(found.sum(1), shares, atol=1e-5)
    linear = shapley_interactions(nn.Linear(4, 2), torch.randn(1, 4), 1)
    assert np.abs(linear - np.diag(np.diag(linear))).max() < 1e-5
    with pytest.raises(ValueError, match="at most 12 parts; this input has 13"):
        shapley_interactions(nn.Linear(13, 2), torch.ones(1, 13), 1)


# What it costs, and how sure it is.


@pytest.mark.parametrize("name", TABLE)
def test_the_cost_that_is_told_before_is_the_cost_that_is_counted(name, net, picture):
    entry = TABLE[name]
    references = OTHERS if compares(entry) else None
    found = measure(entry, net, picture, 1, {}, references=references)
    work = Work(net, picture, entry.form.fill({}), len(OTHERS) if compares(entry) else 0)
    plan = estimate(entry, work, pace(net, picture))
    assert plan.evaluations == pytest.approx(found.evaluations, rel=0.1, abs=3)
    assert plan.seconds > 0


def test_lime_tells_how_well_its_fit_is_and_it_is_perfect_for_a_linear_model(net, picture):
    linear = measure(TABLE["lime"], nn.Linear(5, 3), torch.ones(1, 5), 1, {})
    assert linear.told["R²"] == pytest.approx(1, abs=1e-4)
    bent = measure(TABLE["lime"], net, picture, 1, {})
    assert 0 < bent.told["R²"] < 0.9999


def test_the_band_is_the_scatter_over_seeds_and_falls_with_more_samples(net, picture):
    entry, x = TABLE["smoothgrad"], picture[:1]
    maps = torch.stack([entry(net, x, 1, seed=s, samples=4) for s in range(SEEDS)]).flatten(1)
    by_hand = (maps - maps.mean(0)).square().sum(1).mean().sqrt() / maps.mean(0).norm()
    few = band(entry, net, x, 1, {"samples": 4})
    assert few == pytest.approx(float(by_hand), rel=1e-5)
    assert band(entry, net, x, 1, {"samples": 100}) < few / 2
    assert band(TABLE["kernel_shap"], nn.Linear(3, 2), torch.ones(1, 3), 1, {}) < 1e-5


def test_watched_work_tells_how_far_it_is_and_ends_when_it_is_not_wanted(net, picture):
    entry, done = TABLE["shapley_sampling"], []

    def work(progress):
        found = measure(entry, net, picture, 1, {"orders": 200}, progress=progress)
        done.append(found)
        return found

    making = watched(work)
    assert next(making) >= 0
    making.close()
    assert not done  # it did not go on to its end
    assert not net[0]._forward_pre_hooks
    quick = watched(
        lambda progress: measure(TABLE["saliency"], net, picture, 1, {}, progress=progress)
    )
    assert _answer(quick).evaluations == 2
    with pytest.raises(ValueError, match="no such thing"):
        list(watched(_fails))


def _answer(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def _fails(progress):
    progress(0)
    raise ValueError("no such thing")


# Series and texts.


class Bag(nn.Module):
    """The sum of what each word says."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(5, 2)
        self.last = nn.Linear(2, 2, bias=False)

    def forward(self, tokens):
        return self.last(self.words(tokens).sum(1))


def test_a_text_is_explained_word_by_word():
    torch.manual_seed(0)
    module, tokens = Bag(), torch.tensor([[1, 4, 2, 0]])
    assert kind_of(module, (4,)) == "text"
    asked, x = adapted(module, tokens, "text")
    assert torch.allclose(asked(x), module(tokens))
    by_word = module.last(module.words(tokens))[0, :, 1].detach()
    for name in ("integrated_gradients", "occlusion", "kernel_shap", "input_x_gradient"):
        settings = {"size": 1} if name == "occlusion" else {}
        found = folded(TABLE[name](asked, x, 1, **settings), "text")
        assert torch.allclose(found[0], by_word, atol=1e-4), name


def test_a_series_is_explained_moment_by_moment():
    torch.manual_seed(0)

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(2, 3, 3, padding=1)
            self.last = nn.Linear(3, 2)

        def forward(self, x):
            return self.last(self.conv(x.transpose(1, 2)).relu().mean(2))

    module, series = Last(), torch.rand(1, 10, 2)
    asked, x = adapted(module, series, kind_of(module, (10, 2)))
    assert x.shape == (1, 2, 10)
    for name, entry in TABLE.items():
        if name in ("guided_backprop", "deconvolution", "deeplift", "deeplift_shap", "lrp",
                    "guided_gradcam", "captum_gradcam"):  # fmt: skip
            continue  # they refuse the relu that is called as a function
        others = {"references": torch.rand(3, 2, 10)} if compares(entry) else {}
        settings = {"grid": 3} if name == "exact_shapley" else {}
        found = entry(asked, x, 1, **settings, **others)
        assert found.shape == x.shape, name
        assert bool(found.isfinite().all()), name
    assert folded(x, "series").shape == series.shape


def test_a_mask_of_filling_words_goes_with_the_text():
    class Masked(Bag):
        def forward(self, tokens):
            there = (tokens > 0)[..., None].float()
            return self.last((self.words(tokens) * there).sum(1))

    asked, x = adapted(Masked(), torch.tensor([[1, 2, 0, 0]]), "text")
    assert isinstance(asked, Embedded)
    found = TABLE["input_x_gradient"](asked, x, 0)
    assert float(found[..., 2:].abs().max()) == 0
    with pytest.raises(ValueError, match="needs an Embedding"):
        Embedded(nn.Linear(3, 2), torch.zeros(1, 3))


def test_an_empty_map_has_no_band_and_no_crash(picture):
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    nn.init.zeros_(module[1].weight)
    assert math.isnan(band(TABLE["smoothgrad"], module, picture[:1], 1, {}))
    found = measure(TABLE["integrated_gradients"], module, picture, 1, {})
    assert found.gap == 0
    assert float(found.map.abs().max()) == 0
