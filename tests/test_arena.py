"""The arena's sections: the plane an attack walks over, rivals, race, reasons, poison."""

import math

import numpy as np
import pytest
import torch

from engine.attack import attacks
from engine.attack.arena import Arena
from engine.attack.attribution import attribution
from engine.attack.race import race
from engine.attack.rivals import robust, transfer
from engine.attack.study import study
from engine.attack.table import fooled
from engine.defend.cleanse import cleanse
from engine.defend.keep import keep
from engine.defend.poison import clusters
from engine.models.kept import load
from engine.network.templates import spec_of
from engine.training.run import train


def kept(place, spec, data, epochs):
    for _ in train(spec_of(spec), data, folder=place, epochs=epochs):
        pass
    return str(place)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return kept(tmp_path_factory.mktemp("digits"), "lenet-digits", "digits", 5)


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    return kept(tmp_path_factory.mktemp("plane"), "mlp-2d", "moons", 20)


def last(run):
    """The last frame, or the first that waits."""
    frame = None
    for frame in run:
        if frame.waits:
            break
    return frame


def test_the_way_ends_where_the_attack_did_and_inside_the_drawn_ball(digits):
    frame = last(study(digits, method="pgd", epsilon=0.12))
    walk = frame.views["walk"]
    way, ball = walk.paths["the way"], walk.paths["the ball"]
    assert np.allclose(way[0], 0, atol=1e-5)
    assert way[-1] == pytest.approx([frame.facts["L2"], 0], abs=1e-4)
    # along the axis the ball reaches as far as the attack went, or further
    assert ball[0, 0] >= way[-1, 0] - 1e-4
    assert len(frame.views["film"].images) > 2
    # the colour changes its sign exactly where the answer flips
    middle, end = walk.values.shape[0] // 2, walk.extent[1]
    at_end = round((way[-1, 0] / end + 1) / 2 * (walk.values.shape[1] - 1))
    assert walk.values[middle, middle] > 0
    assert (walk.values[middle, at_end] < 0) == bool(frame.facts["flipped"])


def test_two_numbers_are_shown_over_all_inputs_in_their_own_units(plane):
    frame = last(study(plane, method="pgd", epsilon=0.1))
    walk, arena = frame.views["walk"], Arena(plane)
    given = arena.samples.choose("test sample", 0, [])
    assert np.allclose(walk.paths["the way"][0], given.x[0], atol=1e-5)
    reach = np.abs(walk.paths["the ball"] - given.x[0].numpy()).max(0)
    span = arena.box.span.numpy()
    assert reach == pytest.approx(0.1 * span, rel=1e-3)
    assert all(holds == "✓" for _, holds, _ in frame.views["badges"].rows)


def test_what_the_visitor_brings_is_attacked_or_refused_in_words(digits):
    import json

    run = study(digits, source="yours", yours='{"kind": "row", "values": [1, 2]}')
    assert "row" in last(run).views["notes"].text
    turned = run.send({"yours": json.dumps({"kind": "nonsense"})})
    assert "must be a picture, a row or a text" in turned.views["notes"].text


def test_robust_accuracy_falls_with_the_budget_for_each_attack_and_model(digits, tmp_path):
    other = kept(tmp_path, "lenet-digits", "digits", 1)
    models = [{"name": "one", "folder": digits}, {"name": "two", "folder": other}]
    run = robust(models, methods="fgsm, pgd, deepfool_linf", judged=30, furthest=0.4)
    frame = last(run)
    lines = frame.views["curve"].lines
    assert len(lines) == 6
    for values in lines.values():
        assert not np.isnan(values).any()
        assert values[-1] < values[0]
    assert bool((lines["one: pgd"] <= lines["one: fgsm"] + 1e-9).all())
    assert lines["one: pgd"][0] == lines["one: deepfool_linf"][0]
    assert {row[0] for row in frame.views["badges"].rows} == {"one", "two"}
    exact = [row for row in frame.views["calibration"].rows if row[1] == "fgsm"]
    assert exact[0][2] == pytest.approx(100, abs=0.01)
    assert frame.step == frame.of
    with pytest.raises(ValueError, match="must measure changes alike"):
        next(robust(models, methods="fgsm, pgd_l2"))


def test_the_matrix_of_transfer_counts_what_the_attack_does_to_the_other(digits, plane, tmp_path):
    other = kept(tmp_path, "lenet-digits", "digits", 2)
    names = ("one", "other data", "two")
    models = [
        {"name": name, "folder": folder}
        for name, folder in zip(names, (digits, plane, other), strict=True)
    ]
    frame = last(transfer(models, judged=40, epsilon=0.15))
    matrix = frame.views["matrix"]
    assert matrix.rows == ("one", "two")  # a model for other data cannot be compared
    one, two = (Arena(folder) for folder in (digits, other))
    data = one.samples.data()
    x, y = data.valid_x[:40], data.valid_y[:40]
    found = attacks.find("mifgsm")(one.module, x, y, epsilon=0.15)
    right = ~fooled(two.module, x, y)
    wanted = (fooled(two.module, found, y) & right).sum() / right.sum()
    assert matrix.values[0, 1] == pytest.approx(100 * float(wanted), abs=1e-3)


def test_a_race_counts_questions_and_never_un_fools(digits):
    frame = last(race(digits, methods="fgsm, pgd, square", judged=8))
    rows = {row[0]: row for row in frame.views["table"].rows}
    assert rows["fgsm"][2] == 2  # one answer, one gradient
    assert rows["pgd"][2] == 40  # twenty steps
    assert rows["square"][6] == "no"
    for values in frame.views["queries"].lines.values():
        assert bool(np.all(np.diff(values) >= 0))
        assert 0 <= values[0] <= values[-1] <= 100


def test_reasons_are_compared_by_the_same_methods(digits):
    frame = last(attribution(digits, epsilon=0.0))
    assert frame.facts["likeness, integrated_gradients"] == pytest.approx(1, abs=1e-5)
    moved = last(attribution(digits, epsilon=0.25))
    assert moved.facts["likeness, integrated_gradients"] < 0.99
    assert len(moved.views["maps"].images) == 4


def test_poison_is_found_taken_out_and_the_mark_no_longer_works(digits):
    frame = last(cleanse(digits, target=4, epochs=12))
    assert frame.facts["AUC of the spectral signature"] > 0.9
    assert frame.facts["poison taken out [%]"] > 80
    assert frame.facts["mark works, poisoned [%]"] > 40
    assert frame.facts["mark works, cleansed [%]"] < 15
    assert frame.step == frame.of


def test_two_clear_groups_are_parted_and_their_silhouette_is_scikit_learns():
    from sklearn.metrics import silhouette_score

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, generator=generator)
    x[:15] += 6
    module = torch.nn.Sequential(torch.nn.Linear(4, 2))
    split = clusters(module, x)
    assert split.smaller.nonzero().flatten().tolist() == list(range(15))
    assert split.share == 0.25
    theirs = silhouette_score(x.numpy(), split.smaller.numpy())
    assert split.silhouette == pytest.approx(float(theirs), abs=1e-6)
    assert not math.isnan(split.silhouette)


def test_a_defended_network_is_kept_under_an_id_of_its_own(digits, tmp_path, monkeypatch):
    import shutil

    from engine.store.home import run_folder

    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    shutil.copytree(digits, run_folder("hardened"))
    id = keep("hardened")
    same = zip(
        load(run_folder(id)).module.parameters(), load(digits).module.parameters(), strict=True
    )
    assert all(torch.equal(one, other) for one, other in same)
    with pytest.raises(LookupError, match="kept no network yet"):
        keep("hardened", plain=True)
