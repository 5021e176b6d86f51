"""Images as texts of pixels: nothing is seen ahead, and the odds of all images add up to 1."""

import itertools

import pytest
import torch

from engine.generate.families import families
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.model import Outline
from engine.generate.parts.rows import skew, step, unskew
from engine.generate.source import Source, open_source

WAYS = {
    "plain": ("pixelcnn", {"gated": False, "first": "3 x 3"}),
    "gated": ("pixelcnn", {"gated": True, "first": "3 x 3"}),
    "rows": ("pixelrnn", {"reads": "rows", "depth": 1}),
    "diagonals": ("pixelrnn", {"reads": "diagonals", "depth": 1}),
}


def model(way, shape=(1, 8, 8), *, classes=(), **more):
    family, own = WAYS[way]
    torch.manual_seed(0)
    outline = Outline(shape, classes)
    made = families.find(family)(outline, {}, **{"width": 8, "levels": 3, **own, **more})
    return made.eval()


def sees(made, row, column, colour=0):
    """|∂ scores of one pixel / ∂ image|, like the image."""
    draw = torch.Generator().manual_seed(1)
    x = torch.rand(1, *made.outline.shape, generator=draw, dtype=torch.float64, requires_grad=True)
    made.double()
    scores = made.scores(x)[0, colour, :, row, column]
    return sum(torch.autograd.grad(s, x, retain_graph=True)[0][0].abs() for s in scores)


@pytest.mark.parametrize("way", WAYS)
def test_no_pixel_sees_itself_or_what_comes_later(way):
    made = model(way)
    for row, column in itertools.product(range(8), range(8)):
        slope = sees(made, row, column)[0].flatten()
        assert bool((slope[row * 8 + column :] == 0).all())
        if row * 8 + column:
            assert float(slope.max()) > 0


def test_the_plain_mask_has_a_blind_spot_of_ten_and_gates_cure_it():
    before = 4 * 8 + 2
    for way, blind in {"plain": 10, "gated": 0, "diagonals": 0}.items():
        slope = sees(model(way), 4, 2)[0].flatten()[:before]
        assert int((slope == 0).sum()) == blind, way


@pytest.mark.parametrize("way", ["plain", "gated"])
def test_colours_of_a_pixel_come_one_after_the_other(way):
    made = model(way, (3, 4, 4), width=9)
    for colour in range(3):
        slope = sees(made, 2, 1, colour)
        assert bool((slope[colour:, 2, 1] == 0).all())
        assert bool((slope[:colour, 2, 1] > 0).all())
        assert bool((slope[:, 2, 2:] == 0).all())
        assert bool((slope[:, 1, 1] > 0).all())


@pytest.mark.parametrize("way", WAYS)
def test_the_chances_of_all_images_add_up_to_one(way):
    made = model(way, (1, 2, 2), levels=2)
    every = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)))
    with torch.no_grad():
        told = made.log_density(every.reshape(-1, 1, 2, 2)).double()
    assert float(told.exp().sum()) == pytest.approx(1, abs=1e-6)
    assert float(told.std()) > 0.01


@pytest.mark.parametrize("way", WAYS)
def test_a_pixel_is_drawn_from_the_odds_that_the_whole_image_gives(way):
    """The part of the image that is read while drawing is all that matters."""
    made = model(way, depth=2)
    x = torch.zeros(2, 1, 8, 8)
    drawn = [odds for _, odds in made.grow(x, torch.Generator().manual_seed(3))]
    with torch.no_grad():
        whole = made.scores(x).softmax(2).flatten(3)  # (2, 1, 3, 64)
    torch.testing.assert_close(torch.stack(drawn, -1), whole)


def test_classes_are_told_and_summed_over_when_they_are_not():
    made = model("gated", (1, 2, 2), levels=2, classes=("A", "B"), told=True)
    every = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=4)))
    every = every.reshape(-1, 1, 2, 2)
    with torch.no_grad():
        each = torch.stack([made.log_density(every, torch.full((16,), c)) for c in (0, 1)])
        assert float((each[0] - each[1]).abs().max()) > 0.01
        torch.testing.assert_close(made.log_density(every).exp(), each.exp().mean(0))


def test_skewing_loses_nothing_and_makes_columns_of_diagonals():
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    skewed = skew(x)
    assert skewed[0, 0].tolist() == [
        [0, 1, 2, 3, 0, 0],
        [0, 4, 5, 6, 7, 0],
        [0, 0, 8, 9, 10, 11],
    ]
    assert torch.equal(unskew(skewed, 4), x)


def test_a_step_of_the_memory_is_torchs_own_lstm():
    torch.manual_seed(0)
    cell = torch.nn.LSTMCell(3, 5)
    x, hidden, state = (torch.randn(4, size) for size in (3, 5, 5))
    theirs = cell(x, (hidden, state))
    gates = x @ cell.weight_ih.T + cell.bias_ih + hidden @ cell.weight_hh.T + cell.bias_hh
    into, forget, new, out = gates.chunk(4, 1)  # torch's order
    ours = step(torch.cat([into, forget, out, new], 1)[..., None], state[..., None])
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one[..., 0], other)


def binarised():
    data = open_source("digits")
    x, held = (torch.where(one > 0, 1.0, -1.0) for one in (data.x, data.held))
    return Source("digits", data.outline, x, data.labels, held, data.held_labels)


@pytest.mark.parametrize(
    ("family", "own", "share"),
    [("pixelcnn", {"width": 12, "depth": 3}, 0.8), ("pixelrnn", {"width": 16}, 0.85)],
)
def test_binary_digits_are_learnt_better_than_pixel_by_pixel(family, own, share):
    """Against the best model of independent pixels: 0.8 and 0.85 of its surprise."""
    source = binarised()
    recipe = fitting(family, source, {"levels": 2, **own}, {})
    learner = Learner(source, recipe, 320, 32, 0.008, 0)
    learner.judge = dict  # measuring samples would take most of the time
    while not learner.finished:
        if learner.step == 260:
            learner.change(0.002)
        learner.advance()
    with torch.no_grad():
        lost = -float(learner.model.eval().log_density(source.held).mean())
    white = ((source.x > 0).float().sum(0) + 1) / (len(source.x) + 2)
    seen = (source.held > 0).float()
    alone = -float((seen * white.log() + (1 - seen) * (1 - white).log()).sum((1, 2, 3)).mean())
    assert lost <= share * alone, (lost, alone)


def test_coloured_images_are_refused_by_the_recurrent_one():
    with pytest.raises(ValueError, match="grey"):
        families.find("pixelrnn")(Outline((3, 8, 8)), {})
