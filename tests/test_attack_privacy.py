"""What a model gives away: against data that leak by construction, and data that do not."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from engine.attack.privacy import privacy_attacks
from engine.attack.privacy.detection import advantage, auc, caught_at
from engine.attack.privacy.methods.backdoor import clean_and_success, poisoned, stamped
from engine.attack.privacy.methods.extraction import solved
from engine.attack.privacy.methods.inversion import invert, likeness
from engine.attack.privacy.methods.membership import (
    by_chance,
    loss_of,
    quick_training,
    ratio,
    shadow_answers,
)
from engine.attack.privacy.table import at
from engine.data import load
from engine.network.spec import NetworkSpec
from engine.network.templates import spec_of
from engine.training.run import train

TABLE = privacy_attacks.all()
HIDDEN = {
    "version": 1,
    "nodes": [
        {"id": "image", "type": "Input", "params": {"shape": [1, 8, 8]}},
        {"id": "flat", "type": "Flatten"},
        {"id": "hidden", "type": "Linear", "params": {"out_features": 64}},
        {"id": "relu", "type": "ReLU"},
        {"id": "scores", "type": "Linear", "params": {"out_features": 10}},
    ],
    "edges": [["image", "flat"], ["flat", "hidden"], ["hidden", "relu"], ["relu", "scores"]],
    "outputs": ["scores"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small network trained on the embedded digits, which generalises well."""
    place = tmp_path_factory.mktemp("run")
    for _ in train(spec_of("lenet-digits"), "digits", folder=place, epochs=8):
        pass
    return place


def test_the_area_is_that_of_scikit_learn_and_one_threshold_counts_ties_once():
    random = np.random.default_rng(0)
    members, others = random.normal(0.5, 1, 80).round(1), random.normal(0, 1, 90).round(1)
    truth = np.repeat([1, 0], [80, 90])
    assert auc(members, others) == pytest.approx(
        roc_auc_score(truth, np.concatenate([members, others]))
    )
    assert auc(np.ones(5), np.ones(5)) == 0.5
    assert advantage(np.array([2.0, 3]), np.array([0.0, 1])) == 1
    assert caught_at(np.array([2.0, 0.5]), np.array([0.0, 1]), 0.01) == 0.5


def test_members_of_an_overfitted_model_are_found_and_shadows_find_more():
    """A third of the labels are wrong on purpose: they can only be learnt by heart."""
    data, spec = load("digits"), NetworkSpec.parse(HIDDEN)
    generator = torch.Generator().manual_seed(0)
    x, y = data.train_x[:300], data.train_y[:300].clone()
    wrong = torch.rand(300, generator=generator) < 0.33
    y[wrong] = torch.randint(0, 10, (int(wrong.sum()),), generator=generator)
    inside = torch.zeros(300, dtype=torch.bool)
    inside[torch.randperm(300, generator=generator)[:150]] = True
    member = inside.numpy()
    losses = loss_of(quick_training(spec, x[inside], y[inside], 60, seed=7), x, y)
    shadows = list(shadow_answers(spec, x, y, 8, 60, 1))
    assert all(a[0].sum() == 150 for a in shadows)
    assert (shadows[0][0] ^ shadows[1][0]).all()  # in pairs, each sample once
    guess = ratio(losses, shadows)
    by_loss, by_shadows = auc(-losses[member], -losses[~member]), auc(guess[member], guess[~member])
    assert by_loss > 0.55
    assert by_shadows > by_loss + 0.05


def test_a_model_that_generalises_gives_no_members_away(folder):
    *_, last = TABLE["membership"](str(folder), shadows=2)
    for name in ("loss", "shadow models"):
        area = last.facts[f"area under the curve, {name}"]
        assert area == pytest.approx(0.5, abs=0.02 + by_chance(300, 300))
    assert last.views["notes"].tone == "good"
    assert "alike" in last.views["notes"].text


def test_luck_is_as_wide_as_shuffling_finds_it():
    random = np.random.default_rng(0)
    areas = [auc(*np.split(random.random(120), [50])) for _ in range(4000)]
    assert np.quantile(areas, 0.975) - 0.5 == pytest.approx(by_chance(50, 70), rel=0.05)


def test_the_mark_is_put_on_other_classes_only_and_on_nothing_else():
    data = load("digits")
    given = poisoned(data, part=0.1, target=3, side=2, seed=0)
    assert int(given.marked.sum()) == round(0.1 * len(data.train_x))
    assert bool((data.train_y[given.marked] != 3).all())
    assert bool((given.data.train_y[given.marked] == 3).all())
    same = ~given.marked
    assert torch.equal(given.data.train_x[same], data.train_x[same])
    changed = (given.data.train_x != data.train_x).any(0)[0]
    assert not bool(changed[:6].any())
    assert torch.equal(
        stamped(torch.zeros(1, 1, 3, 3), 2)[0, 0], torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    )
    assert torch.equal(data.valid_x, given.data.valid_x)


def test_a_poisoned_training_obeys_the_mark_and_a_clean_one_does_not(tmp_path):
    spec = spec_of("lenet-digits")
    *_, bad = TABLE["backdoor"](spec, "digits", folder=tmp_path, part=0.15)
    *_, good = TABLE["backdoor"](spec, "digits", part=0.0)
    assert bad.facts["attack success"] > 0.9
    assert good.facts["attack success"] < 0.05
    assert bad.facts["clean accuracy"] > good.facts["clean accuracy"] - 0.05
    from engine.models.kept import load as open_run

    kept = open_run(tmp_path)  # the poisoned model can be looked into like any other
    again = clean_and_success(
        kept.module, poisoned(load("digits"), part=0.15, target=0, side=3, seed=0)
    )
    assert again == pytest.approx(
        (bad.facts["clean accuracy"], bad.facts["attack success"]), abs=0.01
    )


def test_a_linear_model_is_stolen_exactly_with_one_question_a_weight():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    weight, bias = solved(model, (3, 4))
    assert torch.allclose(weight, model[1].weight, atol=1e-6)
    assert torch.allclose(bias, model[1].bias, atol=1e-6)


def test_a_copy_agrees_more_the_more_it_asks(folder):
    frames = list(TABLE["extraction"](str(folder), queries=400))
    curve = frames[-1].views["curve"].lines["agrees with the model"]
    assert curve[-1] > 0.8
    assert curve[-1] > curve[0] + 0.2
    assert frames[-1].facts["questions"] == 400


def test_inverting_a_linear_model_finds_the_sign_of_its_weights():
    torch.manual_seed(0)
    model = nn.Linear(20, 2)
    *_, (x, _) = invert(model, (20,), 2, 200, 0.1, 0.0, 0.0, 0)
    apart = (model.weight[0] - model.weight[1]).detach()
    assert torch.equal(x[0], (apart > 0).float())
    assert torch.equal(x[1], (apart < 0).float())


def test_inverted_digits_are_like_their_own_class_more_often_than_chance(folder):
    *_, last = TABLE["inversion"](str(folder), steps=100)
    assert last.facts["mean chance"] > 0.8
    assert last.facts["classes recognised"] >= 5  # of ten; guessing finds one
    x = torch.rand(3, 1, 4, 4)
    assert torch.allclose(likeness(x, x).diagonal(), torch.ones(3), atol=1e-6)


@pytest.mark.parametrize("name", TABLE)
def test_every_entry_can_be_started_and_says_what_it_needs(name):
    module, _, function = at(name).partition(":")
    assert module.startswith("engine.attack.privacy.methods.")
    assert function == name
    assert TABLE[name].facts["needs"] in ("model", "spec")
    assert TABLE[name].source
    assert all(control["help"] for control in TABLE[name].form.to_json())


def test_wrong_data_are_refused_in_words(folder):
    with pytest.raises(ValueError, match="needs pictures to mark"):
        next(TABLE["backdoor"](HIDDEN, "moons"))
    with pytest.raises(ValueError, match="target must be a class 0 to 9; got 12"):
        next(TABLE["backdoor"](HIDDEN, "digits", target=12))


def test_the_command_runs_them_line_by_line(folder, capsys):
    from engine.__main__ import main

    words = ["attack", f"model={folder}", "steps=10", "--method", "inversion", "--json"]
    assert main(words) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["step"] == lines[-1]["of"] == 10
    assert main(["attack", "--method", "membership"]) == 2
    assert "membership: needs model=..." in capsys.readouterr().err
