"""What one does with trained autoencoders, flows and models that draw pixel by pixel."""

import math

import numpy as np
import pytest
import torch

from engine.generate import disentangle
from engine.generate.learn import fitting
from engine.generate.learner import Learner
from engine.generate.source import open_source
from engine.generate.studies import latent


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
        "map": {"map", "decoded", "all over"},
        "walk": {"walk"},
        "arithmetic": {"sum"},
        "units": {"units", "traversals"},
        "came back": {"back"},
        "styles": {"note"},
    },
    ("vae", "two moons"): {"map": {"map", "decoded"}, "walk": {"walk"}, "units": {"traversals"}},
    ("conditional-vae", "digits"): {"styles": {"styles"}, "map": {"map"}, "units": {"traversals"}},
    ("vq-vae", "digits"): {"words": {"words", "written", "read"}, "walk": {"walk"}},
    ("autoencoder", "digits"): {"map": {"decoded"}, "units": {"traversals"}},
    ("denoising-autoencoder", "two moons"): {"score": {"score"}, "map": {"note"}},
    ("denoising-autoencoder", "digits"): {"score": {"walks"}, "came back": {"back"}},
}


@pytest.mark.parametrize("pair", LATENT)
def test_every_look_at_codes_has_its_pictures(model, pair):
    _, turn = opened(latent.study, model(*pair))
    for show, slots in LATENT[pair].items():
        views = turn(show=show).views
        assert {"samples", *slots} <= set(views), show


def test_a_click_on_the_map_decodes_that_place(model):
    folder = model("vae", "digits")
    first, turn = opened(latent.study, folder)
    there = turn(place=[1.0, -2.0])
    from engine.generate.kept import open_kept

    made = open_kept(folder)[0].decode(torch.tensor([[1.0, -2.0]])).detach()
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
