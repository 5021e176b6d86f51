"""Writing on with a model: filters against hand and transformers, beams, and the cache."""

import itertools
import json
import math

import numpy as np
import pytest
import torch

from engine.__main__ import main
from engine.generate.beam import search
from engine.generate.cache import Cache, misfit
from engine.generate.filters import Rule, min_p, repetition, stages, temperature, top_k, top_p
from engine.generate.study import study
from engine.generate.write import write
from engine.generate.writer import Writer, longest, refusal, window, writer
from engine.models.kept import load
from engine.network.build import build
from engine.network.templates import spec_of
from engine.training.run import train

V = 12
SOFT = torch.log(torch.tensor([0.5, 0.25, 0.15, 0.07, 0.03]))


def kept(scores):
    return [index for index, score in enumerate(scores.tolist()) if score > -math.inf]


def test_the_filters_keep_what_one_counts_by_hand():
    assert kept(top_k(SOFT, 2)) == [0, 1]
    assert kept(top_p(SOFT, 0.5)) == [0]
    assert kept(top_p(SOFT, 0.76)) == [0, 1, 2]
    assert kept(top_p(SOFT, 0.0)) == [0]
    assert kept(min_p(SOFT, 0.2)) == [0, 1, 2]  # 0.2 * 0.5 = 0.1
    assert kept(temperature(SOFT, 0.0)) == [0]
    hot = temperature(SOFT, 2.0).softmax(0)
    roots = torch.tensor([0.5, 0.25, 0.15, 0.07, 0.03]).sqrt()
    torch.testing.assert_close(hot, roots / roots.sum())
    torch.testing.assert_close(
        repetition(torch.tensor([2.0, -2.0, 1.0]), [0, 1, 1], 2.0), torch.tensor([1.0, -4.0, 1.0])
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_filters_agree_with_transformers(seed):
    transformers = pytest.importorskip("transformers", reason="an extra of the tests")
    scores = 3 * torch.randn(1, 40, generator=torch.Generator().manual_seed(seed))
    seen = [3, 5, 5, 17]
    theirs = scores
    for made in (
        transformers.RepetitionPenaltyLogitsProcessor(1.3),
        transformers.TemperatureLogitsWarper(0.8),
        transformers.TopKLogitsWarper(20),
        transformers.TopPLogitsWarper(0.9),
        transformers.MinPLogitsWarper(0.05),
    ):
        theirs = made(torch.tensor([seen]), theirs)
    ours = stages(scores[0], seen, Rule(0.8, 20, 0.9, 0.05, 1.3))[-1].scores
    torch.testing.assert_close(ours, theirs[0])


def test_each_filter_only_cuts_and_the_chances_of_the_rest_add_up():
    scores = torch.randn(50, generator=torch.Generator().manual_seed(1))
    found = stages(scores, [1, 2], Rule(0.7, 30, 0.8, 0.1, 1.2))
    assert [stage.name for stage in found] == [
        "model",
        "repetition",
        "temperature",
        "top-k",
        "top-p",
        "min-p",
    ]
    for before, after in itertools.pairwise(found):
        assert set(kept(after.scores)) <= set(kept(before.scores))
        assert float(after.chances.sum()) == pytest.approx(1, abs=1e-5)


def test_a_rule_that_changes_nothing_leaves_what_the_model_says():
    (only,) = stages(SOFT, [], Rule())
    assert only.scores is SOFT


def chain_of(*layers, length=16):
    nodes = [
        {
            "id": "text",
            "type": "Input",
            "params": {"shape": [length], "dtype": "token", "vocabulary": V},
        },
        {
            "id": "vectors",
            "type": "Embedding",
            "params": {"num_embeddings": V, "embedding_dim": 16},
        },
        *({"id": f"l{i}", "type": kind, "params": p} for i, (kind, p) in enumerate(layers)),
        {"id": "scores", "type": "Linear", "params": {"out_features": V}},
    ]
    ids = [node["id"] for node in nodes]
    edges = [list(pair) for pair in itertools.pairwise(ids)]
    torch.manual_seed(0)
    return build({"nodes": nodes, "edges": edges, "outputs": ["scores"]}).eval()


KEEPING = {
    "attention": [("LearnedPositions", {}), ("SelfAttention", {"heads": 2})],
    "rotary": [("SelfAttention", {"heads": 2, "positions": "rotary", "groups": 1})],
    "alibi": [("SinusoidalPositions", {}), ("SelfAttention", {"heads": 4, "positions": "alibi"})],
    "turned": [("RotaryPositions", {"heads": 2}), ("SelfAttention", {"heads": 2})],
    "torch's": [("MultiheadAttention", {"num_heads": 2, "causal": True})],
    "encoder": [("TransformerEncoderLayer", {"nhead": 2, "dim_feedforward": 8, "causal": True})],
    "encoder, norm first": [
        (
            "TransformerEncoderLayer",
            {"nhead": 2, "dim_feedforward": 8, "causal": True, "norm_first": True},
        )
    ],
    "rnn": [("RNN", {"hidden_size": 16})],
    "gru": [("GRU", {"hidden_size": 16, "num_layers": 2})],
    "lstm": [("LSTM", {"hidden_size": 16}), ("LayerNorm", {}), ("GELU", {})],
    "s4d": [("S4D", {"states": 8})],
    "mamba": [("Mamba", {"states": 4})],
}


@pytest.mark.parametrize("name", KEEPING)
def test_a_network_that_keeps_gives_what_it_gives_without(name):
    network = chain_of(*KEEPING[name])
    text = torch.randint(V, (1, 13), generator=torch.Generator().manual_seed(2))
    cache = Cache(network)
    with torch.inference_mode():
        pieces = [cache.read(text[:, :5])]
        pieces += [cache.read(text[:, place : place + 1]) for place in range(5, 13)]
        torch.testing.assert_close(torch.cat(pieces, 1), network(text), atol=2e-5, rtol=1e-4)
    assert cache.length == 13


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (("SelfAttention", {"heads": 2, "causal": False}), "not causal"),
        (("GRU", {"hidden_size": 16, "bidirectional": True}), "bidirectional GRU"),
        (("Retention", {"heads": 2}), "Retention reads all places anew"),
    ],
)
def test_a_network_that_cannot_keep_says_why_and_writes_all_the_same(layer, why):
    network = chain_of(layer)
    assert why in misfit(network, torch.zeros(1, 4, dtype=torch.int64))
    someone = Writer(network, longest=None)
    torch.testing.assert_close(
        someone.scores([1, 2, 3]), network(torch.tensor([[1, 2, 3]]))[0, -1].detach()
    )
    assert why in someone.why


@pytest.mark.parametrize("name", ["attention", "rotary", "lstm"])
def test_a_long_text_is_the_same_with_the_cache_past_the_end_of_what_fits(name):
    network = chain_of(*KEEPING[name], length=16)
    reach = 16
    texts = []
    for cached in (True, False):
        someone, text = Writer(network, longest=reach, cached=cached), [1, 2, 3]
        for _ in range(40):
            text.append(int(someone.scores(text).argmax()))
        texts.append(text)
        assert (someone.cache is not None) == cached
    assert texts[0] == texts[1]


def test_the_cache_of_attention_grows_and_a_state_does_not():
    for name, grows in (("attention", True), ("mamba", False)):
        cache = Cache(chain_of(*KEEPING[name]))
        with torch.inference_mode():
            cache.read(torch.tensor([[1, 2, 3]]))
            before = cache.numbers
            cache.read(torch.tensor([[4]]))
        assert (cache.numbers > before) == grows
    assert before == 32 * 4 + 3 * 32  # the state, and three inputs of the convolution


def test_with_a_cache_every_token_is_read_once():
    someone = Writer(chain_of(*KEEPING["attention"]), longest=16)
    for length in range(3, 13):
        someone.scores(list(range(length)))
    assert someone.read == 12
    without = Writer(chain_of(*KEEPING["attention"]), longest=16, cached=False)
    for length in range(3, 13):
        without.scores(list(range(length)))
    assert without.read == sum(range(3, 13))


def test_the_window_never_holds_more_than_fits_and_moves_in_jumps():
    starts = [window(length, 8) for length in range(1, 40)]
    assert all(length - start <= 8 for length, start in enumerate(starts, 1))
    assert all(length - start >= 4 for length, start in enumerate(starts, 1) if length > 8)
    assert set(starts) == {4 * n for n in range(9)}
    assert window(1000, None) == 0


def test_how_far_a_network_looks_back():
    assert longest(chain_of(*KEEPING["attention"]), 16) == 16
    assert longest(chain_of(*KEEPING["rotary"]), 64) == 64
    assert longest(chain_of(*KEEPING["lstm"]), 16) is None


def test_a_beam_as_wide_as_all_texts_finds_the_likeliest():
    network = chain_of(*KEEPING["gru"])
    someone = Writer(network, longest=None)
    *_, last = search(someone.all_scores, [1, 2], width=V**3, count=3)
    assert len(last) == V**3
    every = torch.cartesian_prod(*[torch.arange(V)] * 3)
    text = torch.cat([torch.tensor([[1, 2]]).expand(len(every), -1), every], 1)
    with torch.inference_mode():
        logs = network(text)[:, 1:-1].log_softmax(-1).gather(2, every[..., None]).sum((1, 2))
    assert last[0].tokens == tuple(every[logs.argmax()].tolist())
    assert last[0].score == pytest.approx(float(logs.max()), abs=1e-4)
    assert sum(math.exp(beam.score) for beam in last) == pytest.approx(1, abs=1e-3)


def test_a_beam_of_one_is_greedy():
    someone = Writer(chain_of(*KEEPING["rotary"]), longest=16)
    *_, last = search(someone.all_scores, [3], width=1, count=10)
    text = [3]
    for _ in range(10):
        text.append(int(someone.scores(text).argmax()))
    assert list(last[0].tokens) == text[1:]


def test_a_beam_that_ended_keeps_its_chance():
    def scores(texts):
        return torch.log(torch.tensor([[0.6, 0.3, 0.1]])).expand(len(texts), -1)

    found = list(search(scores, [1], width=2, count=3, end=0))
    assert found[-1][0].tokens == (0,)
    assert found[-1][0].score == pytest.approx(math.log(0.6))


def train_briefly(folder, template, data, **settings):
    usual = {"learning_rate": 0.005, "batch_size": 32, "epochs": 1}
    for _ in train(spec_of(template), data, folder=folder, **{**usual, **settings}):
        pass
    return folder


@pytest.fixture(scope="module")
def storyteller(tmp_path_factory):
    """A small GPT after a few steps on the stories."""
    folder = tmp_path_factory.mktemp("gpt")
    return train_briefly(folder, "gpt-small", "stories?characters=12000")


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """A small translator, trained until it is right."""
    folder = tmp_path_factory.mktemp("pair")
    return train_briefly(folder, "seq2seq-luong-small", "translation", epochs=3)


def last(run):
    return next(frame for frame in run if frame.waits)


def test_temperature_0_is_greedy_whatever_the_seed(storyteller):
    someone, text = writer(load(storyteller)), [5, 6, 7]
    for _ in range(70):  # past the end of what fits
        text.append(int(someone.scores(text).argmax()))
    for seed in (0, 1):
        made = write(writer(load(storyteller)), [5, 6, 7], Rule(temperature=0), count=70, seed=seed)
        assert [5, 6, 7, *(one.token for one in made)] == text


def test_a_seed_fixes_what_is_drawn_with_and_without_the_cache(storyteller):
    def told(seed, cached):
        someone = writer(load(storyteller), cached=cached)
        return [one.token for one in write(someone, [1], Rule(), count=80, seed=seed)]

    assert told(0, True) == told(0, False)
    assert told(0, True) != told(1, True)


def test_tokens_are_drawn_as_often_as_their_odds_say(storyteller):
    someone = writer(load(storyteller))
    rule = Rule(temperature=1.3, top_k=6)
    drawn = [next(write(someone, [4, 9], rule, count=1, seed=s)).token for s in range(600)]
    chances = next(write(someone, [4, 9], rule, count=1)).stages[-1].chances
    for token in range(31):
        assert drawn.count(token) / 600 == pytest.approx(float(chances[token]), abs=0.07)


def test_the_page_writes_and_shows_what_each_filter_cut(storyteller):
    run = study(str(storyteller), prompt="the old ", count=20, top_k=5, min_p=0.05)
    frame = last(run)
    assert frame.step == 20
    assert "the old " in frame.views["read"].text
    assert [row[0] for row in frame.views["cuts"].rows] == [
        "temperature",
        "top-k",
        "top-p",
        "min-p",
    ]
    assert frame.views["cuts"].rows[1][1:3] == (26.0, 5)
    assert frame.views["cache"].values.shape[1] == 28
    assert frame.facts["candidates left"] <= 5
    picked = run.send({"place": 10})  # the third token that was written
    assert picked.waits
    drawn = picked.views["text"].tokens[10].replace(" ", "␣")
    assert any(row[0] == f"{drawn} ←" for row in picked.views["filters"].rows)
    run.send({"way": "beam search", "beams": 3})
    beams = last(run).views["beams"].rows
    assert len(beams) == 3
    assert [row[2] for row in beams] == sorted((row[2] for row in beams), reverse=True)


def test_the_page_tells_of_characters_the_model_does_not_know(storyteller):
    frame = last(study(str(storyteller), prompt="Once 7"))
    assert "characters 'O', '7'" in frame.views["note"].text


def test_a_translator_writes_with_its_source_read_once(translator):
    frame = last(study(str(translator), source="the white horse wants a blue house"))
    assert "le cheval blanc veut une maison bleue\n⟩" in frame.views["read"].text
    assert "note" not in frame.views


def test_a_model_that_answers_something_else_is_refused_with_the_reason(tmp_path):
    folder = tmp_path / "parity"
    spec = chain_of(("GRU", {"hidden_size": 4}), length=20).spec.to_json()
    spec["nodes"][-1]["params"]["out_features"] = 2
    for _ in train(spec, "parity?size=200", folder=folder, epochs=1):
        pass
    assert "answers with even, odd" in refusal(load(folder))
    assert "answers with even, odd" in last(study(str(folder))).views["note"].text


def test_the_command_line_writes_text_and_arrays(storyteller, translator, tmp_path, capsys):
    out = tmp_path / "out.npz"
    spec, weights = storyteller / "spec.json", storyteller / "weights.safetensors"
    common = ["sample", str(spec), "--weights", str(weights)]
    words = ["--prompt", "the owl ", "count=30", "temperature=0"]
    assert main([*common, *words, "--json", "-o", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["text"].startswith("the owl ")
    assert told["places_read"] == 8 + 29
    with np.load(out, allow_pickle=False) as found:
        assert found["tokens"].shape == (30,)
        assert found["odds"].shape == (30, 31)
        assert found["tokens"].tolist() == found["odds"].argmax(1).tolist()
    assert main([*common, *words, "--no-cache", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tokens"] == told["tokens"]
    pair = ["sample", str(translator / "spec.json"), "--weights"]
    pair += [str(translator / "weights.safetensors"), "--source", "a dog sees the green car"]
    for way in ("draw", "beam search"):
        assert main([*pair, "temperature=0", f"way={way}"]) == 0
        assert "un chien voit la voiture verte ⟩" in capsys.readouterr().out
    for wrong, reason in (
        (["--prompt", "The"], "does not know the character 'T'"),
        (["--prompt", ""], "is empty"),
        (["--prompt", "a", "temperature=-1"], "must lie in"),
        (["--prompt", "a", "--data", "storys"], "did you mean 'stories'"),
    ):
        assert main([*common, *wrong]) == 2
        said = capsys.readouterr().err
        assert reason in said
        assert len(said.splitlines()) == 1
    assert main(["sample", "--list", "--json"]) == 0
    assert "top_p" in {one["name"] for one in json.loads(capsys.readouterr().out)}
