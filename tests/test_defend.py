"""Training defences, filters and detectors: what they promise, held against attacks."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from engine.attack import attacks
from engine.attack.privacy.detection import auc
from engine.attack.table import fooled
from engine.data import load
from engine.defend.curves import accuracy, robust_accuracy
from engine.defend.detect import detect
from engine.defend.features import features
from engine.defend.harden import harden
from engine.defend.masked import masked
from engine.defend.shield import Loud, Shield
from engine.defend.table import Lesson, detectors, filters, recipes
from engine.models.kept import load as load_kept
from engine.models.unit import box_of, boxed
from engine.network.build import build
from engine.network.templates import spec_of
from engine.training.run import train
from engine.training.session import Session
from engine.training.settings import Settings

RATE, BATCH = 0.003, 64


def learnt(recipe=None, *, data, spec="lenet-digits", epochs=4, seed=0, steps=None, **chosen):
    """A network trained by a recipe, and its session."""
    settings = Settings(RATE, BATCH, epochs, seed=seed)
    torch.manual_seed(seed)
    module, extra = build(spec_of(spec)), {}
    if recipe:
        objective = recipes.find(recipe)(Lesson(module.spec, data, settings), **chosen)
        extra = {"learn": objective.learn, "replays": objective.replays}
        while objective.teacher is not None and not objective.teacher.finished:
            objective.teacher.advance()
    session = Session(module, data, settings, **extra)
    while not session.finished and (steps is None or session.step < steps):
        session.advance()
    return module.eval()


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def plain(digits):
    return learnt(data=digits, epochs=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    for _ in train(spec_of("lenet-digits"), "digits", folder=place, epochs=4):
        pass
    return place


def last(run):
    """The frame on which a study waits."""
    frame = next(run)
    while not frame.waits:
        frame = run.send(None)
    return frame


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


# Recipes.


@pytest.mark.parametrize(
    ("recipe", "chosen"),
    [
        ("trades", {"beta": 0.0}),
        ("distillation", {"temperature": 1.0, "soft": False}),
        ("label_smoothing", {"smoothing": 0.0}),
        ("fgsm", {"share": 0.0}),
        ("interval", {"share": 0.0}),
        ("noise", {"sigma": 0.0}),
        ("free", {"epsilon": 0.0, "replays": 1}),
    ],
)
def test_a_defence_turned_off_is_plain_training_to_the_last_bit(recipe, chosen, digits):
    one = learnt(data=digits, steps=25)
    assert same(one, learnt(recipe, data=digits, steps=25, **chosen))
    assert not same(one, learnt(recipe, data=digits, steps=25))


@pytest.mark.parametrize("recipe", recipes.all())
def test_every_recipe_learns_points_of_the_plane_and_says_so_of_itself(recipe):
    module = learnt(recipe, data=load("moons"), spec="mlp-2d", epochs=12)
    data = load("moons")
    assert accuracy(module, data.valid_x, data.valid_y) > 0.65
    entry = recipes.find(recipe)
    assert entry.source
    assert entry.help
    assert entry.form.controls


@pytest.mark.parametrize(("recipe", "seeds", "epochs"), [("fast", (0, 1), 10), ("trades", (0,), 6)])
def test_adversarial_training_holds_against_an_attack_it_has_not_seen(
    recipe, seeds, epochs, digits
):
    """Judged by APGD on the ratio of scores, which no recipe uses."""
    x, y = digits.valid_x[:120], digits.valid_y[:120]
    for seed in seeds:
        weak = learnt(data=digits, seed=seed, epochs=epochs)
        extra = {"rounds": 3} if recipe == "trades" else {}
        hard = learnt(recipe, data=digits, seed=seed, epochs=epochs, epsilon=0.1, **extra)
        weakly, hardly = (robust_accuracy(m, x, y, 0.1, "apgd_dlr") for m in (weak, hard))
        assert accuracy(hard, x, y) > 0.8
        assert hardly > weakly + 0.08


def test_free_training_sees_each_batch_again_and_takes_as_many_steps(digits):
    settings = Settings(RATE, BATCH, 1)
    session = Session(build(spec_of("lenet-digits")), digits, settings, replays=4)
    usual = Session(build(spec_of("lenet-digits")), digits, settings)
    assert len(session._order) == len(usual._order)
    assert torch.equal(session._order[:64], session._order[64:128])
    assert torch.equal(session._order[:64], usual._order[:64])
    assert not torch.equal(session._order[:64], session._order[256:320])


def test_distillation_saturates_the_softmax_of_its_network(digits, plain):
    soft = learnt("distillation", data=digits, epochs=4, temperature=20.0)
    x = digits.valid_x[:100]
    with torch.no_grad():
        spread = [m(x).std(1).mean() for m in (plain, soft)]
    assert spread[1] > 2 * spread[0]
    y = digits.valid_y[:100]
    assert robust_accuracy(soft, x, y, 0.2, "apgd_dlr") < 0.2  # it does not hold


# The box.


def test_a_box_brings_every_number_into_the_unit_interval():
    data = load("moons")
    box = box_of(data)
    inward = box.inward(data.train_x)
    assert float(inward.min()) >= 0
    assert float(inward.max()) <= 1
    assert torch.allclose(box.outward(inward), data.train_x, atol=1e-5)
    module = nn.Linear(2, 2)
    assert torch.allclose(boxed(module, box)(inward), module(data.train_x), atol=1e-5)
    assert box_of(load("digits")).identity
    assert boxed(module, box_of(load("digits"))) is module


# The run that trains both.


def test_both_networks_are_trained_in_step_judged_and_kept(folder, tmp_path):
    frames = [
        frame if not callable(frame) else frame()
        for frame in harden(str(folder), "fast", {"epsilon": 0.15}, tmp_path, epochs=3, judged=40)
    ]
    end = frames[-1]
    assert end.step == end.of
    lines = end.views["accuracy"].lines
    assert list(lines) == [
        "plain, clean",
        "plain, attacked",
        "defended, clean",
        "defended, attacked",
    ]
    assert end.facts["robust accuracy gained [points]"] == pytest.approx(
        lines["defended, attacked"][-1] - lines["plain, attacked"][-1]
    )
    assert end.facts["robust accuracy gained [points]"] > 0
    held = end.views["budgets"].lines
    assert all(values[-1] < values[0] for values in held.values())
    plain, hard = load_kept(tmp_path / "plain"), load_kept(tmp_path)
    assert not same(plain.module, hard.module)
    assert json.loads((tmp_path / "summary.json").read_text())["defence"] == "fast"
    data = load("digits")
    x, y = data.valid_x[:40], data.valid_y[:40]
    assert 100 * accuracy(hard.module, x, y) == pytest.approx(lines["defended, clean"][-1])


def test_the_plain_half_is_the_training_that_the_train_page_does(folder, tmp_path):
    for _ in harden(str(folder), "trades", {"beta": 0.0}, tmp_path, epochs=2, judged=20):
        pass
    for _ in train(spec_of("lenet-digits"), "digits", folder=tmp_path / "usual", epochs=2):
        pass
    places = (tmp_path / "usual", tmp_path / "plain", tmp_path)
    usual, plain, zero = (load_kept(place).module for place in places)
    assert same(usual, plain)
    assert same(plain, zero)


# Filters and what sees through them.


@pytest.mark.parametrize("name", filters.all())
def test_a_filter_keeps_shape_range_and_clean_pictures_readable(name, digits, plain):
    x, y = digits.valid_x[:100], digits.valid_y[:100]
    shield = Shield(plain, filters.find(name), {})
    seen = shield.filter(x)
    assert seen.shape == x.shape
    assert float(seen.min()) >= -1e-6
    assert float(seen.max()) <= 1 + 1e-6
    assert accuracy(shield, x, y) > 0.5
    again = Shield(plain, filters.find(name), {})
    assert torch.equal(seen, again.filter(x))
    assert bool(torch.equal(shield.filter(x), seen)) is not filters.find(name).facts["random"]


def test_the_median_is_scipys(digits):
    from scipy.ndimage import median_filter

    x = digits.valid_x[:5]
    ours = filters.find("median")(x, torch.Generator(), side=3)
    theirs = np.stack([median_filter(one[0], size=3, mode="nearest") for one in x.numpy()])
    assert np.allclose(ours[:, 0].numpy(), theirs)


def test_the_cosines_are_scipys_and_quality_is_pillows_order(digits):
    from scipy.fft import dctn

    from engine.defend.filters.squeeze import _cosines

    block = torch.rand(8, 8, generator=torch.Generator().manual_seed(0))
    waves = _cosines()
    assert np.allclose(
        (waves @ block @ waves.T).numpy(), dctn(block.numpy(), norm="ortho"), atol=1e-6
    )
    x = digits.valid_x[:20]
    losses = [
        float((filters.find("jpeg")(x, torch.Generator(), quality=q) - x).square().mean())
        for q in (10, 50, 90)
    ]
    assert losses == sorted(losses, reverse=True)


def test_bpda_breaks_the_filter_that_stopped_pgd(digits, plain):
    x, y = digits.valid_x[:100], digits.valid_y[:100]
    shield = Shield(plain, filters.find("bit_depth"), {"bits": 2})
    pgd = attacks.find("pgd")
    naive = accuracy(shield, pgd(shield, x, y, epsilon=0.15), y)
    adaptive = accuracy(shield, attacks.find("bpda")(shield, x, y, epsilon=0.15), y)
    assert naive == accuracy(shield, x, y)  # its gradient is zero everywhere
    assert adaptive < naive - 0.4


def test_averages_over_draws_break_the_random_filter(digits, plain):
    x, y = digits.valid_x[:100], digits.valid_y[:100]
    held, entry, chosen = [], filters.find("noise"), {"sigma": 0.3}
    for draws in (1, 24):
        shield, one = Shield(plain, entry, chosen), {"steps": 1, "step": 1.0, "draws": draws}
        found = attacks.find("eot")(shield, x, y, epsilon=0.15, **one)
        fresh = Shield(plain, entry, chosen, seed=9)
        held.append(np.mean([accuracy(fresh, found, y) for _ in range(5)]))
    assert held[1] < held[0] - 0.1


def test_loud_scores_stop_the_cross_entropy_and_not_the_ratio(digits, plain):
    x, y = digits.valid_x[:100], digits.valid_y[:100]
    right = ~fooled(plain, x, y)
    loud = Loud(plain, 1000.0)
    assert robust_accuracy(loud, x[right], y[right], 0.15, "apgd_dlr") < 0.4
    assert robust_accuracy(loud, x[right], y[right], 0.15) > 0.7


@pytest.mark.parametrize("name", [*filters.all(), "loud_scores"])
def test_the_study_of_filters_names_the_worst_attack(name, folder):
    frame = last(masked(str(folder), filter=name, judged=30))
    rows = frame.views["trials"].rows
    assert len(rows) == 5
    assert frame.facts["right under the worst attack [%]"] == min(row[2] for row in rows[1:])
    if name in ("bit_depth", "jpeg"):
        assert "gradient was hidden" in frame.views["notes"].text
        assert frame.facts["gradient exactly zero [%]"] == 100


def test_a_filter_of_pictures_refuses_points_by_name(tmp_path):
    for _ in train(spec_of("mlp-2d"), "moons", folder=tmp_path, epochs=2):
        pass
    frame = last(masked(str(tmp_path), filter="jpeg"))
    assert "jpeg: filters pictures; this model takes [2] numbers" in frame.views["notes"].text


# Detectors.


def test_the_last_hidden_layer_decides_alone(digits, plain):
    seen = features(plain, digits.valid_x[:10])
    with torch.no_grad():
        assert torch.allclose(plain.scores(seen), plain(digits.valid_x[:10]), atol=1e-5)


@pytest.mark.parametrize("name", detectors.all())
def test_detectors_find_more_attacked_than_clean_samples(name, digits, plain):
    x, y = digits.valid_x, digits.valid_y
    right = ~fooled(plain, x, y)
    x, y = x[right], y[right]
    found = attacks.find("deepfool")(plain, x[:150], y[:150], epsilon=3.0)
    suspicion = detectors.find(name)(plain, digits.train_x, digits.train_y)
    assert auc(suspicion(found).numpy(), suspicion(x).numpy()) > 0.75


def test_the_study_of_detectors_shows_them_all(folder):
    frame = last(detect(str(folder), judged=60))
    assert set(frame.views["areas"].names) == set(detectors.all())
    assert frame.facts["attacked samples"] > 0
    none = last(detect(str(folder), budget=0.0, judged=30))
    assert "larger budget" in none.views["notes"].text
