"""Flows: they can be undone, their volumes are right, and they reach what they are shown."""

import io
import itertools
import math
import zipfile

import pytest
import torch

from engine.generate.families import families
from engine.generate.families.flow import shades_of
from engine.generate.kept import Recipe
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.model import Outline
from engine.generate.parts.continuous import Velocity
from engine.generate.parts.invertible import ActNorm, Mix
from engine.generate.parts.spline import bend, numbers, unbend
from engine.generate.source import open_source
from engine.generate.takings import Taken
from engine.generate.takings.files import onnx

PLANE, IMAGE = Outline((2,)), Outline((1, 4, 4))
FLOWS = {
    "realnvp, plane": ("realnvp", PLANE, {}),
    "realnvp, image": ("realnvp", IMAGE, {"layers": 4}),
    "spline, plane": ("spline-flow", PLANE, {}),
    "spline, image": ("spline-flow", IMAGE, {"layers": 4}),
    "glow": ("glow", IMAGE, {}),
    "glow, colour": ("glow", Outline((3, 4, 4)), {}),
    "continuous": ("continuous-flow", PLANE, {"steps": 32}),
}


def flow(family, outline, **own):
    """With random weights everywhere, also where a flow begins with none."""
    torch.manual_seed(0)
    made = families.find(family)(outline, {}, **{"width": 16, **own})
    for weights in made.parameters():
        weights.data += 0.05 * torch.randn(weights.shape)
    return made.eval()


def samples(outline, count=3):
    draw = torch.Generator().manual_seed(1)
    return 1.8 * torch.rand(count, *outline.shape, generator=draw, dtype=torch.float64) - 0.9


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_can_be_undone(name):
    family, outline, own = FLOWS[name]
    made, x = flow(family, outline, **own), samples(outline).float()
    with torch.no_grad():
        back = made.decode(made.encode(x))
        assert float((made.encode(x) - x.flatten(1)).abs().max()) > 0.05
    torch.testing.assert_close(back, x, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", FLOWS)
def test_what_it_does_to_volumes_is_what_the_jacobian_says(name):
    family, outline, own = FLOWS[name]
    torch.set_default_dtype(torch.float64)
    try:
        made, x = flow(family, outline, **own).double(), samples(outline)
        told = torch.stack([stretch for *_, stretch in made.steps(x)]).sum(0)
        for one, said in zip(x, told, strict=True):
            whole = torch.autograd.functional.jacobian(lambda v: made.encode(v[None])[0], one)
            matrix = whole.reshape(outline.size, outline.size)
            assert float(said.detach()) == pytest.approx(float(matrix.slogdet()[1]), abs=1e-5)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", [name for name, (_, outline, _) in FLOWS.items() if outline.plane])
def test_the_density_of_the_plane_adds_up_to_one(name):
    family, outline, own = FLOWS[name]
    made = flow(family, outline, **{**own, "steps": 8} if "steps" in own else own)
    fine, edge = 300, 9.0
    axis = -edge + (torch.arange(fine) + 0.5) * 2 * edge / fine
    with torch.no_grad():
        told = made.log_density(torch.cartesian_prod(axis, axis)).double()
    assert float(told.exp().sum() * (2 * edge / fine) ** 2) == pytest.approx(1, abs=0.01)


def test_an_image_has_the_mass_of_its_square_and_dequantising_stays_below():
    """Two pixels, black or white: the density adds up to one, a little of it beyond the images."""
    outline = Outline((1, 1, 2))
    made = flow("realnvp", outline, layers=2)
    every = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=2))).view(4, 1, 1, 2)
    made.meet(every, None)
    assert int(made.shades) == 2
    unit = (torch.arange(300) + 0.5) / 300 * 2 - 1
    square = torch.cartesian_prod(unit, unit).view(-1, 1, 1, 2)  # a shade's interval is 2 long
    whole = 2 / 0.9  # the logit's margin lets pixels go as far
    with torch.no_grad():
        total = made.log_density(whole * square).double().exp().mean() * (2 * whole) ** 2
        masses = [made.log_density(one + square).double().exp().mean() * 4 for one in every]
        draw = torch.Generator().manual_seed(0)
        told = torch.stack([made.log_chance(every, draw) for _ in range(400)]).mean(0)
    assert float(total) == pytest.approx(1, abs=0.01)
    assert 0.5 < float(sum(masses)) < 1
    for mass, bound in zip(masses, told, strict=True):
        assert -1 < float(bound) - float(mass.log()) < 0.01


def test_a_trained_flow_reaches_the_entropy_of_a_gaussian():
    source = open_source("gaussian?spread=0.5")
    recipe = fitting("realnvp", source, {"layers": 4, "width": 16}, {})
    learner = Learner(source, recipe, 300, 256, 0.003, 0)
    learner.judge = dict  # measuring samples would take most of the time
    while not learner.finished:
        learner.advance()
    draw = torch.Generator().manual_seed(5)
    fresh = source.target.draw(20_000, draw)[0]
    with torch.no_grad():
        surprise = -float(learner.model.eval().log_density(fresh).mean())
    entropy = math.log(2 * math.pi * math.e * 0.5**2)  # of two numbers: 2 * ½ log(2πe σ²)
    assert surprise == pytest.approx(entropy, abs=0.02)


def test_two_moons_are_learnt_nearly():
    source = open_source("two moons")
    recipe = fitting("spline-flow", source, {"layers": 4, "width": 32}, {})
    learner = Learner(source, recipe, 250, 128, 0.006, 0)
    with torch.no_grad():
        first = -float(learner.model.eval().log_density(source.held).mean())
    learner.judge = dict  # measuring samples would take most of the time
    while not learner.finished:
        learner.advance()
    with torch.no_grad():
        last = -float(learner.model.eval().log_density(source.held).mean())
    entropy = -float(source.target.log_density(source.held).mean())
    assert first - last > 0.3
    assert -0.02 < last - entropy < 0.3


def test_digits_take_fewer_bits_than_no_knowledge():
    """17 shades without knowledge: log2(17) = 4.09 bits a pixel."""
    source = open_source("digits")
    assert shades_of(source.x) == 17
    recipe = fitting("glow", source, {"steps": 2, "width": 16}, {})
    learner = Learner(source, recipe, 80, 32, 0.005, 0)
    learner.judge = dict  # measuring samples would take most of the time
    while not learner.finished:
        learner.advance()
    with torch.no_grad():
        told = learner.model.eval().log_chance(source.held, torch.Generator().manual_seed(0))
    assert 0 < -float(told.mean()) / 64 / math.log(2) < 3.3


def test_a_spline_bends_as_its_slope_says_and_back():
    draw = torch.Generator().manual_seed(0)
    told = torch.randn(200, numbers(6), generator=draw, dtype=torch.float64)
    x = (10 * torch.rand(200, generator=draw, dtype=torch.float64) - 5).requires_grad_()
    y, slope = bend(x, told)
    (real,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(slope, real.log())
    torch.testing.assert_close(unbend(y, told), x)
    still = bend(x, torch.zeros_like(told))[0]
    torch.testing.assert_close(still, x)


def test_mixing_channels_has_the_volume_of_its_matrix():
    torch.manual_seed(0)
    mix = Mix(4)
    mix.log_size.data += torch.randn(4)
    x = torch.randn(2, 4, 3, 5)
    y, told = mix(x)
    assert float(told[0].detach()) == pytest.approx(
        15 * float(mix.matrix().detach().det().abs().log()), abs=1e-4
    )
    torch.testing.assert_close(y[1, :, 2, 3], mix.matrix() @ x[1, :, 2, 3])


def test_normalising_begins_with_mean_zero_and_deviation_one():
    layer = ActNorm(3)
    x = 5 + 3 * torch.randn(64, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    layer.meet(x)
    rows = layer(x)[0].detach().transpose(0, 1).flatten(1)
    torch.testing.assert_close(rows.mean(1), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(rows.std(1), torch.ones(3), atol=1e-5, rtol=0)


def test_the_divergence_is_autograds_and_one_direction_gives_it_on_average():
    torch.manual_seed(0)
    field = Velocity(3, width=16, depth=2).double()
    torch.nn.init.normal_(field.last.weight)
    x = torch.randn(4, 3, dtype=torch.float64)
    exact = field(x, 0.3, torch.eye(3, dtype=torch.float64)[None])[1]
    for one, said in zip(x, exact, strict=True):
        whole = torch.autograd.functional.jacobian(
            lambda v: field(v[None], 0.3, torch.eye(3, dtype=torch.float64)[None])[0][0], one
        )
        assert float(said.detach()) == pytest.approx(float(whole.trace()), abs=1e-10)
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=3)), dtype=torch.float64)
    each = torch.stack([field(x, 0.3, sign[None, None])[1] for sign in signs])
    torch.testing.assert_close(each.mean(0), exact)
    assert float(each.detach().std(0).min()) > 0.01


def test_an_odd_image_is_refused_by_glow():
    with pytest.raises(ValueError, match="even"):
        families.find("glow")(Outline((1, 7, 8)), {})


def test_couplings_of_too_many_pixels_are_refused_before_they_are_made():
    with pytest.raises(ValueError, match="glow"):
        families.find("spline-flow")(Outline((3, 64, 64)), {}, width=256, layers=16)


@pytest.mark.parametrize("name", FLOWS)
def test_the_way_from_noise_to_data_is_the_same_in_onnx(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="an extra of the tests")
    family, outline, own = FLOWS[name]
    made = flow(family, outline, **{**own, "steps": 3} if "steps" in own else own)
    recipe = Recipe(family, "made", outline)
    with zipfile.ZipFile(io.BytesIO(onnx(Taken(tmp_path, made, recipe)))) as folder:
        session = runtime.InferenceSession(folder.read("generator.onnx"))
    z = torch.randn(3, outline.size, generator=torch.Generator().manual_seed(0))
    (told,) = session.run(None, {session.get_inputs()[0].name: z.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(told), made.decode(z), atol=1e-5, rtol=1e-4)
