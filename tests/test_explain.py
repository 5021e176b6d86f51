"""Explanations against closed forms, axioms, captum, and their known traps."""

import json
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.explain import explainers
from engine.explain.faithful import area, deletion, ranking
from engine.explain.measure import measure
from engine.explain.methods.backward import greys
from engine.explain.study import study
from engine.explain.table import compares
from engine.models.inputs import resample
from engine.network.templates import spec_of
from engine.training.run import train

TABLE = explainers.all()
LAYERED = {name for name, entry in TABLE.items() if entry.facts["family"] == "layer"}
COMPLETE = [name for name, entry in TABLE.items() if entry.facts["complete"]]
FLAT = [name for name in TABLE if name not in LAYERED]  # those that need no picture
BY_LAYER = ["guided_backprop", "deconvolution", "deeplift", "deeplift_shap", "lrp"]
EXACT = ["integrated_gradients", "deeplift", "exact_shapley", "shapley_sampling", "kernel_shap"]


OTHERS = torch.rand((6, 1, 8, 8), generator=torch.Generator().manual_seed(5))
"""Samples of the data that methods may compare with."""


class Formula(nn.Module):
    """A function of `(batch, features)` as a network with one output, or two."""

    def __init__(self, function, both=False):
        super().__init__()
        self.function = function
        self.both = both

    def forward(self, x):
        y = self.function(x)[:, None]
        return torch.cat([y, -y], 1) if self.both else y


def cnn(adjacent=True, channels=1):
    torch.manual_seed(0)
    first = [nn.ReLU(), nn.MaxPool2d(2)] if adjacent else [nn.ReLU(), nn.Conv2d(4, 4, 1)]
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        *first,
        nn.Conv2d(4, 6, 3),
        nn.Tanh(),
        nn.Flatten(),
        nn.LazyLinear(8),
        nn.ReLU(),
        nn.Linear(8, 3),
    )


@pytest.fixture
def picture():
    return torch.rand((2, 1, 8, 8), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def net(picture):
    module = cnn()
    module(picture)
    return module


# The battery: every method of the table.


@pytest.mark.parametrize("name", TABLE)
def test_a_map_is_like_the_input_and_the_network_is_as_before(name, net, picture):
    net.train()
    net[3].eval()
    net[0].weight.requires_grad_(False)
    net[3].weight.grad = torch.ones_like(net[3].weight)
    found = TABLE[name](net, picture, 1)
    assert found.shape == picture.shape
    assert bool(found.isfinite().all())
    assert not found.requires_grad
    assert [part.training for part in net] == [i != 3 for i in range(len(net))]
    assert not net[0].weight.requires_grad
    assert net[3].weight.requires_grad
    assert torch.equal(net[3].weight.grad, torch.ones_like(net[3].weight))


@pytest.mark.parametrize("name", TABLE)
def test_dropout_and_batch_norm_do_not_change_a_map(name, picture):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(144, 3),
    )  # fmt: skip
    calm, restless = TABLE[name](module.eval(), picture, 1), TABLE[name](module.train(), picture, 1)
    assert torch.equal(calm, restless)
    assert torch.equal(module[1].running_mean, torch.zeros(4))


@pytest.mark.parametrize(
    "name", [name for name, entry in TABLE.items() if not entry.facts.get("classless")]
)
def test_a_network_that_always_says_the_same_gets_an_empty_map(name, net, picture):
    nn.init.zeros_(net[-1].weight)
    assert TABLE[name](net, picture, 1).abs().max() < 1e-6


@pytest.mark.parametrize("name", TABLE)
def test_other_weights_give_another_map(name, net, picture):
    settings = {"layer": "1"} if name in LAYERED else {}

    def maps():
        return torch.stack([TABLE[name](net, picture, target, **settings) for target in range(3)])

    before = maps()
    torch.manual_seed(9)
    for part in net:
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    assert (maps() - before).norm() > 0.1 * before.norm() > 0


@pytest.mark.parametrize("name", [n for n, e in TABLE.items() if not e.facts["sampled"]])
def test_a_batch_is_explained_like_its_samples_one_by_one(name, net, picture):
    together = TABLE[name](net, picture, torch.tensor([0, 2]))
    alone = [TABLE[name](net, picture[i : i + 1], target) for i, target in ((0, 0), (1, 2))]
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@pytest.mark.parametrize("name", [n for n, e in TABLE.items() if e.facts["sampled"]])
def test_a_sampled_map_is_fixed_by_its_seed(name, net, picture):
    others = {"references": OTHERS} if compares(TABLE[name]) else {}
    one, same, other = (TABLE[name](net, picture, 1, seed=seed, **others) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("name", COMPLETE)
def test_what_claims_to_be_complete_sums_to_the_difference(name, net, picture):
    settings = {"steps": 300} if name.endswith("integrated_gradients") else {}
    found = measure(TABLE[name], net, picture, 2, settings)
    with torch.no_grad():
        nothing = greys(picture) if name == "deeplift_shap" else torch.zeros_like(picture)
        difference = (net(picture) - net(nothing).mean(0))[:, 2]
    assert torch.allclose(found.total, difference, atol=1e-6)
    assert found.gap < (1e-3 if settings else 1e-5)


@pytest.mark.parametrize("name", FLAT)
def test_an_input_that_is_never_looked_at_gets_nothing(name):
    module = Formula(lambda x: x[:, 0] * torch.tanh(x[:, 2]))
    if TABLE[name].facts["family"] == "neuron" or name in BY_LAYER:
        module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        nn.init.zeros_(module[0].weight[:, 1])
    x = torch.tensor([[0.5, 0.7, 0.9]])
    others = {"references": torch.rand(5, 3)} if compares(TABLE[name]) else {}
    found = TABLE[name](module, x, 0, **others)
    limit = 0.1 if name in ("lime", "rise") else 1e-6  # a fit to draws; a mean of draws
    assert found[0, 1].abs() <= limit * found.abs().max()


@pytest.mark.parametrize("name", TABLE)
def test_an_output_that_is_not_there_is_refused(name, net, picture):
    with pytest.raises(ValueError, match="target must be an output 0 to 2; got 3"):
        TABLE[name](net, picture, 3)


# Closed forms.


@pytest.mark.parametrize("name", [*EXACT, "feature_ablation", "occlusion", "input_x_gradient"])
def test_a_linear_model_is_shared_out_as_weight_times_input(name):
    torch.manual_seed(0)
    module, x = nn.Linear(5, 3), torch.randn(4, 5)
    found = TABLE[name](module, x, 1)
    assert torch.allclose(found, x * module.weight[1], atol=1e-5)


def test_lime_finds_the_weights_of_a_linear_model():
    module, x = nn.Linear(5, 3), torch.ones(1, 5)
    found = TABLE["lime"](module, x, 1, samples=4000)
    assert torch.allclose(found[0], module.weight[1], atol=0.02)


def test_integrated_gradients_of_a_quadratic_and_a_product():
    x = torch.tensor([[0.5, -2.0, 3.0]])
    square = Formula(lambda x: (torch.tensor([1.0, 2.0, 3.0]) * x**2).sum(1))
    found = TABLE["integrated_gradients"](square, x, 0, steps=4)
    assert torch.allclose(found, torch.tensor([1.0, 2.0, 3.0]) * x**2, atol=1e-5)
    product = Formula(lambda x: x.prod(1))
    found = TABLE["integrated_gradients"](product, x, 0, steps=4)
    assert torch.allclose(found, x.prod(1).expand(1, 3) / 3, atol=1e-5)  # ∫α² = 1/3 each


def test_midpoints_are_off_by_what_theory_says_and_gauss_is_not():
    cube, x = Formula(lambda x: x[:, 0] ** 3), torch.ones(1, 1)
    midpoint = TABLE["integrated_gradients"](cube, x, 0, steps=10, quadrature="midpoint")
    assert midpoint.item() == pytest.approx(1 - 1 / (4 * 10**2), abs=1e-6)  # 3∫α² by midpoints
    assert TABLE["integrated_gradients"](cube, x, 0, steps=10).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["exact_shapley", "kernel_shap", "shapley_sampling"])
def test_shapley_values_of_small_games(name):
    ones = torch.ones(1, 3)
    xor = Formula(lambda x: x[:, 0] + x[:, 1] - 2 * x[:, 0] * x[:, 1])
    assert torch.allclose(TABLE[name](xor, ones[:, :2], 0), torch.zeros(2), atol=1e-5)
    majority = Formula(lambda x: (x.sum(1) >= 2).float())
    settings = {"orders": 200} if name == "shapley_sampling" else {}
    found = TABLE[name](majority, ones, 0, **settings)
    assert torch.allclose(found, torch.full((1, 3), 1 / 3), atol=0.15 if settings else 1e-5)
    glove = Formula(lambda x: x[:, 0] * torch.maximum(x[:, 1], x[:, 2]))
    truth = torch.tensor([[4 / 6, 1 / 6, 1 / 6]])  # one left glove, two right ones
    found = TABLE[name](glove, ones, 0, **settings)
    assert torch.allclose(found, truth, atol=0.15 if settings else 1e-5)


def test_sampled_shapley_values_approach_the_exact_ones(net, picture):
    exact = TABLE["exact_shapley"](net, picture, 1, grid=3)
    for name, settings in (
        ("kernel_shap", {"samples": 4000}),
        ("shapley_sampling", {"orders": 200}),
    ):
        found = TABLE[name](net, picture, 1, grid=3, **settings)
        assert (found - exact).norm() < 0.05 * exact.norm()


def test_one_player_takes_all():
    module = Formula(lambda x: 3 * x[:, 0] + 1)
    for name in ("exact_shapley", "kernel_shap", "shapley_sampling"):
        assert TABLE[name](module, torch.full((1, 1), 2.0), 0).item() == pytest.approx(6)


def test_saliency_equals_finite_differences(net, picture):
    net, x = net.double(), picture.double()
    found = TABLE["saliency"](net, x, 1, signed=True)
    for place in ((0, 0, 3, 4), (1, 0, 7, 7), (0, 0, 0, 0)):
        up, down = x.clone(), x.clone()
        up[place] += 1e-6
        down[place] -= 1e-6
        with torch.no_grad():
            rise = (net(up) - net(down))[place[0], 1] / 2e-6
        assert found[place].item() == pytest.approx(rise.item(), rel=1e-5, abs=1e-8)


def test_gradcam_by_hand_on_two_channels():
    conv, last = nn.Conv2d(1, 2, 1, bias=False), nn.Linear(8, 2, bias=False)
    module = nn.Sequential(conv, nn.Flatten(), last)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1))
        last.weight[0] = torch.tensor([1.0, 2.0, 3.0, 4.0, 1.0, 1.0, 1.0, 1.0])
        last.weight[1] = -last.weight[0]
    x = torch.tensor([[1.0, -2.0], [3.0, 4.0]]).reshape(1, 1, 2, 2)
    # α = mean of the last layer's weights a channel: 2.5 and 1; maps x and −x: 1.5 x, cut at 0
    assert torch.allclose(TABLE["gradcam"](module, x, 0), (1.5 * x).clamp_min(0))
    assert torch.allclose(TABLE["gradcam"](module, x, 1), (-1.5 * x).clamp_min(0))
    # LayerCAM: positive weights place by place; channel 1 gives −x, channel 0 gives w · x
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    by_hand = ((weights - 1) * x).clamp_min(0)
    assert torch.allclose(TABLE["layercam"](module, x, 0), by_hand)


def test_two_networks_of_one_function_are_explained_alike():
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    order = torch.randperm(6)
    other = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    with torch.no_grad():  # neurons in another order, one pair of scales moved between layers
        other[0].weight.copy_(2 * one[0].weight[order])
        other[0].bias.copy_(2 * one[0].bias[order])
        other[2].weight.copy_(one[2].weight[:, order] / 2)
        other[2].bias.copy_(one[2].bias)
    x = torch.randn(3, 4)
    for name in ("integrated_gradients", "exact_shapley", "saliency"):
        assert torch.allclose(TABLE[name](one, x, 1), TABLE[name](other, x, 1), atol=1e-4)


# Captum, where it is right.


def _captum(name, module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum import attr
    return getattr(attr, name)(module)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "theirs", "settings", "arguments"),
    [
        ("saliency", "Saliency", {}, {}),
        ("input_x_gradient", "InputXGradient", {}, {}),
        ("guided_backprop", "GuidedBackprop", {}, {}),
        ("deconvolution", "Deconvolution", {}, {}),
        ("integrated_gradients", "IntegratedGradients", {"steps": 50}, {"n_steps": 50}),
        ("deeplift", "DeepLift", {}, {}),
        ("occlusion", "Occlusion", {"size": 3}, {"sliding_window_shapes": (1, 3, 3)}),
    ],
)
def test_captum_finds_the_same(name, theirs, settings, arguments, picture):
    module = cnn(adjacent=False)
    module(picture)
    module.eval()
    ours = TABLE[name](module, picture, 1, **settings)
    x = picture.clone().requires_grad_()
    reference = _captum(theirs, module).attribute(x, target=1, **arguments).detach()
    assert torch.allclose(ours, reference, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_gradcam(net, picture):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from captum.attr import LayerAttribution, LayerGradCam
    net.eval()
    reference = LayerGradCam(net, net[3]).attribute(picture, target=1, relu_attributions=True)
    large = LayerAttribution.interpolate(reference.detach(), (8, 8), "bilinear")
    assert torch.allclose(TABLE["gradcam"](net, picture, 1), large, atol=1e-5)


# Traps.


def test_deeplift_is_right_where_pooling_follows_an_activation(picture):
    for order in ([nn.ReLU(), nn.MaxPool2d(2)], [nn.MaxPool2d(2), nn.ReLU()]):
        torch.manual_seed(3)
        module = nn.Sequential(nn.Conv2d(1, 4, 3), *order, nn.Flatten(), nn.Linear(36, 2))
        assert measure(TABLE["deeplift"], module, picture, 1, {}).gap < 1e-6


class _Hidden(nn.Module):
    def __init__(self, how):
        super().__init__()
        self.how = how
        self.second = nn.Conv2d(2, 2, 1)
        self.conv = nn.Conv2d(1, 2, 3)
        self.relu = nn.ReLU(inplace=how == "in place")
        self.last = nn.Linear(72, 2)

    def forward(self, x):
        x = self.conv(x)
        x = functional.relu(x) if self.how == "function" else self.relu(x)
        if self.how == "twice":
            x = self.relu(self.second(x))
        return self.last(x.flatten(1))


@pytest.mark.parametrize(
    "name", ["lrp", "deeplift", "guided_backprop", "deconvolution", "guided_gradcam"]
)
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("function", "calls relu as a function"),
        ("twice", "relu is used 2 times a pass"),
        ("in place", "relu works in place"),
    ],
)
def test_activations_that_cannot_be_replaced_are_refused(name, how, words, picture):
    with pytest.raises(ValueError, match=words):
        TABLE[name](_Hidden(how), picture, 1)
    assert torch.isfinite(TABLE["integrated_gradients"](_Hidden(how), picture, 1)).all()


@pytest.mark.parametrize("name", sorted(LAYERED))
def test_a_layer_without_rows_and_columns_is_refused(name, net, picture):
    with pytest.raises(ValueError, match=r"rows and columns; this one gives \[8\]"):
        TABLE[name](net, picture, 1, layer="6")
    with pytest.raises(LookupError, match="no layer 'conv9'"):
        TABLE[name](net, picture, 1, layer="conv9")
    with pytest.raises(ValueError, match="this network has no Conv2d"):
        TABLE[name](nn.Linear(3, 2), torch.ones(1, 3), 1)


def test_relevance_by_hand_through_a_tanh():
    module = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1, bias=False)).double()
    x = torch.tensor([[0.3, -0.8]], dtype=torch.float64)
    with torch.no_grad():
        z = module[0](x)
        upper = torch.tanh(z) * module[2].weight  # what each hidden unit gave to the score
        parts = x[:, :, None] * module[0].weight.T[None]  # (1, input, hidden)
        by_hand = (parts / z[:, None] * upper[:, None]).sum(2)
    assert torch.allclose(TABLE["lrp"](module, x, 0), by_hand, rtol=1e-4)


def test_relevance_sums_to_the_score_without_biases(picture):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(36, 3, bias=False),
    )  # fmt: skip
    total = TABLE["lrp"](module, picture, 2).flatten(1).sum(1)
    assert torch.allclose(total, module(picture)[:, 2], atol=1e-5)


def test_deletion_by_hand_and_a_good_order_falls_faster():
    module = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[4.0, 3.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]]))
    x = torch.ones(1, 4)
    order = ranking(TABLE["input_x_gradient"](module, x, 0))
    assert order.tolist() == [0, 1, 2, 3]
    found = deletion(module, x, 0, order, steps=4)
    left = torch.tensor([10.0, 6.0, 3.0, 1.0, 0.0])
    assert np.allclose(found, left.sigmoid().numpy(), atol=1e-6)
    assert area(found) < area(deletion(module, x, 0, order.flip(0), steps=4))
    put_in = deletion(module, x, 0, order, steps=4, insert=True)
    assert np.allclose(put_in, (10 - left).sigmoid().numpy(), atol=1e-6)


def test_too_many_players_are_refused():
    with pytest.raises(ValueError, match="at most 12 parts; this input has 13"):
        TABLE["exact_shapley"](nn.Linear(13, 2), torch.ones(1, 13), 1)


# Drawing, study, command line.


def test_a_drawing_is_centred_and_as_large_as_a_digit():
    drawing = np.zeros((28, 28))
    drawing[2:6, 1:3] = 1.0  # a small bar in a corner
    x = resample(drawing.flatten().tolist(), (1, 28, 28))[0, 0]
    rows, columns = x.sum(1).nonzero().flatten(), x.sum(0).nonzero().flatten()
    assert len(rows) == 20
    assert len(columns) == 10
    centre = (x.sum(1) * torch.arange(28)).sum() / x.sum()
    assert abs(float(centre) - 13.5) <= 0.5
    assert resample(drawing.flatten().tolist(), (1, 8, 8)).shape == (1, 1, 8, 8)
    assert float(resample([0.0] * 784, (3, 8, 8)).sum()) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small network trained for one epoch on the embedded digits."""
    place = tmp_path_factory.mktemp("run")
    for _ in train(spec_of("lenet-digits"), "digits", folder=place, epochs=1):
        pass
    return place


def settle(run, changes=None):
    """All frames until one waits."""
    frames = [run.send(changes)]
    while not frames[-1].waits:
        frames.append(run.send(None))
    return frames


def test_a_study_shows_each_method_as_soon_as_it_is_done(folder):
    run = study(str(folder), methods="gradcam, kernel_shap")
    frames = settle(run)
    shapes = [frame.views["maps"].images.shape for frame in frames]
    assert list(dict.fromkeys(shapes)) == [(0, 1, 1), (1, 8, 8), (2, 8, 8)]
    assert "gap" in frames[-1].views["maps"].captions[1]
    assert frames[-1].facts["completeness gap"] < 1e-5
    assert sum(frames[-1].views["scores"].series["chance"]) == pytest.approx(1, abs=1e-5)
    assert all(list(frame.views) == list(frames[0].views) for frame in frames)


def test_a_study_explains_nothing_twice(folder):
    run = study(str(folder), methods="kernel_shap")
    first = settle(run)[-1]
    settle(run, {"sample": 1})
    back = settle(run, {"sample": 0})[-1]
    captions = [frame.views["maps"].captions for frame in (first, back)]
    assert captions[0] == captions[1]  # the very same time in ms: it was not computed again
    unmoved = settle(run, {"layer": "conv1"})[-1]  # kernel_shap has no layer
    assert unmoved.views["maps"].captions == captions[0]


def test_a_study_tells_what_does_not_fit_and_shows_the_rest(folder):
    run = study(str(folder), methods="gradcam, saliency", layer="full1")
    frame = settle(run)[-1]
    assert "rows and columns" in frame.views["notes"].text
    assert len(frame.views["maps"].images) == 1
    wrong = settle(run, {"target": "eleven"})[-1]
    assert "target must be predicted or one of 0, 1" in wrong.views["notes"].text
    drawn = settle(run, {"target": "3", "source": "drawing", "drawing": [1.0] * 784})[-1]
    assert drawn.facts["explained output"] == 3
    assert drawn.views["input"].captions == ("drawing",)


def test_the_command_writes_arrays_and_numbers(folder, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((3, 1, 8, 8)))
    from engine.__main__ import main

    out = tmp_path / "out.npz"
    words = ["explain", str(folder / "spec.json"), "steps=20", "--json", "-o", str(out)]
    words += ["--weights", str(folder / "weights.safetensors"), "--input", str(tmp_path / "x.npy")]
    assert main([*words, "--target", "4"]) == 0
    told = json.loads(capsys.readouterr().out)
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["attribution"].shape == (3, 1, 8, 8)
        sums = arrays["attribution"].reshape(3, -1).sum(1)
        gap = np.abs(sums - arrays["difference"]).max()
        assert float(arrays["completeness_gap"]) == pytest.approx(gap, rel=1e-3, abs=1e-6)
    assert told["target"] == [4, 4, 4]
    assert main([*words, "--method", "gradcm"]) == 2
    assert capsys.readouterr().err == "no explainer 'gradcm'; did you mean 'gradcam'?\n"
