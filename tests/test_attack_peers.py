"""Attacks against foolbox and the Adversarial Robustness Toolbox on the same trained network."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from engine.attack import attacks
from engine.attack.balls import inside, length
from engine.data import load

pytestmark = pytest.mark.filterwarnings("ignore")  # both libraries warn while they are imported
TABLE = attacks.all()


@pytest.fixture(scope="module")
def digits():
    """A small convolutional network trained on the embedded digits, and 200 unseen ones."""
    data = load("digits")
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 10)
    )
    adam = torch.optim.Adam(net.parameters(), 0.005)
    for _ in range(8):
        for rows in torch.randperm(len(data.train_x), generator=generator).split(64):
            adam.zero_grad()
            functional.cross_entropy(net(data.train_x[rows]), data.train_y[rows]).backward()
            adam.step()
    net.eval().requires_grad_(False)
    x, y = data.valid_x[:200], data.valid_y[:200]
    assert float((net(x).argmax(1) == y).float().mean()) > 0.93
    return net, x, y


def standing(net, x, y):
    """The part of the samples that is still answered right."""
    return float((net(x).argmax(1) == y).float().mean())


@pytest.mark.parametrize(
    ("name", "settings", "theirs", "options", "epsilon"),
    [
        ("fgsm", {}, "LinfFastGradientAttack", {"random_start": False}, 0.1),
        ("fgm", {}, "L2FastGradientAttack", {"random_start": False}, 0.6),
        (
            "bim",
            {"steps": 10},
            "LinfBasicIterativeAttack",
            {"rel_stepsize": 0.1, "steps": 10, "random_start": False},
            0.1,
        ),
        (
            "pgd",
            {"steps": 40, "step": 0.05},
            "LinfProjectedGradientDescentAttack",
            {"rel_stepsize": 0.05, "steps": 40, "random_start": False},
            0.1,
        ),
        (
            "pgd_l2",
            {"steps": 20, "step": 0.15},
            "L2ProjectedGradientDescentAttack",
            {"rel_stepsize": 0.15, "steps": 20, "random_start": False},
            0.6,
        ),
        ("deepfool", {}, "L2DeepFoolAttack", {"overshoot": 1e-4}, 0.6),
        ("deepfool_linf", {}, "LinfDeepFoolAttack", {"overshoot": 1e-4}, 0.1),
        (
            "cw_l2",
            {"steps": 60, "searches": 4},
            "L2CarliniWagnerAttack",
            {"steps": 60, "binary_search_steps": 4, "stepsize": 0.05, "initial_const": 1.0},
            0.6,
        ),
        ("ddn", {"steps": 50}, "DDNAttack", {"steps": 50}, 0.6),
        ("fmn", {"steps": 100}, "LInfFMNAttack", {"steps": 100}, 0.1),
    ],
)
def test_foolbox_leaves_as_many_standing(name, settings, theirs, options, epsilon, digits):
    import foolbox

    net, x, y = digits
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    attempt = getattr(foolbox.attacks, theirs)(**options)
    _, _, success = attempt(model, x, y, epsilons=[epsilon])
    found = TABLE[name](net, x, y, epsilon=epsilon, **settings)
    left = standing(net, found, y)
    assert 0.05 < left < 0.95  # where the two could differ
    assert left == pytest.approx(1 - float(success[0].float().mean()), abs=0.0101)


@pytest.mark.parametrize(
    ("name", "theirs", "options", "epsilon"),
    [
        ("fmn_l2", "L2FMNAttack", {"steps": 100}, 0.6),
        ("fmn_l1", "L1FMNAttack", {"steps": 100}, 1.5),
        (
            "ead",
            "EADAttack",
            {"binary_search_steps": 5, "steps": 100, "initial_stepsize": 0.02, "initial_const": 1.0}
            | {"regularization": 0.02, "decision_rule": "L1"},
            1.5,
        ),
    ],
)
def test_searches_end_no_farther_away_than_foolboxs(name, theirs, options, epsilon, digits):
    """Foolbox's own get stuck at black and white pixels (FMN), or stop early (EAD)."""
    import foolbox

    net, x, y = (part if isinstance(part, nn.Module) else part[:80] for part in digits)
    model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
    _, _, success = getattr(foolbox.attacks, theirs)(**options)(model, x, y, epsilons=[epsilon])
    found = TABLE[name](net, x, y, epsilon=epsilon)
    assert standing(net, found, y) <= 1 - float(success[0].float().mean()) + 0.0101


@pytest.fixture(scope="module")
def toolbox(digits):
    """The same network as the toolbox wants it."""
    from art.estimators.classification import PyTorchClassifier

    net, _, _ = digits
    return PyTorchClassifier(
        net, nn.CrossEntropyLoss(), (1, 8, 8), 10, clip_values=(0.0, 1.0), device_type="cpu"
    )


@pytest.mark.parametrize(
    ("name", "settings", "theirs", "options", "epsilon"),
    [
        ("fgsm", {}, "FastGradientMethod", {}, 0.1),
        (
            "pgd",
            {"steps": 40, "step": 0.05},
            "ProjectedGradientDescentPyTorch",
            {"eps_step": 0.005, "max_iter": 40, "verbose": False},
            0.1,
        ),
        (
            "mifgsm",
            {"steps": 10},
            "MomentumIterativeMethod",
            {"eps_step": 0.01, "max_iter": 10, "decay": 1.0, "verbose": False},
            0.1,
        ),
        (
            "apgd_ce",
            {"steps": 50},
            "AutoProjectedGradientDescent",
            {"eps_step": 0.2, "max_iter": 50, "nb_random_init": 1, "verbose": False},
            0.1,
        ),
    ],
)
def test_the_toolbox_leaves_as_many_standing(
    name, settings, theirs, options, epsilon, digits, toolbox
):
    from art.attacks import evasion

    net, x, y = digits
    attempt = getattr(evasion, theirs)(toolbox, eps=epsilon, **options)
    found = torch.from_numpy(attempt.generate(x.numpy(), functional.one_hot(y, 10).numpy()))
    assert float(length(inside(found, x, epsilon, "Linf") - found, "Linf").max()) < 1e-5
    left = standing(net, TABLE[name](net, x, y, epsilon=epsilon, **settings), y)
    assert 0.05 < left < 0.95
    assert left == pytest.approx(standing(net, found, y), abs=0.0101)


def test_autoattack_leaves_no_more_standing_than_any_of_the_others(digits):
    net, x, y = (part if isinstance(part, nn.Module) else part[:60] for part in digits)
    settings = {"steps": 20, "targets": 3, "queries": 100}
    left = standing(net, TABLE["autoattack"](net, x, y, epsilon=0.1, **settings), y)
    for name in ("fgsm", "pgd", "mifgsm", "deepfool_linf", "fmn", "square", "spsa", "cw_linf"):
        assert left <= standing(net, TABLE[name](net, x, y, epsilon=0.1), y)
