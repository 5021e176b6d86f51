"""Attacks against closed forms on linear models, their budgets, and the live study."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from engine.attack import attacks
from engine.attack.study import study
from engine.attack.table import fooled, inside, length, loss
from engine.network.templates import spec_of
from engine.training.run import train

TABLE = attacks.all()
NORMS = {"Linf": 0.1, "L2": 0.7, "L1": 3.0, "L0": 4, "spatial": 20.0}
QUICK = {"steps": 8, "queries": 60, "rounds": 3, "searches": 2, "draws": 10, "targets": 2}
QUICK |= {"places": 2, "people": 16, "turns": 3, "shifts": 2}  # where a test asks for no strength
MINIMAL = [name for name, entry in TABLE.items() if entry.facts["minimal"]]
BLIND = [name for name, entry in TABLE.items() if not entry.facts["gradients"]]
AIMED = [name for name, entry in TABLE.items() if "targeted" in entry.form.controls]
STEEPEST = ["fgsm", "bim", "pgd", "mifgsm", "nifgsm"]


def budget(name):
    return NORMS[TABLE[name].facts["norm"]]


def quick(name):
    """Settings with which an attack is over soon."""
    return {key: value for key, value in QUICK.items() if key in TABLE[name].form.controls}


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 4)
    )


@pytest.fixture
def pictures(net):
    x = torch.rand((3, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return x, net.eval()(x).argmax(1)


@pytest.fixture
def linear():
    """A linear two-class model on 16 inputs, samples far from the edges, and the closed form.

    The model's lead of its class is `w · x + b`; its weights point apart by `w`.
    """
    torch.manual_seed(2)
    module = nn.Linear(16, 2)
    x = 0.5 + 0.05 * torch.randn(6, 16)
    with torch.no_grad():
        y = module(x).argmax(1)
        normal = module.weight[y] - module.weight[1 - y]
        lead = (normal * x).sum(1) + module.bias[y] - module.bias[1 - y]
    return module, x, y, normal, lead


# The battery: every attack of the table.


@pytest.mark.parametrize("name", TABLE)
def test_the_result_is_inside_the_ball_and_in_range(name, net, pictures):
    x, y = pictures
    for epsilon in (budget(name), 3 * budget(name)):
        found = TABLE[name](net, x, y, epsilon=epsilon, **quick(name))
        assert found.shape == x.shape
        if TABLE[name].facts["norm"] != "spatial":
            assert float(length(found - x, TABLE[name].facts["norm"]).max()) <= epsilon + 1e-6
        assert float(found.min()) >= 0
        assert float(found.max()) <= 1


@pytest.mark.parametrize("name", TABLE)
def test_no_budget_changes_nothing(name, net, pictures):
    x, y = pictures
    assert torch.equal(TABLE[name](net, x, y, epsilon=0), x)


@pytest.mark.parametrize("name", TABLE)
def test_the_network_is_left_as_it_was(name, net, pictures):
    net.train()
    net[2].eval()
    net[0].bias.requires_grad_(False)
    net[4].weight.grad = torch.ones_like(net[4].weight)
    TABLE[name](net, *pictures, epsilon=budget(name), **quick(name))
    assert [part.training for part in net] == [i != 2 for i in range(5)]
    assert not net[0].bias.requires_grad
    assert net[4].weight.requires_grad
    assert torch.equal(net[4].weight.grad, torch.ones_like(net[4].weight))
    assert net[0].weight.grad is None


@pytest.mark.parametrize("name", TABLE)
def test_the_same_request_gives_the_same_result(name, net, pictures):
    one, other = (
        TABLE[name](net, *pictures, epsilon=budget(name), **quick(name)) for _ in range(2)
    )
    assert torch.equal(one, other)


@pytest.mark.parametrize("name", [n for n in TABLE if n not in MINIMAL and n != "noise"])
def test_the_loss_never_falls_on_a_linear_model(name, pictures):
    torch.manual_seed(5)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    x, _ = pictures
    y = module(x).argmax(1)
    shared = TABLE[name].facts.get("shared")  # one change for all may do one of them good
    batches = [(x[i : i + 1], y[i : i + 1]) for i in range(3)] if shared else [(x, y)]
    found = torch.cat([TABLE[name](module, *batch, epsilon=budget(name)) for batch in batches])
    with torch.no_grad():
        assert bool((loss(module, found, y) >= loss(module, x, y) - 1e-6).all())


class _NoSlope(nn.Module):
    """A network that gives answers but no gradients."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        with torch.no_grad():
            return self.inner(x)


@pytest.mark.parametrize("name", BLIND)
def test_a_blind_attack_needs_no_gradient(name, net, pictures):
    found = TABLE[name](_NoSlope(net), *pictures, epsilon=budget(name), **quick(name))
    assert not torch.equal(found, pictures[0])


@pytest.mark.parametrize("name", AIMED)
def test_an_aimed_attack_raises_the_chance_of_its_aim(name, net, pictures):
    x, y = pictures
    aim = (y + 1) % 4
    found = TABLE[name](net, x, aim, epsilon=3 * budget(name), targeted=True)
    with torch.no_grad():
        before, after = (net(z).softmax(1).gather(1, aim[:, None]) for z in (x, found))
    assert bool((after >= before).all())
    assert float(after.sum()) > float(before.sum())


@pytest.mark.parametrize("name", TABLE)
def test_inputs_out_of_range_are_refused(name, net, pictures):
    x, y = pictures
    with pytest.raises(ValueError, match=r"inputs must lie in \[0, 1\]; got"):
        TABLE[name](net, x + 1, y, epsilon=0.1)
    with pytest.raises(ValueError, match=r"one class a sample, \(3,\); got \(2,\)"):
        TABLE[name](net, x, y[:2], epsilon=0.1)


# Closed forms on linear models.


@pytest.mark.parametrize("name", STEEPEST)
def test_sign_attacks_reach_the_optimum_on_a_linear_model(name, linear):
    module, x, y, normal, lead = linear
    found = TABLE[name](module, x, y, epsilon=0.1)
    assert torch.allclose(found, x - 0.1 * normal.sign(), atol=1e-6)
    with torch.no_grad():
        scores = module(found)
    left = scores.gather(1, y[:, None]) - scores.gather(1, 1 - y[:, None])
    assert torch.allclose(left[:, 0], lead - 0.1 * normal.abs().sum(1), atol=1e-5)


def test_random_signs_are_weaker_than_fgsm_and_fgsm_than_pgd(net, pictures):
    x, y = pictures
    with torch.no_grad():
        noise, fgsm, pgd, more = (
            loss(net.eval(), TABLE[name](net, x, y, epsilon=0.2, **settings), y).mean()
            for name, settings in (
                ("noise", {}),
                ("fgsm", {}),
                ("pgd", {}),
                ("pgd", {"restarts": 4}),
            )
        )
    assert noise < fgsm <= pgd + 1e-6 <= more + 2e-6


@pytest.mark.parametrize(("name", "dual"), [("deepfool", 2), ("deepfool_linf", 1)])
def test_deepfool_needs_one_step_on_an_affine_model(name, dual, linear):
    module, x, y, normal, lead = linear
    smallest = lead / normal.norm(p=dual, dim=1)
    found = TABLE[name](module, x, y, epsilon=5.0, steps=1)
    assert bool(fooled(module, found, y).all())
    size = length(found - x, TABLE[name].facts["norm"])
    assert torch.allclose(size, smallest, rtol=1e-3, atol=1e-4)


def test_deepfool_takes_the_nearest_of_many_borders():
    torch.manual_seed(0)
    module, x = nn.Linear(12, 7), 0.5 + 0.02 * torch.randn(20, 12)
    with torch.no_grad():
        scores = module(x)
        y = scores.argmax(1)
        gap = scores.gather(1, y[:, None]) - scores
        apart = (module.weight[y][:, None] - module.weight[None]).norm(dim=2)
        smallest = (gap / apart).nan_to_num(torch.inf).amin(1)
    found = TABLE["deepfool"](module, x, y, epsilon=5.0)
    assert torch.allclose(length(found - x, "L2"), smallest, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "settings", "over"),
    [
        ("cw_l2", {"steps": 200, "searches": 9, "rate": 0.02}, 0.02),
        ("ddn", {"steps": 200}, 0.06),  # its sphere breathes by 5 % a step
        ("boundary", {"queries": 3000}, 0.15),
        ("hopskipjump", {"rounds": 20, "draws": 200}, 0.05),
    ],
)
def test_searches_come_near_the_smallest_change_of_a_linear_model(name, settings, over, linear):
    module, x, y, normal, lead = linear
    smallest = lead / normal.norm(dim=1)
    found = TABLE[name](module, x, y, epsilon=5.0, **settings)
    assert bool(fooled(module, found, y).all())
    size = length(found - x, "L2")
    assert bool((size >= smallest - 1e-4).all())
    assert float((size / smallest).mean()) < 1 + over


def test_ascent_in_every_norm_reaches_the_optimum_on_a_linear_model(linear):
    module, x, y, normal, lead = linear
    with torch.no_grad():
        for name, epsilon, gain in (
            ("fgm", 0.3, normal.norm(dim=1)),
            ("pgd_l2", 0.3, normal.norm(dim=1)),
            ("pgd_l1", 0.3, normal.abs().amax(1)),
            ("apgd_ce", 0.1, normal.abs().sum(1)),
            ("apgd_dlr", 0.1, normal.abs().sum(1)),
        ):
            scores = module(TABLE[name](module, x, y, epsilon=epsilon))
            left = (scores.gather(1, y[:, None]) - scores.gather(1, 1 - y[:, None]))[:, 0]
            assert torch.allclose(left, lead - epsilon * gain, atol=1e-4), name


def test_ead_comes_near_the_smallest_sum_of_a_linear_model(linear):
    module, x, y, normal, lead = linear
    smallest = lead / normal.abs().amax(1)  # all of it on the steepest input
    settings = {"steps": 200, "searches": 9, "sparse": 0.2}
    found = TABLE["ead"](module, x, y, epsilon=50.0, **settings)
    assert bool(fooled(module, found, y).all())
    size = length(found - x, "L1")
    assert bool((size >= smallest - 1e-4).all())
    assert float((size / smallest).mean()) < 1.5  # the squares still share it among some


def test_jsma_takes_the_inputs_with_the_largest_promise(linear):
    module, x, y, normal, lead = linear
    found = TABLE["jsma"](module, x, y, epsilon=16)
    end = (normal < 0).float()
    promise = (normal * (x - end)).sort(dim=1, descending=True).values.cumsum(1)
    needed = (promise < lead[:, None]).sum(1) + 1
    assert length(found - x, "L0").tolist() == needed.tolist()
    assert bool(fooled(module, found, y).all())


def test_apgd_is_at_least_as_strong_as_pgd_on_a_network(net, pictures):
    x, y = pictures
    with torch.no_grad():
        apgd, pgd = (
            loss(net.eval(), TABLE[name](net, x, y, epsilon=0.2, steps=50), y).mean()
            for name in ("apgd_ce", "pgd")
        )
    assert apgd >= pgd - 1e-3


def test_square_beats_random_signs(net, pictures):
    x, y = pictures
    with torch.no_grad():
        square = loss(net.eval(), TABLE["square"](net, x, y, epsilon=0.2), y)
        noise = loss(net, TABLE["noise"](net, x, y, epsilon=0.2), y)
    assert bool((square > noise).all())


def test_projections_onto_balls_by_hand():
    x = torch.full((1, 2), 0.5)
    change = torch.tensor([[0.3, 0.1]])
    assert torch.allclose(inside(x + change, x, 0.2, "L1"), x + torch.tensor([[0.2, 0.0]]))
    assert torch.allclose(inside(x + change, x, 0.3, "L1"), x + torch.tensor([[0.25, 0.05]]))
    assert torch.allclose(inside(x + change, x, 0.2, "Linf"), x + torch.tensor([[0.2, 0.1]]))
    assert torch.allclose(inside(x + change, x, 0.1, "L2"), x + change * (0.1 / 0.1**0.5))
    assert torch.allclose(inside(x + change, x, 1, "L0"), x + torch.tensor([[0.3, 0.0]]))


@pytest.mark.filterwarnings("ignore")
def test_captum_finds_the_same_fgsm_and_pgd(net, pictures):
    from captum.robust import FGSM, PGD

    x, y = pictures
    net.eval()
    chances = nn.Sequential(net, nn.Softmax(1))  # whose logarithm captum takes
    theirs = FGSM(chances, lower_bound=0, upper_bound=1).perturb(x, epsilon=0.1, target=y)
    assert torch.allclose(TABLE["fgsm"](net, x, y, epsilon=0.1), theirs, atol=1e-6)
    pgd = PGD(chances, lower_bound=0, upper_bound=1)
    theirs = pgd.perturb(x, radius=0.1, step_size=0.01, step_num=20, target=y)
    assert torch.allclose(TABLE["pgd"](net, x, y, epsilon=0.1), theirs, atol=1e-6)


# The live study and the command line.


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small network trained on the embedded digits."""
    place = tmp_path_factory.mktemp("run")
    for _ in train(spec_of("lenet-digits"), "digits", folder=place, epochs=4):
        pass
    return place


def settle(run, changes=None):
    """All frames until one waits."""
    frames = [run.send(changes)]
    while not frames[-1].waits:
        frames.append(run.send(None))
    return frames


def test_the_study_flips_a_digit_and_finds_where_that_begins(folder):
    run = study(str(folder), epsilon=0.0)
    calm = settle(run)[-1]
    assert calm.facts["flipped"] == 0
    border = calm.facts["smallest Linf that flips"]
    assert 0 < border < 0.4
    above = settle(run, {"epsilon": min(0.5, border + 0.01)})[-1]
    assert above.facts["flipped"] == 1
    assert all(holds == "✓" for _, holds, _ in above.views["badges"].rows)
    below = settle(run, {"epsilon": max(0.0, border - 0.05)})[-1]
    assert below.facts["flipped"] == 0


def test_a_turned_budget_shows_the_new_attack_first_and_keeps_the_curve(folder):
    run = study(str(folder))
    frames = settle(run)
    assert len(frames) == 15  # the attack, its plane, then a point of the curve each; 0.1 was known
    again = settle(run, {"epsilon": 0.15})
    assert len(again) == 3
    assert again[0].facts["size of the change (Linf)"] == pytest.approx(0.15, abs=1e-6)
    assert again[-1].views["curve"].x.tolist() == frames[-1].views["curve"].x.tolist()
    assert all(list(frame.views) == list(frames[0].views) for frame in frames)


@pytest.mark.parametrize("name", TABLE)
def test_the_study_runs_every_attack(name, folder):
    frame = next(study(str(folder), method=name))
    held = {check: holds for check, holds, _ in frame.views["badges"].rows}
    assert held.get("inside the ball", "✓") == held["inside the valid range"] == "✓"
    assert held["no budget, no change"] == "✓"
    chances = frame.views["chances"].series["after"]
    assert float(chances.sum()) == pytest.approx(1, abs=1e-5)


def test_the_study_judges_what_is_stored_with_eight_bits(folder):
    frame = next(study(str(folder), epsilon=0.001))  # less than half of 1/255
    before, after = frame.views["chances"].series.values()
    assert frame.facts["size of the change (Linf)"] == pytest.approx(0.001, abs=1e-6)
    # 8 x 8 digits have 17 grey levels k/16; stored, both pictures are the same
    assert np.abs(before - after).max() < 0.02


def test_the_study_tells_what_cannot_be_aimed(folder):
    run = study(str(folder), method="deepfool", target="3")
    frame = settle(run)[-1]
    assert "cannot be aimed at a class" in frame.views["notes"].text
    aimed = settle(run, {"method": "pgd", "epsilon": 0.4})[-1]
    assert aimed.facts["flipped"] == 1
    wrong = settle(run, {"target": "zebra"})[-1]
    assert "target must be: any other, or one of 0, 1" in wrong.views["notes"].text


def test_the_command_writes_the_changed_inputs(folder, tmp_path, capsys):
    from engine.__main__ import main

    x = np.random.default_rng(0).random((3, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    out = tmp_path / "out.npz"
    words = ["attack", str(folder / "spec.json"), "--json", "-o", str(out)]
    words += ["--weights", str(folder / "weights.safetensors"), "--input", str(tmp_path / "x.npy")]
    assert main([*words, "--method", "pgd", "epsilon=0.2"]) == 0
    told = json.loads(capsys.readouterr().out)
    with np.load(out, allow_pickle=False) as arrays:
        change = np.abs(arrays["adversarial"] - x).reshape(3, -1).max(1)
    assert np.allclose(change, told["Linf"])
    assert max(told["Linf"]) <= 0.2 + 1e-6
    assert main([*words, "--target", "12"]) == 2
    assert "--target must be a class 0 to 9; got 12" in capsys.readouterr().err
    assert main([*words, "epsilom=1"]) == 2
    assert "did you mean 'epsilon'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 1, 9, 9)), r"samples of shape \[1, 8, 8\]"),
        (np.full((1, 8, 8), np.nan), "must be finite"),
        (np.array([{"a": 1}], dtype=object), "no .npy file of numbers"),
        (np.array(["a"]), "must hold one array of numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_told_in_a_line(array, words, folder, tmp_path, capsys):
    import re

    from engine.__main__ import main

    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    words_given = ["attack", str(folder / "spec.json"), "--input", str(tmp_path / "x.npy")]
    assert main([*words_given, "--weights", str(folder / "weights.safetensors")]) == 2
    told = capsys.readouterr().err
    assert re.search(words, told)
    assert told.count("\n") == 1
