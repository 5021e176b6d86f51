"""Counterfactuals, wishes of units, concepts, training samples, whole data sets, own inputs."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from engine.explain import own
from engine.explain.concepts import concept, directions, tcav
from engine.explain.counterfactual import Bounds, bounds_of, nearest, replaced_words
from engine.explain.influences.gradients import curvature, influence_functions, tracin
from engine.explain.maximise import Wishes, activations, ascend, blurred
from engine.explain.training_samples import read
from engine.explain.whole import importance, plane


def linear(weight, bias=None):
    layer = nn.Linear(len(weight[0]), len(weight), bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


def wide(size, scale=None):
    ones = torch.ones(size)
    return Bounds(-100 * ones, 100 * ones, ones if scale is None else torch.tensor(scale))


# Counterfactuals.


def test_the_nearest_flip_of_a_linear_model_is_the_foot_of_the_perpendicular():
    module, x = linear([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    found = nearest(module, x, wide(2), sparse=False)
    assert (found.before, found.after) == (0, 1)
    assert found.distance == pytest.approx(7 / 5, rel=1e-3)  # |w · x| / |w|
    assert torch.allclose(found.x - x, -7 / 25 * torch.tensor([[3.0, 4.0]]), atol=1e-3)


def test_units_of_change_decide_which_column_moves():
    module, x = linear([[1.0, 1.0], [0.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    cheap = nearest(module, x, wide(2, [10.0, 0.1]), sparse=False)
    change = (cheap.x - x)[0]
    assert float(change[0]) == pytest.approx(-2, rel=0.01)
    assert abs(float(change[1])) < 0.01


def test_fewest_changes_keep_what_need_not_move_and_stay_within_bounds():
    module = linear([[2.0, 1.0, 0.5], [0.0, 0.0, 0.0]])
    x = torch.tensor([[1.0, 1.0, 1.0]])
    found = nearest(module, x, wide(3))
    assert found.changed == 1
    assert float((found.x - x)[0, 0]) == pytest.approx(-1.75, rel=0.01)
    tight = Bounds(torch.tensor([0.5, -9.0, 1.0]), torch.ones(3), torch.ones(3))
    found = nearest(module, x, tight, sparse=False)
    assert bool(((found.x[0] >= tight.low) & (found.x[0] <= tight.high)).all())
    kept = nearest(module, x, wide(3), fixed=torch.tensor([True, False, False]), sparse=False)
    assert float(kept.x[0, 0]) == 1.0


def test_what_cannot_flip_is_told_and_a_real_sample_shows_the_way():
    constant = linear([[0.0, 0.0], [0.0, 0.0]], [1.0, 0.0])
    assert nearest(constant, torch.ones(1, 2), wide(2)) is None

    class Step(nn.Module):  # flat: no gradient says where to go
        def forward(self, x):
            far = (x[:, :1] > 3).float() + 0 * x[:, :1]
            return torch.cat([0.5 + 0 * far, far], 1)

    others = torch.tensor([[9.0, 0.0], [5.0, 0.0]])
    found = nearest(Step(), torch.zeros(1, 2), wide(2), sparse=False, fallback=others)
    assert float(found.x[0, 0]) == pytest.approx(3, rel=0.01)


def test_words_are_replaced_one_by_one_until_it_flips():
    class Count(nn.Module):  # class 1 where token 3 stands twice
        def forward(self, tokens):
            often = (tokens == 3).sum(1).float()
            return torch.stack([1.5 - often, often - 1.5], 1)

    found = replaced_words(Count(), torch.tensor([[1, 2, 0, 0]]), 5, keep=[0])
    assert found.changed == 2
    assert found.x.tolist() == [[3, 3, 0, 0]]
    assert replaced_words(Count(), torch.tensor([[1, 0, 0, 0]]), 5, keep=[0]) is None


def test_bounds_are_what_is_usual_in_the_data():
    data = torch.arange(101.0)[:, None].repeat(1, 2)
    data[:, 1] = 5.0
    found = bounds_of(data)
    assert found.low.tolist() == [1.0, 5.0]
    assert found.high.tolist() == [99.0, 5.0]
    assert float(found.scale[1]) == 1.0  # a constant column has no unit of its own


# What a unit wants to see.


def test_the_loudest_input_of_a_linear_unit_is_the_corner_its_weights_point_to():
    module = linear([[1.0, -2.0, 0.5, 3.0], [0.0, 0.0, 0.0, 0.0]])
    calm = Wishes(decay=0, smooth=0, blur=0, jitter=0)
    *_, last = ascend(module, None, 0, (4,), steps=200, wishes=calm)
    assert last.x[0].tolist() == pytest.approx([1.0, 0.0, 1.0, 1.0], abs=0.02)
    assert last.activation == pytest.approx(4.5, abs=0.1)


def test_decay_and_smoothness_hold_the_picture_back():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 2))

    def end(**wishes):
        *_, last = ascend(
            module, module[0], 1, (1, 8, 8), steps=60,
            wishes=Wishes(**{"decay": 0.0, "smooth": 0.0, "blur": 0.0, "jitter": 0, **wishes}),
        )  # fmt: skip
        return last

    free = end()
    assert free.activation > activations(module, module[0], torch.rand(1, 1, 8, 8), 1).item()
    assert end(decay=20.0).x.mean() < free.x.mean()
    rough = [float(one.x.diff(dim=3).square().mean()) for one in (free, end(smooth=200.0))]
    assert rough[1] < rough[0] / 2
    assert torch.equal(end(jitter=2).x, end(jitter=2).x)  # the seed decides
    with pytest.raises(ValueError, match="units 0 to 2; got 3"):
        next(ascend(module, module[0], 3, (1, 8, 8)))


def test_a_blur_keeps_the_mean_and_takes_away_the_grain():
    x = torch.rand(1, 2, 9, 9)
    soft = blurred(torch.nn.functional.pad(x, (4, 4, 4, 4)), 1.0)
    assert soft.sum().item() == pytest.approx(x.sum().item(), rel=1e-4)
    assert float(soft.diff(dim=2).abs().sum()) < float(x.diff(dim=2).abs().sum())


# Training samples.


@pytest.fixture(scope="module")
def regression():
    """A logistic regression trained to its optimum, with a little weight decay."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 3, generator=generator, dtype=torch.float64)
    y = (x[:, 0] + 0.5 * torch.randn(60, generator=generator, dtype=torch.float64) > 0).long()
    return x, y


DAMPING = 0.05


def fitted(x, y, count):
    """The weights that minimise the summed loss over `count` samples plus the decay, `(2, 4)`."""
    design = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    weight = torch.zeros(2, 4, dtype=x.dtype, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight], max_iter=300, tolerance_grad=1e-12, tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss():
        search.zero_grad()
        total = functional.cross_entropy(design @ weight.T, y, reduction="sum") / count
        total = total + DAMPING / 2 * weight.square().sum()
        total.backward()
        return total

    search.step(loss)
    return weight.detach()


def module_of(weight):
    module = nn.Linear(3, 2).double()
    with torch.no_grad():
        module.weight.copy_(weight[:, :3])
        module.bias.copy_(weight[:, 3])
    return module


def test_influence_foretells_what_leaving_a_sample_out_really_does(regression):
    x, y = regression
    module = module_of(fitted(x, y, 60))
    test = read(module, x[:3], y[:3])
    train = read(module, x, y)
    foretold = influence_functions(train, test, damping=DAMPING)
    real = torch.zeros_like(foretold)
    with torch.no_grad():
        before = functional.cross_entropy(module(x[:3]), y[:3], reduction="none")
        for out in range(60):
            rest = torch.arange(60) != out
            other = module_of(fitted(x[rest], y[rest], 60))
            after = functional.cross_entropy(other(x[:3]), y[:3], reduction="none")
            real[:, out] = after - before
    for one, truth in zip(foretold, real, strict=True):
        assert torch.corrcoef(torch.stack([one, truth]))[0, 1] > 0.99
        assert float(one.norm() / truth.norm()) == pytest.approx(1, abs=0.15)


def test_the_curvature_is_the_second_derivative_of_the_loss(regression):
    x, y = regression
    weight = fitted(x, y, 60).requires_grad_()
    design = torch.cat([x, torch.ones(60, 1, dtype=x.dtype)], 1)
    way = torch.randn(2, 4, dtype=x.dtype, generator=torch.Generator().manual_seed(1))
    loss = functional.cross_entropy(design @ weight.T, y)
    (slope,) = torch.autograd.grad(loss, weight, create_graph=True)
    (bent,) = torch.autograd.grad((slope * way).sum(), weight)
    found = curvature(read(module_of(weight.detach()), x, y), way)
    assert torch.allclose(found, bent, atol=1e-10)


def test_tracin_is_the_product_of_the_last_layers_gradients():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    x, y = torch.randn(4, 4), torch.tensor([0, 1, 2, 1])
    found = tracin(read(module, x, y), read(module, x[:1], y[:1]))

    def gradient(i):
        loss = functional.cross_entropy(module(x[i : i + 1]), y[i : i + 1])
        parts = torch.autograd.grad(loss, list(module[2].parameters()))
        return torch.cat([part.flatten() for part in parts])

    by_hand = [float(gradient(0) @ gradient(i)) for i in range(4)]
    assert found[0].tolist() == pytest.approx(by_hand, rel=1e-4)
    with pytest.raises(ValueError, match="straight from its last Linear"):
        read(nn.Sequential(module, nn.Softmax(1)), x, y)


# Concepts.


def test_a_concept_is_the_direction_that_tells_its_examples_apart():
    generator = torch.Generator().manual_seed(0)
    others = torch.randn(200, 30, generator=generator)
    examples = torch.randn(200, 30, generator=generator)
    examples[:, 7] += 4
    found = concept(examples, others)
    assert int(found.vector.abs().argmax()) == 7
    assert float(found.vector[7]) > 0.8
    assert found.accuracy > 0.9
    assert concept(others[:100], others[100:]).accuracy < 0.75  # there is nothing to tell


def test_a_concept_that_a_class_uses_scores_one_and_a_strange_one_is_no_more_than_chance():
    generator = torch.Generator().manual_seed(0)
    weight = torch.zeros(3, 6)
    weight[1, 2], weight[0, 2] = 2.0, -2.0  # class 1 counts feature 2, class 2 nothing
    first = nn.Linear(6, 6, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.eye(6))
    module = nn.Sequential(first, linear(weight.tolist()))
    pool = torch.randn(300, 6, generator=generator)
    examples = torch.randn(80, 6, generator=generator)
    examples[:, 2] += 4
    drawn = list(directions(module, module[0], examples, pool, draws=8))
    x = torch.randn(50, 6, generator=generator)
    used = tcav(module, module[0], x, 1, drawn)
    assert used.mean == 1
    assert used.p < 0.05
    assert tcav(module, module[0], x, 0, drawn).mean == 0
    assert tcav(module, module[0], x, 2, drawn).mean == 0  # its score rises with nothing


# Whole data sets.


def test_shuffling_hurts_only_where_the_answer_is():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(500, 4, generator=generator)
    y = (x[:, 2] > 0).long()
    module = linear([[0.0, 0, -1, 0], [0.0, 0, 1, 0]])
    *_, found = importance(module, x, y)
    assert found[[0, 1, 3]].abs().max() == 0
    assert float(found[2]) == pytest.approx(0.5, abs=0.06)  # half of a coin's guesses are right
    numbers = x @ torch.tensor([0.0, 3.0, 0.0, 0.0])
    *_, found = importance(linear([[0.0, 3, 0, 0]]), x, numbers[:, None], classes=False)
    assert float(found[1]) == pytest.approx(18, rel=0.15)  # 2 · var(3x)


def test_the_plane_of_explanations_is_sklearns():
    decomposition = pytest.importorskip("sklearn.decomposition")
    maps = torch.randn(40, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    points, share = plane(maps)
    flat = maps.flatten(1)
    flat = (flat / flat.norm(dim=1, keepdim=True)).numpy()
    theirs = decomposition.PCA(2).fit(flat)
    assert np.allclose(np.abs(points.numpy()), np.abs(theirs.transform(flat)), atol=1e-4)
    assert share == pytest.approx(theirs.explained_variance_ratio_, abs=1e-5)


# What visitors bring.


def file_of(array, kind="PNG"):
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind)
    return out.getvalue()


def test_a_picture_is_cut_scaled_and_turned_to_light_on_black():
    paper = np.full((40, 60), 255, np.uint8)
    paper[:, 28:32] = 0  # a dark stroke in the middle of white paper
    line = own.picture(file_of(paper), [1, 8, 8], "stroke.png")
    given = own.read(line, (1, 8, 8))
    assert given.x.shape == (1, 1, 8, 8)
    assert given.x[0, 0, :, 0].max() == 0
    assert given.x[0, 0, :, 3:5].mean() > 0.4
    assert "turned to light on black" in given.words
    colour = np.zeros((9, 9, 3), np.uint8)
    colour[..., 0] = 200
    red = own.read(own.picture(file_of(colour), [3, 4, 4]), (3, 4, 4)).x
    assert red.mean((0, 2, 3)).tolist() == pytest.approx([200 / 255, 0, 0], abs=0.01)


def test_fifty_megapixels_are_refused_before_anything_is_decoded(monkeypatch):
    huge = io.BytesIO()
    Image.new("1", (10_000, 5_000)).save(huge, "PNG")
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    from PIL import ImageFile

    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ValueError, match=r"50 million pixels; at most 24 million fit"):
        own.picture(huge.getvalue(), [1, 8, 8])


@pytest.mark.parametrize(
    ("data", "shape", "words"),
    [
        (b"no picture at all", [1, 8, 8], "must be a file of kind PNG"),
        (file_of(np.zeros((9, 9), np.uint8))[:40], [1, 8, 8], "broken|must be a file"),
        (b"x" * (13 * 2**20), [1, 8, 8], "may have 12 MB"),
        (file_of(np.zeros((9, 9), np.uint8)), [4, 8, 8], "takes 4 channels; a picture has 1"),
        (file_of(np.zeros((9, 9), np.uint8)), [7], "no pictures; edit a row instead"),
    ],
)
def test_what_is_no_fitting_picture_is_told(data, shape, words):
    with pytest.raises(ValueError, match=words):
        own.picture(data, shape)


def test_rows_and_words_are_read_or_told():
    assert own.read(own.row([1.0, 2.0]), (2,)).x.tolist() == [[1.0, 2.0]]
    words = ("·", "good", "bad", "film")
    given = own.read(own.sentence("good film"), (4,), words)
    assert given.x.tolist() == [[1, 3, 0, 0]]
    for line, shape, vocabulary, told in (
        (own.row([1.0]), (2,), (), "must have 2 numbers, one a column; got 1"),
        (json.dumps({"kind": "row", "values": ["a", 1]}), (2,), (), "must be a number"),
        (own.row([float("inf"), 1.0]), (2,), (), "finite number"),
        (own.sentence("   "), (4,), words, "type a few words first"),
        (own.sentence("god film"), (4,), words, "does not know the word 'god'.*did you mean"),
        (own.sentence("good film " * 3), (4,), words, "4 tokens at most; these are 6"),
        (own.sentence("good"), (4,), (), "does not read text"),
        ("{", (4,), (), "bring it again"),
        (own.picture(file_of(np.zeros((9, 9), np.uint8)), [1, 8, 8]), (1, 9, 9), (), "cut to"),
    ):
        with pytest.raises(ValueError, match=told):
            own.read(line, shape, vocabulary)
