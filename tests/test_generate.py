"""What all generative models share: what they learn, how they are trained, kept and taken home."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine.__main__ import main
from engine.data.sets.factors import COUNTS, known_factors
from engine.generate import kept
from engine.generate.families import families
from engine.generate.learn import fitting, train
from engine.generate.learner import Learner
from engine.generate.source import open_source
from engine.generate.takings import take_home, takings
from engine.generate.targets import targets

INK = tuple(float(n) for n in np.random.default_rng(0).uniform(0, 1, 28 * 28).round(2))


def _source(name, ink=INK):
    return open_source(name, ink)


@pytest.mark.parametrize("name", targets.all())
def test_a_density_integrates_to_one_and_its_samples_follow_it(name):
    target = _source(name).target
    left, right, bottom, top = target.extent
    fine = 300
    x, y = torch.linspace(left, right, fine), torch.linspace(bottom, top, fine)
    points = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    density = torch.cat([target.log_density(row).exp() for row in points]).reshape(fine, fine)
    cell = (x[1] - x[0]) * (y[1] - y[0])
    assert float(density.sum() * cell) == pytest.approx(1, abs=0.02)
    # the part of the samples in each quarter of the plane is the part of the density there
    samples, _ = target.draw(20_000, torch.Generator().manual_seed(0))
    for right_half in (False, True):
        for upper in (False, True):
            share = ((samples[:, 0] > 0) == right_half) & ((samples[:, 1] > 0) == upper)
            mass = density[(points[..., 0] > 0).eq(right_half) & (points[..., 1] > 0).eq(upper)]
            assert float(share.float().mean()) == pytest.approx(float(mass.sum() * cell), abs=0.02)


def test_a_mixture_has_the_entropy_of_its_parts():
    # parts 20 standard deviations apart: log of their number plus a Gaussian's own entropy
    source = _source("grid?spread=0.05")
    held = source.target.log_density(source.held)
    assert float(-held.mean()) == pytest.approx(
        math.log(9) + 1 + math.log(2 * math.pi * 0.05**2), abs=0.05
    )


def test_what_is_drawn_is_learnt_from_and_no_ink_is_told():
    ink = [0.0] * 784
    ink[28 * 3 + 5] = 1.0  # fourth row from the top, sixth column
    points = _source("drawn", ink).x
    assert points[:, 0].min() >= -3 + 5 * 6 / 28 - 1e-5
    assert points[:, 0].max() <= -3 + 6 * 6 / 28 + 1e-5
    assert points[:, 1].max() <= 3 - 3 * 6 / 28 + 1e-5
    with pytest.raises(ValueError, match="with some ink"):
        _source("drawn", [0.0] * 784)


def test_images_come_between_minus_one_and_one_with_their_classes():
    source = _source("digits")
    assert source.outline.shape == (1, 8, 8)
    assert (float(source.x.min()), float(source.x.max())) == (-1, 1)
    assert len(source.labels) == len(source.x)


def test_data_that_cannot_be_learnt_are_refused_in_words():
    with pytest.raises(ValueError, match="neither images nor points"):
        _source("iris")
    with pytest.raises(LookupError, match="ring"):
        _source("rinng" if "rinng" in targets.all() else "nothing at all, ring?")


def test_every_combination_of_the_factors_is_there_once():
    images, values = known_factors()
    assert len(images) == math.prod(COUNTS) == len({tuple(one) for one in values.tolist()})
    assert images.min() == 0
    assert images.max() == 1
    # moving a shape by one column moves its middle by the same length everywhere
    columns = np.arange(images.shape[-1])
    ink = images[:, 0].sum(axis=(1, 2))
    middle = (images[:, 0].sum(axis=1) * columns).sum(axis=1) / ink
    means = [middle[values[:, 1] == n].mean() for n in range(COUNTS[1])]
    assert np.diff(means) == pytest.approx(16 * 0.4 / (COUNTS[1] - 1), rel=0.02)


def _learner(steps=30, name="gan", data="ring"):
    source = _source(data)
    return Learner(source, fitting(name, source, {}, {}), steps, 32, 1e-3, seed=3)


def _weights(learner):
    return torch.cat([p.detach().flatten() for p in learner.model.parameters()])


def test_the_same_seed_learns_the_same_and_leaves_the_callers_noise_alone():
    before = torch.get_rng_state()
    first, second = _learner(), _learner()
    for learner in (first, second):
        while not learner.finished:
            learner.advance()
    assert torch.equal(_weights(first), _weights(second))
    assert torch.equal(before, torch.get_rng_state())


def test_a_run_that_is_resumed_ends_where_it_would_have_ended(tmp_path):
    whole, half = _learner(), _learner()
    for _ in range(30):
        whole.advance()
    for _ in range(12):
        half.advance()
    half.save(tmp_path)
    again = _learner()
    assert again.restore(tmp_path)
    while not again.finished:
        again.advance()
    assert torch.equal(_weights(whole), _weights(again))
    assert again.history.steps[-1] == 30


def test_the_rate_can_be_turned_while_it_learns_and_leaves_a_mark():
    run = train("gan", "ring", steps=50, panels="losses")
    next(run)
    run.send({"learning_rate": 0.01})
    *_, last = run
    curve = last().views["losses"]
    assert any("0.01" in words for words in curve.marks)


def test_the_target_can_be_drawn_anew_while_it_is_learnt():
    run = train("gan", "drawn", steps=50, panels="samples,losses")
    next(run)
    dot = [0.0] * 784
    dot[28 * 14 + 14] = 1.0
    run.send({"drawing": dot})
    *_, last = run
    views = last().views
    true = views["samples"].xy[views["samples"].labels == 0]
    assert np.ptp(true, axis=0).max() <= 6 / 28 + 1e-5
    assert any("drawn anew" in words for words in views["losses"].marks)


def test_a_kept_model_samples_as_the_one_that_was_kept(tmp_path):
    learner = _learner()
    learner.advance()
    learner.save(tmp_path)
    opened, recipe = kept.open_kept(tmp_path)
    learner.model.eval()
    draws = [torch.Generator().manual_seed(1) for _ in range(2)]
    assert torch.equal(learner.model.sample(5, draws[0]), opened.sample(5, draws[1]))
    assert recipe.step == 1
    assert kept.kept_recipe(str(tmp_path))["kind"] == "adversarial"


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"generative": "not json"},
        {"generative": json.dumps({"family": "gan"})},
        {
            "generative": json.dumps(
                {
                    "family": "gan",
                    "data": "ring",
                    "outline": {"shape": [3, 10**6, 10**6], "classes": [], "extent": [0, 1, 0, 1]},
                }
            )
        },
    ],
)
def test_a_file_that_is_no_model_is_told_in_words_and_takes_no_memory(tmp_path, header):
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(3)}, path, header)
    with pytest.raises(ValueError, match=r"is no file of a generative model"):
        kept.open_kept(path)


def test_a_file_that_is_brought_in_is_kept_and_a_broken_one_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    learner = _learner()
    learner.advance()
    learner.save(tmp_path)
    id = kept.adopt((tmp_path / kept.FILE).read_bytes())
    assert kept.open_kept(tmp_path / "home" / "runs" / id)[1].family == "gan"
    with pytest.raises(ValueError, match="cannot be opened"):
        kept.adopt(b"nothing of the kind")
    assert len(list((tmp_path / "home" / "runs").iterdir())) == 1


def test_a_network_of_ones_own_stands_for_a_part_and_a_misfit_is_told():
    def spec(gives):
        return {
            "version": 1,
            "nodes": [
                {"id": "code", "type": "Input", "params": {"shape": [2]}},
                {"id": "point", "type": "Linear", "params": {"out_features": gives}},
            ],
            "edges": [["code", "point"]],
            "outputs": ["point"],
        }

    source = _source("ring")
    model = fitting("gan", source, {}, {"generator": spec(2)}).build()
    assert model.generator.get_submodule("point").out_features == 2
    with pytest.raises(ValueError, match=r"must give \[2\].*gives \[5\]"):
        fitting("gan", source, {}, {"generator": spec(5)}).build()
    with pytest.raises(ValueError, match="has no part 'painter'"):
        fitting("gan", source, {}, {"painter": spec(2)})


def test_the_code_taken_home_runs_alone_and_gives_the_same_samples(tmp_path):
    learner = _learner()
    learner.advance()
    learner.save(tmp_path)
    made = take_home(str(tmp_path), "code")["content"]
    alone = tmp_path / "alone"
    with zipfile.ZipFile(io.BytesIO(made)) as folder:
        folder.extractall(alone)
    subprocess.run(
        [sys.executable, "sample.py", "--count", "4", "--seed", "7"],
        cwd=alone,
        check=True,
        capture_output=True,
        env={"PATH": "", "OMP_NUM_THREADS": "1"},
    )
    with np.load(alone / "samples.npz", allow_pickle=False) as found:
        model, recipe = kept.open_kept(tmp_path)
        here, _ = kept.draw_samples(model, recipe, 4, 7)
        assert found["samples"] == pytest.approx(here.numpy(), abs=1e-6)


def test_pictures_taken_home_can_be_opened(tmp_path):
    learner = _learner()
    learner.advance()
    learner.save(tmp_path)
    for name in takings.all():
        if takings.find(name).facts["media"].startswith("image/"):
            content = take_home(str(tmp_path), name)["content"]
            image = Image.open(io.BytesIO(content))
            assert min(image.size) >= 200
            assert getattr(image, "n_frames", 1) > 1 or name != "gif"


def test_the_command_line_trains_and_samples(tmp_path, capsys):
    path = tmp_path / "ring.safetensors"
    words = ["generate", "gan", "steps=50", "width=16", "--data", "ring", "--json", "-o", str(path)]
    assert main(words) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["step"] == 50
    out = tmp_path / "samples.npz"
    assert main(["sample", str(path), "--count", "8", "--seed", "2", "-o", str(out)]) == 0
    with np.load(out, allow_pickle=False) as found:
        assert found["samples"].shape == (8, 2)
    assert main(["sample", str(path), "--count", "0"]) == 2
    assert main(["generate", "gann", "--data", "ring"]) == 2
    assert "did you mean 'gan'" in capsys.readouterr().err


READY = kept.ready_models()


@pytest.mark.parametrize("name", READY)
def test_a_ready_model_is_small_and_as_good_as_it_says(name):
    path = kept.ZOO / f"{name}.safetensors"
    assert path.stat().st_size <= 4_000_000
    model, recipe = kept.open_kept(name)
    samples, _ = kept.draw_samples(model, recipe, 16)
    assert samples.shape == (16, *recipe.outline.shape)
    assert bool(samples.isfinite().all())
    assert recipe.training["steps"] == recipe.step
    assert families.find(recipe.family).form.fill(recipe.own)
