"""Attacks on text: exact on a linear model, better than chance on a trained one."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from engine.attack.text import text_attacks
from engine.attack.text.study import study
from engine.attack.text.table import text_fooled, text_loss
from engine.attack.watch import counted, recorded
from engine.data import load
from engine.network.fitting import fitting
from engine.training.run import train

TABLE = text_attacks.all()


class Bag(nn.Module):
    """Scores are linear in the mean of the vectors: the gradient's promise is the truth."""

    def __init__(self):
        super().__init__()
        self.vectors = nn.Embedding(12, 6)
        self.scores = nn.Linear(6, 2)

    def forward(self, x):
        return self.scores(self.vectors(x).mean(1))


@pytest.fixture(scope="module")
def bag():
    torch.manual_seed(0)
    return Bag().eval()


@pytest.fixture(scope="module")
def texts(bag):
    x = torch.randint(12, (20, 7), generator=torch.Generator().manual_seed(1))
    return x, bag(x).argmax(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small recurrent network trained on the film reviews."""
    place = tmp_path_factory.mktemp("run")
    data = load("reviews")
    spec = fitting(data.shape, 2, vocabulary=len(data.vocabulary))
    for _ in train(spec, "reviews", folder=place, epochs=3):
        pass
    return place


@pytest.mark.parametrize("name", TABLE)
def test_no_more_tokens_change_than_allowed_and_the_network_is_left_alone(name, bag, texts):
    x, y = texts
    before = {key: value.clone() for key, value in bag.state_dict().items()}
    for flips in (0, 1, 3):
        found = TABLE[name](bag, x, y, flips=flips, allowed=range(1, 12), protected=[3])
        assert int((found != x).sum(1).max()) <= flips
        assert bool((found[x == 3] == 3).all())  # protected tokens stay
        assert bool((found[found != x] != 3).all())
        assert bool((found[found != x] >= 1).all())
        again = TABLE[name](bag, x, y, flips=flips, allowed=range(1, 12), protected=[3])
        assert torch.equal(found, again)
    assert all(torch.equal(value, before[key]) for key, value in bag.state_dict().items())


def test_on_a_linear_model_the_first_promise_is_the_best_of_all_exchanges(bag, texts):
    x, y = texts
    found = TABLE["hotflip"](bag, x, y, flips=1, candidates=1)
    best = torch.full((len(x),), -torch.inf)
    with torch.no_grad():
        for place in range(7):
            for token in range(12):
                other = x.clone()
                other[:, place] = token
                best = torch.maximum(best, text_loss(bag, other, y))
        assert torch.allclose(text_loss(bag, found, y), best, atol=1e-5)


def test_gradients_find_what_trying_everything_finds_for_fewer_questions(bag, texts):
    x, y = texts
    with counted(bag) as cheap:
        quick = TABLE["hotflip"](bag, x, y, flips=3, candidates=1)
    with counted(bag) as dear:
        slow = TABLE["greedy"](bag, x, y, flips=3)
    assert torch.equal(text_fooled(bag, quick, y), text_fooled(bag, slow, y))
    assert cheap.forwards < dear.forwards / 10
    assert dear.backwards == 0


def test_a_trained_reader_is_flipped_by_words_and_beats_chance(folder):
    from engine.models.kept import load as open_run

    kept, data = open_run(folder), load("reviews")
    x, y = data.valid_x[:60], data.valid_y[:60]
    assert float((~text_fooled(kept.module, x, y)).float().mean()) > 0.9
    part = {
        name: float(text_fooled(kept.module, entry(kept.module, x, y, flips=1), y).float().mean())
        for name, entry in TABLE.items()
    }
    assert part["hotflip"] > part["chance"] + 0.3
    assert part["greedy"] >= part["hotflip"]
    aimed = TABLE["hotflip"](kept.module, x, 1 - y, flips=2, targeted=True)
    assert float(text_fooled(kept.module, aimed, 1 - y, targeted=True).float().mean()) > 0.5


def test_the_last_place_of_a_character_model_is_what_counts():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 9)).eval()  # answers place by place
    x = torch.randint(9, (5, 6), generator=torch.Generator().manual_seed(0))
    y = model(x)[:, -1].argmax(1)
    with recorded(model) as path:
        found = TABLE["hotflip"](model, x, y, flips=4)
    assert torch.equal(path[0].x, x)
    assert torch.equal(found[:, :-1], x[:, :-1])  # only the last token can matter here
    assert bool(text_fooled(model, found, y).all())


def test_the_page_shows_words_before_and_after(folder):
    run = study(str(folder))
    frame = next(run)
    assert frame.waits
    assert frame.facts["flipped"] == 1
    before, after = (frame.views[slot].tokens for slot in ("before", "after"))
    changed = [a != b for a, b in zip(before, after, strict=True)]
    assert sum(changed) == frame.facts["tokens exchanged"]
    assert frame.views["after"].weights.tolist() == changed
    assert "·" not in [b for a, b in zip(before, after, strict=True) if a != b]
    own = run.send({"text": "the film was good"})
    assert own.views["before"].tokens[:4] == ("the", "film", "was", "good")
    unknown = run.send({"text": "the fim was good"})
    assert "did you mean 'film'" in unknown.views["notes"].text
    back = run.send({"text": "", "flips": 0})
    assert back.facts["tokens exchanged"] == 0


def test_the_command_reads_tokens(folder, tmp_path, capsys):
    from engine.__main__ import main

    x = load("reviews").valid_x[:3].numpy()
    np.save(tmp_path / "x.npy", x)
    words = ["attack", str(folder / "spec.json"), "--input", str(tmp_path / "x.npy"), "--json"]
    words += ["--weights", str(folder / "weights.safetensors"), "-o", str(tmp_path / "out.npz")]
    assert main([*words, "--method", "hotflip", "flips=1"]) == 0
    told = json.loads(capsys.readouterr().out)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as arrays:
        assert ((arrays["adversarial"] != x).sum(1) == told["flips"]).all()
    assert main([*words, "--method", "pgd"]) == 2
    assert "does not fit a network that reads tokens" in capsys.readouterr().err
