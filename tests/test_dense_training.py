"""Networks whose answer is a mask, a picture, a graph's nodes or a cloud's class really learn it.

What they reach is held against what needs no network: a threshold, the best linear code, the most
frequent class.
"""

import numpy as np
import pytest
import torch

from engine.data import load
from engine.data.about import about
from engine.network.fitting import fitting
from engine.network.spec import NetworkSpec
from engine.network.templates import find
from engine.training.panels import panels
from engine.training.run import begin, train
from engine.training.settings import Settings
from engine.views import Points, Tiles


def last(spec, data, **chosen):
    """The last frame of a run."""
    *_, frame = train(spec, data, **chosen)
    return frame() if callable(frame) else frame


def trained(name, **chosen):
    return last(find(name).spec.to_json(), find(name).data, **chosen)


def test_a_unet_finds_ink_under_grain_better_than_any_threshold():
    data = load("ink")
    x, y = data.valid_x[:, 0], data.valid_y
    best = max(float(((x > level) == y).float().mean()) for level in np.linspace(0, 1, 21))
    frame = trained("unet-digits", epochs=4)
    assert frame.facts["validation accuracy [%]"] > 100 * best + 1
    assert frame.facts["mean overlap (IoU) [%]"] > 75
    tiles = frame.views["masks"]
    assert isinstance(tiles, Tiles)
    assert tiles.images.shape == (18, 8, 8, 3)  # six samples: picture, true, said


@pytest.mark.parametrize("name", ["fcn-digits", "deeplab-digits"])
def test_small_segmentation_networks_learn_through_the_run(name):
    before, after = (trained(name, epochs=n).facts["mean overlap (IoU) [%]"] for n in (1, 4))
    assert after > max(60, before)


def test_the_overlap_of_masks_is_that_of_scikit_learn():
    from sklearn.metrics import jaccard_score

    spec = NetworkSpec.parse(find("fcn-digits").spec.to_json())
    session = begin(spec, load("ink"), Settings())
    for _ in range(10):
        session.advance()
    judged = session.judge(200)
    with torch.no_grad():
        said = session.module.eval()(session.data.valid_x[:200]).argmax(1)
    true = session.data.valid_y[:200]
    known = jaccard_score(true.flatten(), said.flatten(), average="macro")
    assert judged.overlap == pytest.approx(known, abs=1e-9)


def test_an_autoencoder_comes_near_the_best_linear_code_of_its_size():
    from sklearn.decomposition import PCA

    data = load("digits?aim=itself")
    learnt, judged = data.train_x.flatten(1).numpy(), data.valid_x.flatten(1).numpy()
    linear = PCA(4).fit(learnt)
    left = ((linear.inverse_transform(linear.transform(judged)) - judged) ** 2).mean()
    best = 1 - left / learnt.var(0).mean()
    frame = trained("autoencoder-digits", epochs=25, learning_rate=0.01)
    assert frame.facts["validation R²"] > 0.9 * best  # its outer layers are not linear
    assert frame.views["copies"].images.shape == (24, 8, 8, 3)


def test_noise_on_the_samples_leaves_the_answer_of_an_autoencoder_clean():
    clean, noisy = load("digits?aim=itself"), load("digits?aim=itself&stray=0.3")
    assert torch.equal(clean.train_y, noisy.train_y)
    spread = (noisy.train_x - clean.train_x).std()
    assert float(spread) == pytest.approx(0.3, rel=0.01)


@pytest.mark.parametrize("name", ["gcn-small", "gat-small"])
def test_graph_networks_tell_with_whom_the_other_members_went(name):
    data = load("karate")
    asked = data.valid_y[data.valid_y >= 0]
    guess = 100 * float(asked.bincount().max()) / len(asked)  # always the larger party
    frame = trained(name, epochs=120, learning_rate=0.02)
    assert frame.facts["validation accuracy [%]"] > guess + 20
    view = frame.views["nodes"]
    assert isinstance(view, Points)
    assert len(view.xy) == 2 * 34
    assert np.isnan(view.lines["links"]).any(1).sum() == 2 * 78


def test_no_node_that_judges_is_learnt_from():
    for name in ("karate", "women", "communities"):
        data = load(name)
        both = (data.train_y >= 0) & (data.valid_y >= 0)
        assert not bool(both.any())
        assert bool(((data.train_y >= 0) | (data.valid_y >= 0)).all())


def test_a_small_pointnet_names_bodies_whatever_the_order_of_their_points():
    frame = trained("pointnet-small", epochs=8)
    assert frame.facts["validation accuracy [%]"] > 55  # chance is 25
    assert isinstance(frame.views["clouds"], Points)
    spec = fitting(**{k: about("clouds")[k] for k in ("shape", "outputs", "kind")})
    session = begin(NetworkSpec.parse(spec), load("clouds"), Settings())
    x = session.data.valid_x[:5]
    session.module.eval()
    with torch.no_grad():
        one, other = session.module(x), session.module(x[:, torch.randperm(64)])
    torch.testing.assert_close(one, other)


def test_a_curve_is_found_through_noisy_points():
    spec = fitting((1,), 1)
    frame = last(spec, "function?noise=0.05", epochs=400, learning_rate=0.02)
    drawn = frame.views["fit"].lines["network"]
    true = np.sin(2 * np.pi * drawn[:, 0] / 3)
    assert np.abs(drawn[:, 1] - true).mean() < 0.1


def test_the_test_samples_are_judged_once_the_run_has_ended_and_not_before():
    spec = NetworkSpec.parse(find("perceptron-digits").spec.to_json())
    session = begin(spec, load("digits?test=0.2"), Settings(epochs=1))
    while not session.finished:
        assert session.tested() is None
        session.advance()
    with torch.no_grad():
        said = session.module.eval()(session.data.test_x).argmax(1)
    right = float((said == session.data.test_y).double().mean())
    assert session.tested().score == pytest.approx(right)
    assert session.summary()["test"] == pytest.approx(right)


@pytest.mark.parametrize("name", ["masks", "copies", "nodes", "clouds", "fit"])
def test_a_panel_is_not_there_for_other_data(name):
    spec = NetworkSpec.parse(find("mlp-2d").spec.to_json())
    session = begin(spec, load("moons"), Settings())
    assert panels.find(name).function(session, {}) is None


def test_a_misfit_of_pictures_is_told_with_what_to_do():
    wide = find("unet-scenes").spec.to_json()
    wide["nodes"][-1]["params"]["out_channels"] = 2
    with pytest.raises(
        ValueError, match=r"at each pixel, \[5, 32, 32\].*set its out_channels to 5"
    ):
        next(train(wide, "scenes"))
    with pytest.raises(ValueError, match=r"U-Net, an FCN or an autoencoder"):
        next(train(find("lenet-digits").spec.to_json(), "ink"))
