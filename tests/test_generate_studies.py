"""What one does with trained autoencoders, flows and models that draw pixel by pixel."""

import math

import numpy as np
import pytest
import torch

from engine.generate import disentangle
from engine.generate.kept import open_kept
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.parts.posterior import log_normal
from engine.generate.source import open_source
from engine.generate.studies import flow, latent, pixels


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Makes a model that has learnt for a moment; the folder where it is kept."""
    made = {}

    def make(family, data, **own):
        key = f"{family} {data}"
        if key not in made:
            source = open_source(data)
            recipe = fitting(family, source, own, {})
            learner = Learner(source, recipe, 30, 32, 0.002, 0)
            learner.judge = dict  # measuring samples would take most of the time
            for _ in range(30):
                learner.advance()
            made[key] = tmp_path_factory.mktemp("model")
            learner.save(made[key])
        return str(made[key])

    return make


def opened(study, folder, **settings):
    """A study that waits, and a way to turn its controls."""
    run = study(folder, **settings)
    first = next(run)
    assert first.waits
    return first, lambda **changes: run.send(changes)


LATENT = {
    ("vae", "digits"): {
        "map": {"map", "decoded", "prior"},
        "walk": {"walk"},
        "arithmetic": {"sum"},
        "units": {"units"},
        "came back": set(),
        "styles": {"note"},
    },
    ("vae", "two moons"): {"map": {"map"}, "walk": {"walk"}, "units": {"units"}},
    ("conditional-vae", "digits"): {"styles": set(), "map": {"map"}, "units": {"units"}},
    ("vq-vae", "digits"): {"words": {"words", "written", "read"}, "walk": {"walk"}},
    ("autoencoder", "digits"): {"map": {"decoded"}, "units": set()},
    ("denoising-autoencoder", "two moons"): {"score": set(), "map": {"note"}},
    ("denoising-autoencoder", "digits"): {"score": set(), "came back": set()},
}


@pytest.mark.parametrize("pair", LATENT)
def test_every_look_at_codes_has_its_pictures(model, pair):
    _, turn = opened(latent.study, model(*pair))
    for show, slots in LATENT[pair].items():
        views = turn(show=show).views
        assert {"samples", *slots} <= set(views), show
        assert ("note" in views) == ("note" in slots), show


def test_a_click_on_the_map_decodes_that_place(model):
    folder = model("vae", "digits")
    first, turn = opened(latent.study, folder)
    there = turn(place=[1.0, -2.0])

    made = open_kept(folder)[0].decode(torch.tensor([[1.0, -2.0]])).detach()
    tile = turn(pick=11 * 8 + 9)  # of the decoded map: 9th row, 10th column
    assert turn(place=[2.0, -1.5]).views["decoded"].images == pytest.approx(
        tile.views["decoded"].images, abs=1e-5
    )
    shown = there.views["decoded"].images[0]
    np.testing.assert_allclose(shown, (made[0, 0].numpy() + 1) / 2, atol=1e-5)
    assert not np.allclose(first.views["decoded"].images, shown)
    assert there.facts["ELBO [nat]"] <= there.facts["log p(x) with 64 codes, at least [nat]"]


def test_a_walk_begins_and_ends_at_the_samples_that_were_picked(model):
    _, turn = opened(latent.study, model("vae", "digits"), show="walk")
    turn(pick=5)
    turn(pick=7)
    frame = turn(pick=9)
    samples, walk = frame.views["samples"], frame.views["walk"].images
    assert samples.marks == {5: "A", 7: "B", 9: "C"}
    np.testing.assert_allclose(walk[0], samples.images[5], atol=1e-5)
    np.testing.assert_allclose(walk[-1], samples.images[7], atol=1e-5)


def test_units_of_shapes_are_held_against_their_factors(model):
    frame, _ = opened(latent.study, model("beta-vae", "factors", width=16), show="units")
    shares = frame.views["factors"]
    assert shares.columns == ("shape", "column", "row", "size", "angle")
    assert shares.values.min() >= 0
    assert shares.values.max() < 1


def test_information_is_what_one_knows_it_to_be():
    draw = torch.Generator().manual_seed(0)
    factors = torch.stack([torch.arange(4000) % 4, torch.arange(4000) // 1000], 1)
    exact = factors[:, :1].float() + 1e-3 * torch.rand(4000, 1, generator=draw)
    none = torch.rand(4000, 1, generator=draw)
    told = disentangle.information(torch.cat([exact, none], 1), factors)
    assert float(told[0, 0]) == pytest.approx(math.log(4), abs=0.01)
    assert float(told[[0, 1, 1], [1, 0, 1]].max()) < 0.01
    torch.testing.assert_close(disentangle.entropies(factors), torch.full((2,), math.log(4)))
    assert disentangle.gap(torch.tensor([[1.0, 0.2], [0.1, 0.6]])) == pytest.approx(0.65)


@pytest.mark.parametrize("family", ["realnvp", "continuous-flow"])
def test_a_point_of_the_density_is_followed_back_with_its_numbers(model, family):
    folder = model(family, "two moons")
    _, turn = opened(flow.study, folder)
    frame = turn(place=[0.5, -0.25])
    made = open_kept(folder)[0]
    told = float(made.log_density(torch.tensor([[0.5, -0.25]])).detach())
    assert frame.facts["log p(x) of the place [nat]"] == pytest.approx(told, abs=1e-5)
    rows = frame.views["steps"].rows
    x = torch.tensor([[float(rows[-1][1]), float(rows[-1][2])]])
    assert told == pytest.approx(float(log_normal(x)) + float(rows[-1][4]), abs=1e-4)
    assert f"{told:.2f} nat" in frame.views["formula"].text


def test_particles_begin_as_noise_and_end_as_samples(model):
    folder = model("realnvp", "two moons")
    _, turn = opened(flow.study, folder)
    noise = turn(moment=0.0).views["samples"].xy[1000:]
    data = turn(moment=1.0).views["samples"].xy[1000:]
    draw = torch.Generator().manual_seed(0)
    z = torch.randn(1000, 2, generator=draw)
    np.testing.assert_allclose(noise, z.numpy())
    np.testing.assert_allclose(data, open_kept(folder)[0].decode(z).detach().numpy(), atol=1e-5)
    cold = turn(temperature=0.0).views["samples"].xy[1000:]
    assert float(np.ptp(cold, axis=0).max()) == 0


def test_images_of_a_flow_are_walked_heated_and_changed(model):
    first, turn = opened(flow.study, model("glow", "digits", steps=1, width=8))
    assert {"samples", "walk"} <= set(first.views)
    for show in ("temperatures", "classes", "surprise"):
        assert show in turn(show=show).views
    assert first.facts["17 shades without knowledge [bit]"] == pytest.approx(math.log2(17))


@pytest.fixture(scope="module")
def drawing(model):
    """The folder of a model that draws digits pixel by pixel."""
    return model("pixelcnn", "digits", width=8, depth=1, told=True)


def last(run, **changes):
    """The frame that waits after some changes."""
    frame = run.send(changes) if changes else next(run)
    while not frame.waits:
        frame = next(run)
    return frame


def test_an_image_is_seen_while_it_is_drawn_and_at_any_pixel_after(drawing):
    run = pixels.study(drawing)
    frames = [next(run)]
    while not frames[-1].waits:
        frames.append(next(run))
    assert [frame.step for frame in frames] == [8, 16, 24, 32, 40, 48, 56, 64]
    whole = frames[-1].views["samples"].images
    half = last(run, moment=0.5)
    assert half.step == 32
    shown = half.views["samples"].images
    np.testing.assert_array_equal(shown[:, :4], whole[:, :4])
    assert bool((shown[:, 4:] == 0.5).all())
    assert half.views["picture"].highlight == ((4, 0),)


def test_the_odds_of_a_pixel_are_the_models_and_it_sees_only_what_is_before(drawing):
    run = pixels.study(drawing, label="3")
    last(run)
    frame = last(run, pixel=19, temperature=1.0)
    odds = frame.views["odds"].series["model"]
    assert float(odds.sum()) == pytest.approx(1, abs=1e-6)
    made = open_kept(drawing)[0]
    x = torch.from_numpy(frame.views["samples"].images[:1])[:, None] * 2 - 1
    with torch.no_grad():
        told = made.scores(x, torch.tensor([3]))[0, 0, :, 2, 3].softmax(0)
    np.testing.assert_allclose(odds, told.numpy(), atol=1e-5)
    seen = frame.views["field"].values.flatten()
    assert float(seen[19:].max()) == 0 < float(seen[:19].max())


def test_given_rows_stay_as_they_are(drawing):
    ink = np.zeros((28, 28))
    ink[:, 14:] = 1
    run = pixels.study(drawing, begin="your drawing", drawing=ink.flatten().tolist(), rows=0.5)
    images = last(run).views["samples"].images
    assert bool((images[:, :4, :4] == 0).all())
    assert bool((images[:, :4, 4:] == 1).all())
    assert float(images[:, 4:].std(0).max()) > 0  # the rest differs from image to image
    true = last(run, begin="a true image", rows=0.25, sample=2).views["samples"].images
    held = (open_source("digits").held[2, 0] + 1) / 2
    np.testing.assert_allclose(true[:, :2], held[:2].expand(16, 2, 8).numpy(), atol=1e-6)
    cold = last(run, begin="nothing", temperature=0.0, label="3").views["samples"].images
    assert float(cold.std(0).max()) == 0


@pytest.mark.parametrize("study", [latent.study, flow.study, pixels.study])
def test_a_model_of_another_kind_is_refused_in_words(model, study):
    folder = model("gan", "digits")
    with pytest.raises(ValueError, match="open one"):
        next(study(folder))
