"""Attacks against closed forms: the smallest change, the worst change, what is known exactly."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog, minimize
from torch import nn

from engine.attack import attacks
from engine.attack.ascent import aimed_ratio, checkpoints, ratio
from engine.attack.balls import anywhere, inside, length
from engine.attack.honesty import calibration
from engine.attack.methods.ensemble import MEMBERS, ensemble
from engine.attack.methods.shared import universal_change
from engine.attack.methods.spatial import posed
from engine.attack.methods.transfer import transfers
from engine.attack.planes import to_plane
from engine.attack.table import fooled, loss
from engine.attack.watch import counted, recorded

TABLE = attacks.all()


@pytest.fixture(scope="module")
def linear():
    """A linear two-class model on 16 inputs, samples far from the edges, its normals and leads."""
    torch.manual_seed(2)
    module = nn.Linear(16, 2)
    x = 0.5 + 0.05 * torch.randn(6, 16)
    with torch.no_grad():
        y = module(x).argmax(1)
        normal = module.weight[y] - module.weight[1 - y]
        lead = (normal * x).sum(1) + module.bias[y] - module.bias[1 - y]
    return module, x, y, normal, lead


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 4)).eval()


@pytest.fixture(scope="module")
def pictures(net):
    x = torch.rand((4, 1, 8, 8), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return x, net(x).argmax(1)


def smallest(norm, x, normal, lead):
    """The length of the least change of a linear model's answer that stays in [0, 1]."""
    if norm == "Linf":
        return lead / normal.abs().sum(1)
    if norm == "L2":
        return lead / normal.norm(dim=1)
    room = torch.where(normal > 0, x, 1 - x)  # down along the normal
    if norm == "L0":
        gains = (normal.abs() * room).sort(dim=1, descending=True).values.cumsum(1)
        return (gains < lead[:, None]).sum(1) + 1.0
    order = normal.abs().argsort(1, descending=True)
    total = []
    for n, r, left in zip(normal.abs().gather(1, order), room.gather(1, order), lead, strict=True):
        spent = 0.0
        for steep, free in zip(n.tolist(), r.tolist(), strict=True):
            step = min(free, float(left) / steep)
            spent, left = spent + step, left - steep * step
        total.append(spent)
    return torch.tensor(total)


@pytest.mark.parametrize(
    ("name", "settings", "over"),
    [
        ("deepfool", {}, 0.001),
        ("deepfool_linf", {}, 0.001),
        ("fab", {}, 0.001),
        ("fab_t", {}, 0.001),
        ("fab_l2", {}, 0.001),
        ("fab_t_l2", {}, 0.001),
        ("fab_l1", {}, 0.01),
        ("fmn", {}, 0.001),
        ("fmn_l2", {}, 0.001),
        ("fmn_l1", {}, 0.02),
        ("fmn_l0", {}, 0.2),
        ("cw_linf", {"steps": 30, "rounds": 40}, 0.1),
        ("boundary", {}, 0.01),
        ("hopskipjump", {}, 0.02),
    ],
)
def test_the_least_change_of_a_linear_model_is_found(name, settings, over, linear):
    module, x, y, normal, lead = linear
    norm = TABLE[name].facts["norm"]
    epsilon = 16 if norm == "L0" else 5.0
    found = TABLE[name](module, x, y, epsilon=epsilon, **settings)
    least = smallest(norm, x, normal, lead)
    assert bool(fooled(module, found, y).all())
    size = length(found - x, norm)
    assert bool((size >= least * (1 - 1e-4)).all())
    assert float((size / least).mean()) < 1 + over


def test_sparsefool_uses_up_the_steepest_inputs_of_a_linear_model(linear):
    module, x, y, normal, lead = linear
    found = TABLE["sparsefool"](module, x, y, epsilon=16, beyond=1.001)
    steep, order = normal.abs().sort(dim=1, descending=True)
    room = torch.where(normal > 0, x, 1 - x).gather(1, order)
    needed = ((steep * room).cumsum(1) < 1.001 * lead[:, None]).sum(1) + 1
    assert bool(fooled(module, found, y).all())
    assert length(found - x, "L0").tolist() == needed.tolist()


@pytest.mark.parametrize(
    ("name", "q"),
    [("apgd_t", 1), ("autoattack", 1), ("apgd_ce_l2", 2), ("apgd_t_l2", 2), ("autoattack_l2", 2)],
)
def test_no_budget_is_wasted_on_a_linear_model(name, q, linear):
    module, x, y, normal, lead = linear
    epsilon = 0.9 * float((lead / normal.norm(p=q, dim=1)).min())  # below every border
    own = {"steps": 30, "targets": 1, "queries": 50}
    settings = {key: own[key] for key in own if key in TABLE[name].form.controls}
    found = TABLE[name](module, x, y, epsilon=epsilon, **settings)
    gained = ((x - found) * normal).sum(1)
    assert torch.allclose(gained, epsilon * normal.norm(p=q, dim=1), rtol=1e-3)
    assert not bool(fooled(module, found, y).any())  # none can succeed, and none claims to


def test_calibration_never_exceeds_the_closed_form_and_pgd_reaches_it():
    for row in calibration().values():
        exact = row.pop("exact")
        assert max(row.values()) <= exact * (1 + 1e-5)
        for name, gained in row.items():
            if name != "noise":
                assert gained == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_the_nearest_point_of_a_plane_inside_the_box_is_that_of_a_solver(norm):
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(6, 5, generator=generator, dtype=torch.float64)
    w = torch.randn(6, 5, generator=generator, dtype=torch.float64)
    room = torch.where(w > 0, 1 - x, x)
    gap = torch.linspace(0.1, 0.9, 6, dtype=torch.float64) * (w.abs() * room).sum(1)
    change = to_plane(x, w, gap, norm)
    assert torch.allclose((w * change).sum(1), gap, atol=1e-9)
    assert float((x + change).min()) >= 0
    assert float((x + change).max()) <= 1
    for row in range(6):
        best = _solved(norm, x[row].numpy(), w[row].numpy(), float(gap[row]))
        assert float(length(change[row : row + 1], norm)) == pytest.approx(best, rel=1e-5)


def _solved(norm, x, w, gap):
    """The same by SciPy: linear programs in (d⁺, d⁻[, t]), or SLSQP for the Euclidean length."""
    n = len(x)
    if norm == "L2":
        plane = {"type": "eq", "fun": lambda d: w @ d - gap}
        bounds = list(zip(-x, 1 - x, strict=True))
        found = minimize(
            lambda d: d @ d, np.zeros(n), bounds=bounds, constraints=plane, options={"ftol": 1e-14}
        )
        return float(np.sqrt(found.fun))
    bounds = [*((0, 1 - value) for value in x), *((0, value) for value in x)]
    if norm == "L1":
        return linprog(np.ones(2 * n), A_eq=[[*w, *-w]], b_eq=[gap], bounds=bounds).fun
    limits = np.hstack([np.eye(2 * n), -np.ones((2 * n, 1))])
    cost = [*np.zeros(2 * n), 1]
    plane = [[*w, *-w, 0]]
    return linprog(cost, limits, np.zeros(2 * n), plane, [gap], [*bounds, (0, None)]).fun


def test_a_plane_out_of_reach_is_approached_as_far_as_the_box_allows():
    x, w = torch.tensor([[0.25, 0.5]]), torch.tensor([[1.0, -2.0]])
    for norm in ("Linf", "L2", "L1"):
        assert torch.allclose(
            to_plane(x, w, torch.tensor([9.0]), norm), torch.tensor([[0.75, -0.5]])
        )


def test_the_step_is_looked_at_where_the_paper_says():
    # Croce & Hein (2020), section 3: 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99 of all steps
    assert list(checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_the_ratio_of_scores_by_hand_and_blind_to_their_size():
    scores, y = torch.tensor([[3.0, 1.0, 2.0, -1.0]]), torch.tensor([0])
    assert float(ratio(scores, y)) == pytest.approx(-(3 - 2) / (3 - 1))
    assert float(aimed_ratio(torch.tensor([1]))(scores, y)) == pytest.approx(-2 / (3 - 0))
    assert torch.allclose(ratio(100 * scores + 7, y), ratio(scores, y))


def test_autoattack_breaks_whatever_one_of_its_members_breaks(net, pictures):
    x, y = pictures
    epsilon = float(length(TABLE["fab_t"](net, x, y, epsilon=1.0) - x, "Linf").median()) * 1.01
    found, by = ensemble(net, x, y, epsilon, "Linf", 20, 3, 100, 0)
    broken = fooled(net, found, y)
    assert [bool(name) for name in by] == broken.tolist()
    assert 0 < int(broken.sum()) < len(x)
    for member in MEMBERS:
        own = {"steps": 20, "targets": 3, "queries": 100}
        settings = {key: own[key] for key in own if key in TABLE[member].form.controls}
        alone = TABLE[member](net, x, y, epsilon=epsilon, **settings)
        assert not bool((fooled(net, alone, y) & ~broken).any())


def test_flat_scores_stop_cross_entropy_but_not_the_ratio():
    """A network whose scores are a thousand times too large has no slope left in its loss."""

    class Sharp(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return 1e4 * self.inner(x)

    torch.manual_seed(0)
    inner = nn.Linear(8, 4)
    x = torch.rand(64, 8)
    with torch.no_grad():
        y = inner(x).argmax(1)
        scores = inner(x)
        normal = inner.weight[y][:, None] - inner.weight  # (64, 4, 8)
        room = torch.where(normal > 0, x[:, None], 1 - x[:, None]).clamp_max(0.1)
        left = scores.gather(1, y[:, None]) - scores - (normal.abs() * room).sum(2)
        can = (left < 0).any(1)  # another class can be reached within the ball and the box
    did = {
        name: fooled(inner, TABLE[name](Sharp(inner), x, y, epsilon=0.1), y)
        for name in ("pgd", "apgd_dlr", "apgd_t")
    }
    assert 10 < int(can.sum()) < 54
    assert torch.equal(did["apgd_t"], can)
    assert int(did["pgd"].sum()) < int(did["apgd_dlr"].sum())


def test_backward_through_a_stand_in_breaks_what_only_hides_its_slope(net, pictures):
    """Rounding has a slope of zero everywhere; PGD stands still, BPDA does not notice."""

    class Rounded(nn.Module):
        stand_in = None

        def forward(self, x):
            return (x * 15).round() / 15

    x, _ = pictures
    model = nn.Sequential(Rounded(), net)
    with torch.no_grad():
        y = model(x).argmax(1)
    with torch.no_grad():
        plain, through = (
            fooled(model, TABLE[name](model, x, y, epsilon=0.2), y) for name in ("pgd", "bpda")
        )
    assert not bool(plain.any())  # every slope is exactly zero
    assert bool(through.all())
    again = model(x)  # hooks are gone
    assert torch.equal(again, net((x * 15).round() / 15))


def test_the_mean_over_draws_beats_one_draw_on_a_model_that_answers_at_random():
    class Noisy(nn.Module):
        """Each draw hides most inputs, so one gradient says little."""

        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x * (torch.rand_like(x) < 0.1) * 10)

    torch.manual_seed(0)
    inner = nn.Linear(40, 2)
    x = torch.rand(20, 40)
    with torch.no_grad():
        y = inner(x).argmax(1)
        one, mean = (
            float(loss(inner, TABLE["eot"](Noisy(inner), x, y, epsilon=0.1, draws=draws), y).mean())
            for draws in (1, 32)
        )
    assert mean > one


def test_turning_is_exact_for_a_quarter_and_shifts_move_whole_pixels():
    x = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(posed(x, 90, 0, 0), x.rot90(-1, (2, 3)), atol=1e-5) or torch.allclose(
        posed(x, 90, 0, 0), x.rot90(1, (2, 3)), atol=1e-5
    )
    moved = posed(x, 0, 2 / 6, 0)  # halves of the side: 6 pixels are 2 units
    assert torch.allclose(moved[:, :, 1:], x[:, :, :-1], atol=1e-5)
    assert float(moved[:, :, 0].abs().max()) < 1e-5


def test_one_change_serves_the_whole_batch(net, pictures):
    x, y = pictures
    middle = 0.3 + 0.4 * x  # so that nothing is clipped
    y = net(middle).argmax(1)
    found = TABLE["universal"](net, middle, y, epsilon=0.2)
    change = found - middle
    assert torch.allclose(change, change[:1].expand_as(change), atol=1e-6)
    same = universal_change(net, middle, y, epsilon=0.2, rounds=10, seed=0)
    assert torch.allclose(change[:1], same, atol=1e-6)


def test_a_patch_is_one_square_that_misleads_more_than_noise_there(net, pictures):
    x, y = pictures
    found = TABLE["patch"](net, x, y, epsilon=16)
    for change in (found - x).abs().amax(1):
        rows, columns = change.nonzero(as_tuple=True)
        assert int(rows.max() - rows.min()) <= 3
        assert int(columns.max() - columns.min()) <= 3
    with torch.no_grad():
        assert bool((loss(net, found, y) > loss(net, x, y)).all())


def test_a_copy_fools_its_twin_and_transfers_count_the_diagonal(net, pictures):
    x, y = pictures
    direct = TABLE["mifgsm"](net, x, y, epsilon=0.1)
    assert torch.equal(TABLE["transfer"](net, x, y, epsilon=0.1, surrogate=net), direct)
    torch.manual_seed(5)
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 4)).eval()
    table = transfers([net, other], "pgd", x, y, epsilon=0.2)
    assert float(table[0, 0]) == float(
        fooled(net, TABLE["pgd"](net, x, y, epsilon=0.2), y).float().mean()
    )


def test_what_is_asked_is_counted_and_the_way_is_kept(net, pictures):
    x, y = pictures
    plain = TABLE["pgd"](net, x, y, epsilon=0.1, steps=7)
    with recorded(net) as path:
        found = TABLE["pgd"](net, x, y, epsilon=0.1, steps=7)
    assert torch.equal(found, plain)
    assert torch.equal(path[0].x, x)
    assert torch.equal(path[-1].x, found)
    assert [step.backwards for step in path] == [0, *(4 * n for n in range(1, 8)), 28]
    assert all(float(length(step.x - x, "Linf").max()) <= 0.1 + 1e-6 for step in path)
    seconds = [step.seconds for step in path]
    assert seconds == sorted(seconds)
    with counted(net) as cost:
        TABLE["square"](net, x, y, epsilon=0.1, queries=50)
    assert (cost.forwards, cost.backwards) == (4 * 51, 0)
    with counted(net) as cost:
        TABLE["deepfool"](net, x, y, steps=1)
    assert cost.backwards == 4 * 4  # a gradient a class


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_random_places_lie_in_the_ball_and_reach_its_outer_half(norm):
    x = torch.full((500, 30), 0.5)
    size = length(anywhere(x, 0.2, norm, torch.Generator().manual_seed(0)) - x, norm)
    assert float(size.max()) <= 0.2 + 1e-6
    assert float(size.max()) > 0.15
    assert torch.equal(inside(x, x, 0.2, norm), x)
