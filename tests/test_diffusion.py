"""Diffusion against closed forms, published sums, and another library step by step."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from engine.generate.diffusion import predictions
from engine.generate.diffusion.exact import Mixture
from engine.generate.diffusion.path import Exploding, Level, Path, Preserving, Straight
from engine.generate.diffusion.schedules import SCHEDULES, linear
from engine.generate.diffusion.steer import driven, filled_in, guided, inverted, repainted
from engine.generate.samplers import Denoise, samplers

LINEAR = Preserving(linear(1000))
PATHS = {"preserving": LINEAR, "exploding": Exploding(), "straight": Straight()}
MIXTURE = Mixture(
    torch.tensor([[1.2, -0.4], [-0.8, 0.9], [0.1, -1.1]], dtype=torch.float64),
    0.3,
    torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log(),
    torch.tensor([0, 1, 1]),
)


def _draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _exact(mixture: Mixture = MIXTURE) -> Denoise:
    return lambda x, level: mixture.expected(x, level.alpha, level.sigma)


def _grid(numbers: list[int]) -> list[Level]:
    """The levels of the numbered steps of training, as other libraries count them from 0."""
    return [*(LINEAR.level((n + 1) / 1000) for n in numbers), Level(0.0, 1.0, 0.0)]


def _last(walk):
    return list(walk)[-1].x


# --- published sums ---------------------------------------------------------------------------


def _published_sample() -> torch.Tensor:
    """The sample that diffusers' own scheduler tests begin from."""
    numbers = torch.arange(4 * 3 * 8 * 8).reshape(3, 8, 8, 4) / (4 * 3 * 8 * 8)
    return numbers.permute(3, 0, 1, 2).clone()


def _published_model(*, clip: bool) -> Denoise:
    """Their stand-in for a network: ε̂ = x t / (t + 1)."""

    def denoise(x: torch.Tensor, level: Level) -> torch.Tensor:
        t = round(level.t * 1000) - 1
        clean = (x - level.sigma * x * t / (t + 1)) / level.alpha
        return clean.clamp(-1, 1) if clip else clean

    return denoise


def test_ddpm_reaches_the_published_sum_of_diffusers():
    """258.9606 and 0.3372: diffusers, tests/schedulers/test_scheduler_ddpm.py."""
    levels = _grid(list(range(999, -1, -1)))
    walk = samplers.find("ddpm")(_published_model(clip=True), _published_sample(), levels, _draw())
    made = _last(walk)
    assert made.abs().sum().item() == pytest.approx(258.9606, abs=1e-2)
    assert made.abs().mean().item() == pytest.approx(0.3372, abs=1e-3)


def test_ddim_reaches_the_published_sum_of_diffusers():
    """172.0067 and 0.223967: diffusers, tests/schedulers/test_scheduler_ddim.py, 10 steps."""
    levels = _grid(list(range(900, -1, -100)))
    walk = samplers.find("ddim")(_published_model(clip=True), _published_sample(), levels, _draw())
    made = _last(walk)
    assert made.abs().sum().item() == pytest.approx(172.0067, abs=1e-2)
    assert made.abs().mean().item() == pytest.approx(0.223967, abs=1e-3)


def test_dpm_solver_reaches_the_published_mean_of_diffusers():
    """0.3301: diffusers, tests/schedulers/test_scheduler_dpm_multi.py, 10 evenly spaced steps."""
    numbers = [round(999 - k * 999 / 10) for k in range(10)]
    levels = [*_grid(numbers)[:-1], LINEAR.level(1 / 1000)]  # it stopped at the first step then
    sample, model = _published_sample(), _published_model(clip=False)
    made = _last(samplers.find("dpm++ 2m")(model, sample, levels, _draw()))
    assert made.abs().mean().item() == pytest.approx(0.3301, abs=1e-3)


@pytest.mark.parametrize(
    ("step", "before", "published"),
    [(420, 400, 0.14771), (980, 960, 0.32460), (487, 486, 0.00979), (999, 998, 0.02)],
)
def test_the_posterior_has_the_published_variance(step: int, before: int, published: float):
    """Diffusers, tests/schedulers/test_scheduler_ddim.py, for linear β and 1,000 steps."""
    from engine.generate.samplers.ancestral import posterior_deviation

    level, after = _grid([step, before])[:2]
    assert posterior_deviation(level, after) ** 2 == pytest.approx(published, abs=1e-5)


# --- another library, step by step ------------------------------------------------------------

PEERS = {
    "ddpm": ("DDPMScheduler", {"clip_sample": False}),
    "ddim": ("DDIMScheduler", {"clip_sample": False}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm++ 2m": ("DPMSolverMultistepScheduler", {"final_sigmas_type": "zero"}),
}


@pytest.mark.filterwarnings("ignore")  # of the other library's own dependencies
@pytest.mark.parametrize("name", PEERS)
def test_every_step_is_that_of_diffusers(name: str):
    diffusers = pytest.importorskip("diffusers", reason="compared with diffusers where it is there")
    kind, more = PEERS[name]
    peer = getattr(diffusers, kind)(
        num_train_timesteps=1000,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        timestep_spacing="trailing",
        **more,
    )
    peer.set_timesteps(20)
    levels = _grid([round(1000 - 50 * k) - 1 for k in range(20)])
    start = torch.randn(64, 2, generator=_draw(1))
    ours = list(samplers.find(name)(_exact32, start, levels, _draw()))
    scaled = hasattr(peer, "sigmas") and name != "dpm++ 2m"  # those walk with x / α
    x = start / levels[0].alpha if scaled else start
    theirs, noise = [], _draw()
    for t in peer.timesteps:
        level = _grid([int(t)])[0]
        seen = peer.scale_model_input(x, t)
        told = (seen - level.alpha * _exact32(seen, level)) / level.sigma
        takes = {"generator": noise} if name in ("ddpm", "euler ancestral") else {}
        x = peer.step(told, t, x, **takes).prev_sample
        theirs.append(x)
    if name == "heun":  # every other is only tried, but for the last
        theirs = [*theirs[1::2], theirs[-1]]
    for moment, other in zip(ours[1:], theirs, strict=True):
        own = moment.x / moment.level.alpha if scaled else moment.x
        torch.testing.assert_close(own, other, rtol=2e-3, atol=2e-3)


def _exact32(x: torch.Tensor, level: Level) -> torch.Tensor:
    return MIXTURE.expected(x.double(), level.alpha, level.sigma).float()


# --- closed forms -----------------------------------------------------------------------------


GAUSSIAN = Mixture(torch.full((1, 1), 0.7, dtype=torch.float64), 0.4, torch.zeros(1))
WITHOUT_CHANCE = [name for name, entry in samplers.all().items() if not entry.facts["random"]]


def _marginal(level: Level) -> tuple[float, float]:
    """N(m, s²) is N(α m, α² s² + σ²) at every level."""
    return level.alpha * 0.7, math.sqrt((level.alpha * 0.4) ** 2 + level.sigma**2)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("way", WITHOUT_CHANCE)
def test_a_gaussian_has_its_marginal_at_every_level(path: Path, way: str):
    """The ODE's map is linear here, so the middle and one deviation beside it tell all."""
    levels = path.levels(200)
    middle, wide = _marginal(levels[0])
    start = torch.tensor([[middle], [middle + wide]], dtype=torch.float64)
    for moment in samplers.find(way)(_exact(GAUSSIAN), start, levels, _draw()):
        middle, wide = _marginal(moment.level)
        assert float(moment.x[0]) == pytest.approx(middle, abs=0.02 * wide)
        assert float(moment.x[1] - moment.x[0]) == pytest.approx(wide, rel=0.02)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("way", sorted(samplers.all().keys() - set(WITHOUT_CHANCE)))
def test_a_gaussian_has_its_marginal_with_chance_too(path: Path, way: str):
    """2,500 samples: their deviation is known to 1.4 %, their mean to 2 % of it."""
    levels = path.levels(600)
    middle, wide = _marginal(levels[0])
    start = middle + wide * torch.randn(2500, 1, generator=_draw(), dtype=torch.float64)
    for moment in samplers.find(way)(_exact(GAUSSIAN), start, levels, _draw(3)):
        middle, wide = _marginal(moment.level)
        assert float(moment.x.mean()) == pytest.approx(middle, abs=0.08 * wide)
        assert float(moment.x.std()) == pytest.approx(wide, rel=0.06)


def test_ddim_without_noise_has_no_chance_in_it_and_with_all_of_it_is_ddpm():
    start = torch.randn(50, 2, generator=_draw(), dtype=torch.float64)
    levels = LINEAR.levels(50)
    way = samplers.find("ddim")
    still = [_last(way(_exact(), start, levels, _draw(seed))) for seed in (0, 1)]
    assert torch.equal(*still)
    full = _last(way(_exact(), start, levels, _draw(), eta=1.0))
    ddpm = _last(samplers.find("ddpm")(_exact(), start, levels, _draw()))
    torch.testing.assert_close(full, ddpm, rtol=0, atol=1e-9)


def test_full_noise_has_the_variance_of_the_posterior():
    """(1 - ᾱ') / (1 - ᾱ) β in Ho's symbols, for every step."""
    from engine.generate.samplers.ancestral import posterior_deviation

    kept = linear(1000)
    levels = _grid(list(range(999, 0, -1)))[:-1]
    for level, after in pairwise(levels):
        k = round(level.t * 1000) - 1
        beta = 1 - kept[k] / kept[k - 1]
        expected = float((1 - kept[k - 1]) / (1 - kept[k]) * beta)
        assert posterior_deviation(level, after) ** 2 == pytest.approx(expected, abs=1e-5)


def test_going_up_and_down_again_returns_the_sooner_the_more_steps():
    data = MIXTURE.centres[torch.arange(300) % 3]
    data = data + 0.3 * torch.randn(300, 2, generator=_draw(), dtype=torch.float64)
    lost = {}
    for steps in (10, 50, 250):
        levels = LINEAR.levels(steps)
        noise = _last(inverted(_exact(), data, levels))
        back = _last(samplers.find("ddim")(_exact(), noise, levels, _draw()))
        lost[steps] = float((back - data).square().mean().sqrt())
    assert lost[250] < lost[50] < lost[10]
    assert lost[250] < 0.3 * lost[10]


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_second_order_gains_more_from_more_steps_than_first(path: Path):
    start = path.level(1.0).sigma * torch.randn(400, 2, generator=_draw(), dtype=torch.float64)
    truth = _last(samplers.find("heun")(_exact(), start, path.levels(1500), _draw()))

    def error(way: str, steps: int) -> float:
        made = _last(samplers.find(way)(_exact(), start, path.levels(steps), _draw()))
        return float((made - truth).abs().median())

    for way, order in {"euler": 1, "heun": 2}.items():
        gained = math.log2(error(way, 40) / error(way, 80))
        assert gained == pytest.approx(order, abs=0.45), way


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_euler_is_ddim_on_every_path(path: Path):
    start = path.level(1.0).sigma * torch.randn(50, 2, generator=_draw(), dtype=torch.float64)
    ways = [
        _last(samplers.find(way)(_exact(), start, path.levels(20), _draw()))
        for way in ("euler", "ddim")
    ]
    torch.testing.assert_close(*ways, rtol=1e-9, atol=1e-9)


def test_flow_on_gaussians_has_the_velocity_known():
    """From N(0, 1) to N(m, s²): u = -m + (σ - α s²) / (α² s² + σ²) (x - α m)."""
    middle, spread = 0.7, 0.4
    mixture = Mixture(torch.full((1, 1), middle, dtype=torch.float64), spread, torch.zeros(1))
    x = torch.linspace(-2, 2, 41, dtype=torch.float64)[:, None]
    for t in (0.1, 0.5, 0.9):
        level = Straight().level(t)
        clean = mixture.expected(x, level.alpha, level.sigma)
        velocity = (x - level.alpha * clean) / level.sigma - clean
        whole = (level.alpha * spread) ** 2 + level.sigma**2
        rise = (level.sigma - level.alpha * spread**2) / whole
        torch.testing.assert_close(velocity, -middle + rise * (x - level.alpha * middle))


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_the_score_of_a_mixture_is_the_slope_of_its_density(level: float):
    place = LINEAR.level(level)
    x = torch.randn(20, 2, generator=_draw(), dtype=torch.float64).requires_grad_()
    told = MIXTURE.log_density(x, place.alpha, place.sigma)
    (slope,) = torch.autograd.grad(told.sum(), x)
    torch.testing.assert_close(MIXTURE.score(x.detach(), place.alpha, place.sigma), slope)
    tweedie = (place.alpha * MIXTURE.expected(x, place.alpha, place.sigma) - x) / place.sigma**2
    torch.testing.assert_close(tweedie, slope)


# --- schedules and predictions ----------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
def test_noising_step_by_step_is_noising_at_once(name: str):
    """The chain of x' = √(1 - β) x + √β z has mean √ᾱ and variance 1 - ᾱ after every step."""
    kept = SCHEDULES[name](60)
    betas = 1 - kept / torch.cat([torch.ones(1, dtype=torch.float64), kept[:-1]])
    mean, variance = 1.0, 0.0
    path = Preserving(kept)
    for k, beta in enumerate(betas.tolist()):
        mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
        level = path.level((k + 1) / 60)
        assert level.alpha == pytest.approx(mean, abs=1e-9)
        assert level.sigma**2 == pytest.approx(variance, abs=1e-9)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_place_is_found_again_by_its_ratio(path: Path):
    t = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
    alpha, sigma = path.at(t)
    torch.testing.assert_close(path.place(sigma / alpha), t, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", predictions.MIXTURES)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_what_is_predicted_tells_data_and_noise(kind: predictions.Predicted, path: Path):
    t = torch.linspace(0.02, 0.98, 30, dtype=torch.float64)
    alpha, sigma = (one[:, None] for one in path.at(t))
    x0, noise = torch.randn(2, 30, 5, generator=_draw(), dtype=torch.float64)
    x = alpha * x0 + sigma * noise
    out = predictions.wanted(kind, x0, noise, alpha, sigma)
    torch.testing.assert_close(predictions.clean(kind, out, x, alpha, sigma), x0)
    torch.testing.assert_close(predictions.noise(kind, out, x, alpha, sigma), noise)


def test_edm_keeps_everything_of_equal_size():
    """Input and wanted output have variance one at every σ, and D = c_skip x + c_out F."""
    draw, count = _draw(), 400_000
    x0 = predictions.SPREAD * torch.randn(count, 1, generator=draw, dtype=torch.float64)
    noise = torch.randn(count, 1, generator=draw, dtype=torch.float64)
    for value in (0.002, 0.1, 0.5, 3.0, 80.0):
        sigma = torch.tensor(value, dtype=torch.float64)
        one = torch.ones(())
        skip, out, into = predictions.preconditioning(sigma)
        x = x0 + sigma * noise
        wanted = predictions.wanted("EDM", x0, noise, one, sigma)
        assert float((into * x).var()) == pytest.approx(1, rel=0.02)
        assert float(wanted.var()) == pytest.approx(1, rel=0.02)
        told = predictions.clean("EDM", wanted, x, one, sigma)
        torch.testing.assert_close(told, skip * x + out * wanted, rtol=1e-6, atol=1e-6)


# --- steering ---------------------------------------------------------------------------------


def _of_class(label: int) -> Mixture:
    own = MIXTURE.classes == label
    log_weights = MIXTURE.log_weights[own]
    return Mixture(MIXTURE.centres[own], 0.3, log_weights - log_weights.logsumexp(0))


def test_guidance_of_weight_zero_and_one_is_exactly_free_and_told():
    free, told = _exact(), _exact(_of_class(0))
    x, level = torch.randn(9, 2, generator=_draw(), dtype=torch.float64), LINEAR.level(0.5)
    assert torch.equal(guided(free, told, 0.0)(x, level), free(x, level))
    assert torch.equal(guided(free, told, 1.0)(x, level), told(x, level))
    ours = guided(free, told, 3.0)(x, level)  # Ho and Salimans's w is one less
    torch.testing.assert_close(ours, (1 + 2) * told(x, level) - 2 * free(x, level))


def test_a_classifier_by_bayes_rule_is_the_model_of_the_class():
    labels = torch.zeros(9, dtype=torch.int64)
    steered = driven(
        _exact(), lambda x, at: MIXTURE.log_class(x, labels, at.alpha, at.sigma), weight=1.0
    )
    x = torch.randn(9, 2, generator=_draw(), dtype=torch.float64)
    for t in (0.1, 0.4, 0.7):
        level = LINEAR.level(t)
        torch.testing.assert_close(steered(x, level), _exact(_of_class(0))(x, level))


def test_more_guidance_gives_purer_and_narrower_samples():
    start = torch.randn(2000, 2, generator=_draw(), dtype=torch.float64)
    labels = torch.zeros(2000, dtype=torch.int64)
    pure, wide = [], []
    for weight in (1.0, 2.0, 4.0, 8.0):
        denoise = guided(_exact(), _exact(_of_class(0)), weight)
        made = _last(samplers.find("ddim")(denoise, start, LINEAR.levels(100), _draw()))
        pure.append(float(MIXTURE.log_class(made, labels, 1.0, 0.0).exp().mean()))
        wide.append(float(made.std(0).norm()))
    assert pure == sorted(pure)
    assert wide == sorted(wide, reverse=True)


@pytest.mark.parametrize("way", samplers.all())
@pytest.mark.parametrize("again", [1, 3])
def test_what_is_known_is_kept_exactly_and_the_rest_follows_it(way: str, again: int):
    """Known x of a correlated pair: the filled-in y must lie where it can."""
    centres = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    pair = Mixture(centres, 0.1, torch.full((2,), math.log(0.5), dtype=torch.float64))
    known, where = torch.tensor([1.0, 0.0]).double(), torch.tensor([1.0, 0.0]).double()
    start = torch.randn(200, 2, generator=_draw(), dtype=torch.float64)
    denoise = filled_in(_exact(pair), known, where)
    made = _last(repainted(way, denoise, start, LINEAR.levels(60), _draw(), again=again))
    torch.testing.assert_close(made[:, 0], torch.ones(200, dtype=torch.float64))
    assert float((made[:, 1] > 0).double().mean()) > (0.8 if again == 1 else 0.95)


# --- models that learn ------------------------------------------------------------------------


def _learnt(family: str, data: str = "gaussian", steps: int = 0, **own):
    from engine.generate.learn import fitting
    from engine.generate.learner import Learner
    from engine.generate.source import open_source

    source = open_source(data)
    learner = Learner(source, fitting(family, source, own, {}), max(1, steps), 256, 0.003, 0)
    learner.scores = {"-": 0.0}  # it need not be judged
    for _ in range(steps):
        learner.model.turn(learner.rate)
        x, labels = learner._draw(draw := _draw(learner.step))
        learner.model.learn(x, labels, draw)
        learner.step += 1
    return learner.model.eval(), source, learner.recipe


FAMILIES = ["diffusion", "edm", "flow matching"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_learns_a_gaussian_down_to_its_floor(family: str):
    """After 300 steps the loss is within a tenth of what can never be learnt, and so is p."""
    from engine.generate.diffusion.floor import floor, losses

    model, source, _ = _learnt(family, steps=300, width=32, depth=2)
    least = floor(model, Mixture.of_target(source.target), source.held, source.held_labels).mean
    assert losses(model, source.held, source.held_labels).mean == pytest.approx(least, rel=0.1)
    with torch.no_grad():
        made = model.sample(2000, _draw())
    assert made.mean(0).tolist() == pytest.approx([0.8, 0.5], abs=0.08)
    assert made.std(0).tolist() == pytest.approx([0.5, 0.5], rel=0.12)
    told, true = model.log_density(source.held[:500]), source.target.log_density(source.held[:500])
    assert float((told - true).abs().mean()) < 0.1
    x = source.held[:200]
    exact = Mixture.of_target(source.target).moved(model.centre, float(model.scale))
    place = model.plan.path.level(0.5)
    there = exact.score(model.inside(x), place.alpha, place.sigma) / model.scale
    assert float((model.score(x, 0.5) - there).norm() / there.norm()) < 0.2


@pytest.mark.parametrize(
    ("predicts", "schedule"), [("epsilon", "linear"), ("x0", "cosine"), ("v", "sigmoid")]
)
@pytest.mark.parametrize("weighting", ["plain", "min-SNR"])
def test_the_floor_of_a_gaussian_is_its_closed_form(predicts: str, schedule: str, weighting: str):
    """Of N(m, s²) the variance of x₀ given x_t is s² σ² / (α² s² + σ²), whatever x_t is."""
    from engine.generate.diffusion.floor import floor, learnt_at

    model, source, _ = _learnt(
        "diffusion", predicts=predicts, schedule=schedule, weighting=weighting
    )
    known = Mixture.of_target(source.target)
    found = floor(model, known, source.held)
    spread = known.spread / float(model.scale)
    alpha, sigma = model.plan.path.at(learnt_at(model).double())
    left = spread**2 * sigma**2 / ((alpha * spread) ** 2 + sigma**2)
    factor = {"epsilon": (alpha / sigma) ** 2, "x0": torch.ones(()), "v": 1 / sigma**2}[predicts]
    snr = (alpha / sigma) ** 2
    expected = factor * left if weighting == "plain" else snr.clamp(max=5) * left
    torch.testing.assert_close(found.values.double(), expected, rtol=0.15, atol=1e-4)
    assert found.mean == pytest.approx(float(expected.mean()), rel=0.05)


def test_the_density_along_the_ode_is_the_true_one():
    """With the exact network of a mixture; the integral's own error is some per cent."""
    from engine.generate.diffusion.likelihood import log_density

    inside = Mixture.of(torch.tensor([[-0.8, 0.0], [0.9, 0.5]]))
    inside = Mixture(inside.centres, 0.4, inside.log_weights)
    x = inside.centres[torch.arange(400) % 2] + 0.4 * torch.randn(400, 2, generator=_draw())
    for path in PATHS.values():
        told = log_density(_exact(inside), path, x, steps=40)
        assert float((told - inside.log_density(x)).abs().mean()) < 0.05


@pytest.mark.parametrize("family", FAMILIES)
def test_a_kept_model_is_half_as_large_and_samples_the_same(family: str, tmp_path):
    from engine.generate.kept import keep, open_kept

    model, _, recipe = _learnt(family, "ring", steps=5)
    keep(tmp_path / "model.safetensors", model, recipe)
    again, _ = open_kept(tmp_path / "model.safetensors")
    labels = torch.arange(8)
    assert torch.equal(model.sample(8, _draw(), labels), again.sample(8, _draw(), labels))
    weights = sum(one.numel() for one in model.averaged.parameters())
    assert (tmp_path / "model.safetensors").stat().st_size < 4 * weights + 10_000


def test_asking_all_classes_once_is_asking_for_each_sample():
    model, _, _ = _learnt("diffusion", "ring", steps=3)
    x, labels = torch.randn(40, 2, generator=_draw()), torch.arange(40) % 8
    once = model.averaged(x, torch.tensor([0.3]), labels)
    each = model.averaged(x, torch.full((40,), 0.3), labels)
    torch.testing.assert_close(once, each)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 25, 13), (1, 64, 64)])
def test_the_u_net_gives_what_it_takes_and_begins_with_nothing(shape: tuple[int, ...]):
    from engine.generate.parts.unet import UNet

    network = UNet(shape, 4, width=8, depth=2, attention=True)
    x = torch.randn(2, *shape, generator=_draw())
    out = network(x, torch.tensor([0.1, 0.9]), torch.tensor([0, 4]))
    assert out.shape == x.shape
    assert not out.any()


def test_a_network_of_ones_own_gets_the_level_as_one_more_number_or_channel():
    from engine.generate.families import families
    from engine.generate.model import Outline

    def spec(shape: list[int], node: str, params: dict[str, int]) -> dict[str, object]:
        nodes = [
            {"id": "start", "type": "Input", "params": {"shape": shape}},
            {"id": "out", "type": node, "params": params},
        ]
        return {"version": 1, "nodes": nodes, "edges": [["start", "out"]], "outputs": ["out"]}

    made = families.find("diffusion").function
    points = made(Outline((2,)), {"denoiser": spec([3], "Linear", {"out_features": 2})})
    assert points.sample(5, _draw()).shape == (5, 2)
    conv = spec([2, 8, 8], "Conv2d", {"out_channels": 1, "kernel_size": 3, "padding": 1})
    images = made(Outline((1, 8, 8)), {"denoiser": conv})
    assert images.sample(2, _draw()).shape == (2, 1, 8, 8)
    with pytest.raises(ValueError, match="denoiser: your network must take"):
        made(Outline((2,)), {"denoiser": spec([2], "Linear", {"out_features": 2})})


@pytest.mark.parametrize(("family", "data"), [("diffusion", "two moons"), ("edm", "digits")])
def test_every_turn_of_the_study_is_answered(family: str, data: str, tmp_path):
    from engine.generate.kept import keep
    from engine.generate.studies.diffusion import study

    model, _, recipe = _learnt(family, data, steps=2, channels=8, width=16, depth=1)
    keep(tmp_path / "model.safetensors", model, recipe)
    run = study(str(tmp_path / "model.safetensors"), steps=6, points=200, pictures=4)

    def settled(frame):
        while not frame.waits:
            frame = next(run)
        return frame

    first = settled(next(run))
    turns = [
        {"moment": 0},
        {"sampler": "heun", "guidance": 3.0},
        {"sampler": "ddim", "eta": 1.0, "spacing": "Karras"},
        {"label": recipe.outline.classes[1], "moment": 50},
        {"task": "fill in", "again": 2},
        {"drawing": [1.0] * 784, "sample": 3},
        {"task": "to noise and back"},
        {"task": "sample", "guide": "classifier"},
        {"guide": "classifier-free", "sampler": "as trained", "label": "any"},
        {"moment": 100, "spacing": "even", "guidance": 1.0},
    ]
    frames = [settled(run.send(turn)) for turn in turns]
    assert all(frame.views for frame in frames)
    assert "step" in frames[1].views
    assert frames[1].facts["questions to the network"] == 2 * 2 * 6 - 2 * 1
    assert "lost on the way [RMS]" in frames[6].facts
    before, last = first.views["samples"], frames[-1].views["samples"]
    same = "xy" if data == "two moons" else "images"
    assert (getattr(before, same) == getattr(last, same)).all()


# --- energies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.05, 0.2, 0.5])
def test_langevin_chains_have_the_variance_and_the_bias_known(size: float):
    """Of E = x² / 2s² they come to s² / (1 - h / 2s²), too wide by as much as the step is long."""
    from engine.generate.samplers.langevin import Step, langevin

    spread = 0.7
    start = torch.zeros(4000, 1, dtype=torch.float64)
    walk = langevin(lambda x: x.flatten() ** 2 / (2 * spread**2), start, 400, Step(size), _draw())
    late = torch.stack([place.x for place in walk][200::20])  # 44,000 in all, hardly correlated
    expected = spread**2 / (1 - size / (2 * spread**2))
    assert float(late.var()) == pytest.approx(expected, rel=0.03)
    assert float(late.mean()) == pytest.approx(0, abs=0.02)


def test_an_energy_learns_where_the_data_are():
    """After 200 steps the exact likelihood is far above that of noise, and p sums to one."""
    model, source, _ = _learnt("energy", "two moons", steps=200, width=32, turns=10)
    told = model.log_density(source.held[:1000])
    left, right, bottom, top = source.outline.extent
    noise = -math.log((right - left) * (top - bottom))
    true = float(source.target.log_density(source.held[:1000]).mean())
    assert noise + 0.3 * (true - noise) < float(told.mean()) < true
    axis = torch.linspace(-6, 6, 300)
    density = model.log_density(torch.cartesian_prod(axis, axis)).exp()
    assert float(density.sum()) * (12 / 299) ** 2 == pytest.approx(1, abs=0.05)
    x = source.held[:50].clone().requires_grad_()
    (slope,) = torch.autograd.grad(model.energy(model.inside(x)).sum(), x)
    torch.testing.assert_close(model.score(x.detach()), -slope)


@pytest.mark.parametrize("data", ["ring", "digits"])
def test_every_turn_of_the_walk_over_an_energy_is_answered(data: str, tmp_path):
    from engine.generate.kept import keep
    from engine.generate.studies.energy import study

    model, _, recipe = _learnt("energy", data, steps=2, turns=5, width=16)
    keep(tmp_path / "model.safetensors", model, recipe)
    run = study(str(tmp_path / "model.safetensors"), steps=20, chains=50, pictures=4)
    first = next(run)
    for turn in ({"moment": 0}, {"temperature": 0.0}, {"steps": 3}, {"seed": 4}):
        assert run.send(turn).views.keys() == first.views.keys()
    still = run.send({"temperature": 0.0, "step_size": 0.001, "steps": 40})
    falling = still.views["fall"].lines["mean energy of the chains"]
    assert (falling[1:] <= falling[:-1] + 1e-5).all()  # without noise, only down


def test_latent_diffusion_learns_codes_first_and_then_diffuses_them():
    """The coders stand still after their steps, and codes come to mean 0 and variance 1."""
    model, source, _ = _learnt("latent diffusion", "digits", steps=12, first=8, latent=4, width=16)
    assert model.shape == (4,)
    codes = model.inside(source.x[:2048])
    assert codes.mean(0).tolist() == pytest.approx([0] * 4, abs=1e-4)
    assert float(codes.std(0).square().mean()) == pytest.approx(1, abs=1e-3)
    before = [one.clone() for one in model.decoder.parameters()]
    model.learn(source.x[:64], source.labels[:64], _draw())
    assert all(map(torch.equal, before, model.decoder.parameters()))
    assert model.sample(3, _draw(), torch.arange(3)).shape == (3, 1, 8, 8)
    assert model.networks_out().keys() == {"denoiser", "encoder", "decoder"}


def test_filling_in_pixels_is_refused_where_codes_are_noised(tmp_path):
    from engine.generate.kept import keep
    from engine.generate.studies.diffusion import study

    model, _, recipe = _learnt("latent diffusion", "digits", latent=4, width=16)
    keep(tmp_path / "model.safetensors", model, recipe)
    run = study(str(tmp_path / "model.safetensors"), steps=2, pictures=2, task="fill in")
    assert "pixels" in next(run).views["step"].text
    frame = run.send({"task": "to noise and back"})
    while not frame.waits:
        frame = next(run)
    assert frame.views["given"].images.shape == (24, 8, 8)
