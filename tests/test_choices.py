"""What a training lets one choose: losses, schedules, first weights, samples, ends, kept steps."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.data import load
from engine.training import travel
from engine.training.augmentations import augmentations
from engine.training.initialisers import initialise, initialisers
from engine.training.losses import choose, losses
from engine.training.panels import panels
from engine.training.pictures import Pictures
from engine.training.run import train
from engine.training.schedules import factor, schedules
from engine.training.session import Session
from engine.training.settings import Settings
from engine.training.spreads import Spreads
from tests.test_training import chain, finish, mlp

SCORES = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, -0.3]], dtype=torch.float64)
Y = torch.tensor([0, 2])
NUMBERS = torch.tensor([[0.5], [-2.0], [3.0]], dtype=torch.float64)
WANTED = torch.tensor([[0.0], [1.0], [3.0]], dtype=torch.float64)


def session(data="moons", module=None, **changes):
    torch.manual_seed(0)
    module = module or nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))
    return Session(module, load(data), Settings(**{"learning_rate": 0.05, **changes}))


def by_pytorch(name, smoothing=0.0):
    """The library's own value, for those losses that it has."""
    once = functional.one_hot(Y, 3).double() * (1 - smoothing) + smoothing / 3
    return {
        "cross-entropy": lambda: functional.cross_entropy(
            SCORES, Y, reduction="none", label_smoothing=smoothing
        ),
        "binary cross-entropy": lambda: nn.BCEWithLogitsLoss(reduction="none")(SCORES, once).sum(1),
        "hinge": lambda: nn.MultiMarginLoss(reduction="none")(SCORES, Y) * 3,
        "KL divergence": lambda: functional.kl_div(
            SCORES.log_softmax(1), once, reduction="none"
        ).sum(1),
        "Brier": lambda: (SCORES.softmax(1) - functional.one_hot(Y, 3)).square().sum(1),
    }[name]()


@pytest.mark.parametrize("name", ["cross-entropy", "binary cross-entropy", "hinge", "Brier"])
def test_a_loss_for_classes_is_pytorchs(name):
    loss, _ = choose(name, "classification", {})
    assert torch.allclose(loss(SCORES, Y), by_pytorch(name))


@pytest.mark.parametrize("name", ["cross-entropy", "KL divergence", "binary cross-entropy"])
def test_a_smoothed_loss_is_pytorchs(name):
    loss, _ = choose(name, "classification", {"label_smoothing": 0.2})
    assert torch.allclose(loss(SCORES, Y), by_pytorch(name, 0.2))


def test_the_focal_loss_is_its_formula_and_cross_entropy_for_gamma_zero():
    p = SCORES.softmax(1)[[0, 1], Y]
    loss, _ = choose("focal", "classification", {"focal_gamma": 2.0})
    assert torch.allclose(loss(SCORES, Y), -((1 - p) ** 2) * p.log())
    plain, _ = choose("focal", "classification", {"focal_gamma": 0.0})
    assert torch.allclose(plain(SCORES, Y), -p.log())


def test_losses_for_numbers_are_their_formulas():
    error = (NUMBERS - WANTED)[:, 0]
    for name, wanted in (
        ("squared error", error**2),
        ("absolute error", error.abs()),
        ("Huber", torch.where(error.abs() < 1, error**2 / 2, error.abs() - 0.5)),
    ):
        loss, _ = choose(name, "regression", {"huber_delta": 1.0})
        assert torch.allclose(loss(NUMBERS, WANTED), wanted), name


@pytest.mark.parametrize(
    ("formula", "same"), [("-t*log(p)", "cross-entropy"), ("(p - t)**2", "Brier")]
)
def test_a_typed_loss_is_the_one_it_spells_and_can_be_followed_downhill(formula, same):
    typed, _ = choose("formula", "classification", {"loss_formula": formula})
    wanted, _ = choose(same, "classification", {})
    scores, copy = SCORES.clone().requires_grad_(), SCORES.clone().requires_grad_()
    (one,) = torch.autograd.grad(typed(scores, Y).sum(), scores)
    (other,) = torch.autograd.grad(wanted(copy, Y).sum(), copy)
    assert torch.allclose(typed(SCORES, Y), wanted(SCORES, Y), atol=1e-6)
    assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("text", ["__import__('os')", "p.t", "x + 1", "exp(exp(exp(99)))", "("])
def test_a_formula_that_is_none_is_told_and_nothing_is_executed(text):
    with pytest.raises(ValueError, match="formula"):
        choose("formula", "regression", {"loss_formula": text})[0](NUMBERS, WANTED)


def test_a_loss_that_does_not_judge_such_answers_names_those_that_do():
    with pytest.raises(ValueError, match="squared error"):
        choose("cross-entropy", "regression", {})


def test_balanced_classes_weigh_the_same_in_sum():
    data = load("breast_cancer")
    one = session("breast_cancer", nn.Linear(30, 2), balance=True)
    weights = one.objective._weights
    counts = torch.bincount(data.train_y).float()
    assert torch.allclose(counts * weights, (counts * weights).mean().expand(2))


@pytest.mark.parametrize("name", schedules.all())
def test_a_schedule_stays_between_nothing_and_the_rate_itself(name):
    values = [factor(name, done, 0.0) for done in np.linspace(0, 1, 101)]
    assert all(0 <= value <= 1 for value in values)
    assert max(values) == pytest.approx(1.0)


def test_schedules_are_pytorchs_where_it_has_them():
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    for step in range(100):
        assert factor("cosine", step / 100, 0.0) == pytest.approx(cosine.get_last_lr()[0])
        optimizer.step()
        cosine.step()
    assert factor("one-cycle", 0.3, 0.0) == pytest.approx(1.0)
    assert factor("one-cycle", 0.0, 0.0) == pytest.approx(1 / 25)
    assert factor("constant", 0.05, 0.1) == pytest.approx(0.5)  # half warm


def test_the_step_that_is_taken_has_the_schedules_rate():
    one = session(optimizer="SGD", epochs=2, schedule="linear", batch_size=75)
    before = one.module[0].weight.detach().clone()
    one.advance()
    moved = (one.module[0].weight - before).detach()
    gradient = one.module[0].weight.grad
    assert torch.allclose(moved, -0.05 * gradient, atol=1e-7)
    while one.step < one.steps // 2:
        one.advance()
    before = one.module[0].weight.detach().clone()
    done = one.step / one.steps
    one.advance()
    wanted = -0.05 * (1 - done) * one.module[0].weight.grad
    assert torch.allclose((one.module[0].weight - before).detach(), wanted, atol=1e-6)


@pytest.mark.parametrize("name", initialisers.all())
def test_first_weights_have_the_spread_they_claim(name):
    torch.manual_seed(0)
    layer = nn.Linear(400, 100)
    initialise(layer, name)
    spread = {
        "zeros": 0.0,
        "normal": 0.01,
        "wide normal": 1.0,
        "Xavier": math.sqrt(2 / 500),
        "He": math.sqrt(2 / 400),
        "orthogonal": math.sqrt(1 / 400),
    }[name]
    assert float(layer.weight.detach().std()) == pytest.approx(spread, rel=0.02, abs=1e-9)
    assert not bool(layer.bias.any())
    if name == "orthogonal":
        assert torch.allclose(layer.weight @ layer.weight.T, torch.eye(100), atol=1e-5)


@pytest.mark.parametrize("name", augmentations.all())
def test_an_augmentation_keeps_the_shape_and_does_nothing_without_strength(name):
    x = load("digits").train_x[:8]
    change = augmentations.find(name).function
    generator = torch.Generator().manual_seed(0)
    assert torch.allclose(change(x, 0.0, generator), x, atol=1e-5)
    changed = change(x, 1.0, generator)
    assert changed.shape == x.shape
    assert not torch.allclose(changed, x, atol=1e-3)


def test_accumulated_batches_are_one_large_batch():
    one, other = (
        session(optimizer="SGD", batch_size=size, accumulate=parts, l1=1e-4)
        for size, parts in ((40, 1), (10, 4))
    )
    one.advance()
    other.advance()
    assert torch.allclose(one.module[0].weight, other.module[0].weight, atol=1e-6)


def test_clipping_shortens_the_gradient():
    one = session(optimizer="SGD", clip=0.01, batch_size=50)
    before = nn.utils.parameters_to_vector(one.module.parameters()).detach()
    one.advance()
    moved = nn.utils.parameters_to_vector(one.module.parameters()).detach() - before
    assert float(moved.norm()) == pytest.approx(0.05 * 0.01, rel=1e-3)


def test_dropout_can_be_turned_off_and_back_during_the_run():
    module = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.4), nn.Linear(8, 2))
    one = session(module=module)
    one.change({"dropout": 0.0})
    assert module[1].p == 0
    while one.step < one.history.every + 1:
        one.advance()
    one.change({"dropout": 1.0})
    assert module[1].p == pytest.approx(0.4)
    assert any(mark.startswith("dropout 0") for mark in one.history.marks)


def test_a_choice_that_the_data_do_not_allow_is_told_and_the_run_goes_on():
    one = session()
    one.change({"augmentation": "mirror"})
    assert "image" in one.complaint
    assert one.settings.augmentation == "none"
    one.advance()
    assert "notice" in Pictures(one).frame().views
    one.change({"loss": "hinge"})
    assert not one.complaint


def test_a_run_ends_by_its_goal_or_when_patience_is_over():
    goal = finish(train(mlp(), "gauss", epochs=200, goal=80.0, learning_rate=0.01))
    assert goal.step < 200 * 5
    assert goal.facts["validation accuracy [%]"] >= 80
    wild = finish(train(mlp(), "gauss", epochs=200, patience=2, optimizer="SGD", learning_rate=3.0))
    assert wild.facts["epoch"] < 200


def test_a_frozen_layer_does_not_move():
    spec = mlp()
    spec["nodes"][1]["frozen"] = True
    frames = train(spec, "moons", epochs=1, weight_decay=0.1)
    made = [one() for one in frames]
    assert len(made) > 1
    one = session(module=nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)))
    one.module[0].requires_grad_(False)
    again = Session(one.module, one.data, one.settings)
    before = again.module[0].weight.clone()
    again.advance()
    assert torch.equal(again.module[0].weight, before)


@pytest.mark.parametrize("name", panels.all())
def test_every_panel_is_drawn_or_has_nothing_to_say(name):
    spec = chain(
        ("image", "Input", {"shape": [1, 8, 8]}),
        ("conv", "Conv2d", {"out_channels": 4, "kernel_size": 3}),
        ("relu", "ReLU", {}),
        ("flat", "Flatten", {}),
        ("scores", "Linear", {"out_features": 10}),
    )
    for network, data in ((spec, "digits"), (mlp(), "moons"), (mlp(10, 1), "diabetes")):
        run = train(network, data, epochs=1, batch_size=200, panels=name)
        frame = finish(run)
        assert set(frame.views) <= {name}


def test_the_networks_picture_shows_its_own_weights_and_answers():
    one = session("moons")
    one.advance()
    view = Pictures(one, "network").frame().views["network"]
    assert view.sizes == (2, 8, 2)
    assert np.allclose(view.weights[0], one.module[0].weight.detach().numpy())
    x = torch.tensor([[one.data.extent[0], one.data.extent[3]]])  # the picture's top left
    hidden = one.module[1](one.module[0](x))[0].detach().numpy()
    maps = view.maps[2:10, 0, 0]
    scale = hidden.max() / maps.max() if maps.max() > 0 else 1.0
    assert np.allclose(maps * scale, hidden, atol=1e-5)


def test_kept_steps_are_spread_over_the_run_and_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(travel, "SHARE", math.inf)
    monkeypatch.setattr(travel, "MOST", 8)
    finish(train(mlp(), "moons", folder=tmp_path, epochs=20, batch_size=16))
    steps = travel.kept(tmp_path)
    assert steps[0] == 0
    assert steps[-1] == 20 * math.ceil(len(load("moons").train_x) / 16)
    assert 5 <= len(steps) <= 8


def test_a_branch_begins_with_the_kept_weights_and_the_new_settings(home, monkeypatch):
    monkeypatch.setattr(travel, "SHARE", math.inf)  # keep whatever is due, however quick the run
    from engine.store.home import run_folder

    first, second = (run_folder(name) for name in ("first", "second"))
    finish(train(mlp(), "moons", folder=first, epochs=2, batch_size=50, seed=1))
    middle = travel.kept(first)[1]
    branch = {"run": "first", "step": middle}
    run = train(mlp(), "moons", folder=second, branch=branch, epochs=2, learning_rate=0.5, seed=1)
    frame = next(run)()
    assert frame.step == middle + 1
    assert frame.facts["learning rate"] == 0.5
    marks = frame.views["loss"].marks
    assert any(text.startswith("branched") for text in marks)
    same = train(mlp(), "moons", folder=second / "again", branch=branch, epochs=2, batch_size=50,
                 seed=1)  # fmt: skip
    end = finish(same)
    whole = finish(train(mlp(), "moons", folder=first, epochs=2, batch_size=50, seed=1))
    assert end.facts["train loss [nat]"] == pytest.approx(whole.facts["train loss [nat]"])
    with pytest.raises(LookupError, match="not kept"):
        travel.place("first", 10**6)


def test_the_names_of_all_tables_have_a_sentence_each():
    tables = (losses, schedules, initialisers, augmentations, panels)
    assert all(entry.help.endswith((".", "!")) for one in tables for entry in one.all().values())


def test_a_branch_from_a_run_that_its_goal_has_ended_goes_on(home):
    from engine.store.home import run_folder

    first, second = (run_folder(name) for name in ("first", "second"))
    end = finish(train(mlp(), "gauss", folder=first, epochs=50, goal=80.0, learning_rate=0.01))
    branch = {"run": "first", "step": end.step}
    assert end.step == travel.kept(first)[-1]
    frame = next(train(mlp(), "gauss", folder=second, branch=branch, epochs=50))()
    assert frame.step == end.step + 1


def test_the_samples_of_a_cell_are_those_that_the_matrix_counts():
    spec = chain(
        ("image", "Input", {"shape": [1, 8, 8]}),
        ("flat", "Flatten", {}),
        ("scores", "Linear", {"out_features": 10}),
    )
    run = train(spec, "digits", epochs=1, batch_size=200)
    frame = next(run)()
    matrix = frame.views["confusion"].values.astype(int)
    assert "cell" not in frame.views
    off = matrix - np.diag(np.diag(matrix))
    row, column = np.unravel_index(off.argmax(), off.shape)
    opened = run.send({"cell": int(row * 10 + column)})().views["cell"]
    assert len(opened.images) == min(24, off.max())
    data = load("digits")
    numbers = [int(words.split()[1]) for words in opened.captions]
    assert all(int(data.valid_y[number]) == row for number in numbers)
    assert np.allclose(opened.images[0], data.valid_x[numbers[0]][0].numpy())


def test_what_only_asks_for_other_pictures_is_taken_without_a_step():
    one = session("digits", nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), batch_size=400)
    one.advance()
    before = one.module[1].weight.detach().clone()
    pictures = Pictures(one)
    rest = pictures.look({"panels": "mistakes", "mistake": 2, "cell": 11, "learning_rate": 0.1})
    assert rest == {"learning_rate": 0.1}
    views = pictures().views
    assert list(views) == ["cell", "mistakes", "mistake"]
    assert views["mistake"].series["chance"].sum() == pytest.approx(100, abs=1e-3)
    assert views["mistakes"].captions[2].endswith(views["mistake"].title[-1])
    assert torch.equal(one.module[1].weight, before)
    pictures.look({"cell": -1})
    assert "cell" not in pictures().views


def test_spreads_are_the_histograms_of_the_steps_that_were_kept():
    kept = Spreads(every=1)
    generator = torch.Generator().manual_seed(0)
    for step in range(200):
        if kept.due(step):
            narrow = 1.0 + step / 100
            kept.add(step, {"layer": torch.rand(10_000, generator=generator) * narrow})
    assert len(kept.steps) <= 48
    assert kept.steps[0] == 0
    assert kept.steps == sorted(kept.steps)
    picture, low, high = kept.picture("layer", 30, 60)
    assert low == pytest.approx(0, abs=0.01)
    assert high == pytest.approx(1 + kept.steps[-1] / 100, rel=0.01)
    assert np.allclose(picture[:, -1], 1, atol=0.2)  # evenly spread from bottom to top
    half = picture[:, 0] > 0.5  # at first only up to 1 of nearly 3
    assert half.mean() == pytest.approx(1 / high, abs=0.05)
    assert not half[0]
    assert half[-1]


def test_what_a_run_has_kept_of_its_layers_is_there_after_an_interruption(tmp_path):
    panel = "weights over time"
    run = train(mlp(), "moons", folder=tmp_path, epochs=3, batch_size=50, panels=panel)
    for _ in range(6):
        next(run)()
    run.close()
    again = next(train(mlp(), "moons", folder=tmp_path, epochs=3, batch_size=50, panels=panel))()
    assert "steps 1 to 7" in again.views[panel].title
    assert len(again.views[panel].captions) == 2


def test_t_sne_keeps_neighbours_together_better_than_the_two_widest_directions():
    from sklearn.manifold import trustworthiness

    one = session("digits", nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Linear(32, 10)))
    one.advance()
    views = Pictures(one, "embedding,t-SNE").frame().views
    with torch.no_grad():
        hidden = one.module[:2](one.data.valid_x[:240]).numpy()
    kept = {name: trustworthiness(hidden, view.xy[:240]) for name, view in views.items()}
    assert kept["t-SNE"] > 0.95 > kept["embedding"]


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_states_and_gates_are_those_of_torchs_own_layer(kind):
    from engine.network.templates import spec_of

    with torch.random.fork_rng():
        run = train(spec_of(f"char-{kind.lower()}"), "stories?characters=20000", epochs=1)
        frame = next(run)()
    views = frame.views
    assert views["states"].values.shape == (48, 64)
    assert np.abs(views["states"].values).max() <= 1
    if kind == "RNN":
        assert "gates" not in views
    else:
        assert set("".join(views["gates"].rows).split()) >= {"gate"}
        assert ((views["gates"].values > 0) & (views["gates"].values < 1)).all()


def test_a_state_space_shows_its_state_and_what_it_lets_in():
    from engine.network.templates import spec_of

    frame = next(train(spec_of("mamba-small"), "stories?characters=20000", epochs=1))()
    assert frame.views["spaces"].values.shape == frame.views["selection"].values.shape
    assert (frame.views["selection"].values > 0).all()  # a softplus
