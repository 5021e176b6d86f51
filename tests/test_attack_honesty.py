"""Badges: each holds where it should and falls where something is wrong."""

import pytest
import torch
from torch import nn

from engine.attack import attacks
from engine.attack.honesty import as_stored, examine, masking

ALWAYS = ["no budget, no change", "inside the valid range", "network in eval mode"]


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 4)
    )


@pytest.fixture(scope="module")
def pictures(net):
    x = torch.rand((4, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return x, net.eval()(x).argmax(1)


class Rounded(nn.Module):
    """A defence that only hides the slope."""

    def forward(self, x):
        return (x * 8).round() / 8


def badges(report):
    return {badge.name: badge for badge in report.badges}


@pytest.mark.parametrize("name", ["pgd", "deepfool", "ead", "jsma", "square", "spatial", "patch"])
def test_every_attack_earns_its_badges_and_says_its_cost(name, net, pictures):
    net.train()
    report = examine(name, net, *pictures)
    assert net.training
    found = badges(report)
    assert all(found[one].holds for one in ALWAYS)
    ball = "a turn within the budget" if name == "spatial" else "inside the ball"
    assert found[ball].holds
    assert report.cost.forwards > 0
    assert (report.cost.backwards > 0) == attacks.find(name).facts["gradients"]
    assert ("gradients are not masked" in found) == attacks.find(name).facts["gradients"]


def test_success_is_measured_on_what_a_file_would_hold(net, pictures):
    report = examine("deepfool", net, *pictures)
    assert torch.equal(report.stored, as_stored(report.found))
    levels = report.stored * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)
    assert bool(report.raw.all())  # a hair past the border: some fall back when rounded
    lost = report.raw & ~report.success
    assert badges(report)["survives being stored"].holds == (not bool(lost.any()))
    assert bool(lost.any())


def test_a_cheat_is_told(net, pictures):
    """What leaves the ball, the range or the grid of turns loses its badge."""
    from engine.attack.honesty import _in_range, _within

    x, _ = pictures
    entry = attacks.find("pgd")
    assert not _within(entry, x, x + 0.11, 0.1, {}).holds
    assert _within(entry, x, x + 0.1, 0.1, {}).holds
    assert not _in_range(x + 1).holds
    turn = attacks.find("spatial")
    assert not _within(turn, x, x.flip(3), 5.0, {"turns": 3, "shifts": 1}).holds


def test_a_robust_looking_model_that_hides_its_slope_is_found_out(net, pictures):
    x, _ = pictures
    plain = {badge.name: badge.holds for badge in masking(net, *pictures)}
    assert all(plain.values())
    model = nn.Sequential(Rounded(), net)
    with torch.no_grad():
        y = model(x).argmax(1)
    hidden = {badge.name: badge.holds for badge in masking(model, x, y, epsilon=0.2)}
    assert not hidden["gradients are not masked"]
    assert not hidden["gradients beat guessing"]
    assert not hidden["nothing withstands every change"]


def test_a_model_without_gradients_is_said_to_have_none(net, pictures):
    class NoSlope(nn.Module):
        def forward(self, x):
            with torch.no_grad():
                return net(x)

    (badge,) = masking(NoSlope(), *pictures)
    assert not badge.holds
    assert "none" in badge.measured
    with pytest.raises(ValueError, match="use square, spsa"):
        attacks.find("pgd")(NoSlope(), *pictures)
