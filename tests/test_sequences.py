"""Sequences as data, and training with an answer for every place."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.data import load, own_text
from engine.data.about import about
from engine.data.dataset import IGNORED
from engine.data.sets import text, words
from engine.data.tokens import decode, encode
from engine.memory import alignment, cells, follows, spaces, state_space, translating, watch
from engine.memory import study as gates
from engine.models.kept import load as load_kept
from engine.network.build import build
from engine.network.fitting import fitting
from engine.network.modules.state_space import S4D, Mamba
from engine.network.spec import NetworkSpec
from engine.network.templates import spec_of
from engine.training.door import refuse_misfit
from engine.training.run import train
from engine.training.session import Session, Settings

TEXTS = ["stories", "copy", "reverse", "induction", "addition", "parity", "translation"]


def fitted(name):
    told = about(name)
    return fitting(
        told["shape"],
        told["outputs"],
        vocabulary=len(told["vocabulary"]),
        per_place=told["per_place"],
        parts=told["parts"],
    )


def session(name, **changes):
    usual = {
        "learning_rate": 0.003,
        "batch_size": 32,
        "epochs": 1,
        "optimizer": "Adam",
        "weight_decay": 0.0,
        "momentum": 0.9,
        "seed": 0,
    }
    torch.manual_seed(0)
    return Session(build(fitted(name)), load(name), Settings(**{**usual, **changes}))


def trained(name, **settings):
    *_, last = train(fitted(name), name, **settings)
    return last()


def test_the_next_character_is_the_answer_at_each_place_of_a_text():
    data = load("stories?length=32")
    assert torch.equal(data.train_x[:, 1:], data.train_y[:, :-1])
    assert data.valid_x.shape[1] == 32
    assert data.per_place


def test_windows_of_training_and_validation_share_no_character_of_the_text():
    letters = tuple(map(chr, range(0x4E00, 0x4E00 + 101)))  # every place has its own
    data = text.windows("t", "".join(letters), letters, 10, 0, "note")
    seen = torch.cat([data.train_x.flatten(), data.valid_x.flatten()])
    assert sorted(seen.tolist()) == list(range(100))


def test_copy_and_reverse_judge_only_what_follows_the_bar():
    for name, turn in (("copy", 1), ("reverse", -1)):
        data = load(f"{name}?symbols=5&size=200")
        x, y = data.train_x, data.train_y
        assert bool((y[:, :5] == IGNORED).all())
        assert torch.equal(y[:, 5:], x[:, :5] if turn == 1 else x[:, :5].flip(1))


def test_every_judged_place_of_an_induction_follows_from_the_place_one_period_before():
    data = load("induction?size=400")
    periods = set()
    for x, y in zip(data.train_x.tolist(), data.train_y.tolist(), strict=True):
        period = x[1:].index(x[0]) + 1
        periods.add(period)
        judged = [place for place, answer in enumerate(y) if answer != IGNORED]
        assert judged == list(range(16, 32))
        assert all(y[place] == x[place + 1 - period] for place in judged)
        assert len(set(x[:period])) == period
    assert periods == set(range(6, 16))


def test_sums_are_right_digit_by_digit():
    data = load("addition?digits=2&size=300")
    for x, y in zip(data.train_x.tolist(), data.train_y.tolist(), strict=True):
        written = decode(x, data.vocabulary) + str(y[-1])
        one, other, total = (int(part[::-1]) for part in written.replace("=", "+").split("+"))
        assert one + other == total
        assert y[:5] == [IGNORED] * 5


def test_the_stories_have_all_the_sentences_of_their_grammar():
    said = len(text.CALLS) * len(text.ANIMALS)
    told = 2 * len(text.MANNERS) * len(text.ANIMALS) * len(text.DEEDS) * len(text.PLACES)
    random = np.random.default_rng(0)
    drawn = [text.sentence(random) for _ in range(40_000)]
    speech = [one for one in drawn if one.startswith('"')]
    assert len(set(speech)) == said
    assert len(set(drawn) - set(speech)) == pytest.approx(told, rel=0.01)
    assert len(speech) / len(drawn) == pytest.approx(text.SPEECH, abs=0.01)


def test_reviews_are_judged_by_their_last_clause_with_not_turned_round():
    data = load("reviews?size=400")
    for x, y in zip(data.train_x.tolist(), data.train_y.tolist(), strict=True):
        clause = decode(x, data.vocabulary).replace("·", "").split("but")[-1].split()
        good = clause[-1] in words.GOOD
        assert (good != ("not" in clause)) == bool(y)


def test_a_translation_agrees_in_gender_and_puts_the_colour_last():
    random = np.random.default_rng(3)
    feminine = {french for french, gender in words.NOUNS.values() if gender}
    for _ in range(200):
        english, french = words.pair(random)
        for article, noun in itertools.pairwise(french):
            if noun in {name for name, _ in words.NOUNS.values()}:
                assert (article in ("une", "la")) == (noun in feminine)
        assert len(english) == len(french)


def test_the_loss_of_places_is_the_mean_over_those_that_are_judged():
    one = session("copy?symbols=4&size=400")
    scores = torch.randn(3, 8, 9)
    y = load("copy?symbols=4&size=400").train_y[:3]
    by_hand = [
        -functional.log_softmax(scores[n, place], 0)[y[n, place]].item()
        for n in range(3)
        for place in range(8)
        if y[n, place] >= 0
    ]
    assert one.objective.loss(scores, y).item() == pytest.approx(np.mean(by_hand), rel=1e-6)
    hits = [
        int(scores[n, p].argmax() == y[n, p]) for n in range(3) for p in range(8) if y[n, p] >= 0
    ]
    assert one.objective.score(scores, y).item() == pytest.approx(np.mean(hits))


def test_perplexity_and_bits_say_the_same_as_the_loss():
    last = trained("parity?size=400", epochs=1)
    loss = last.views["loss"].lines["validation"][-1]
    assert last.facts["perplexity"] == pytest.approx(math.exp(loss), rel=1e-5)
    assert last.facts["validation loss [bit/token]"] == pytest.approx(loss / math.log(2), rel=1e-5)


def test_an_untrained_network_wavers_among_about_all_letters():
    one = session("stories?characters=5000")
    one.judged = one.judge(10)
    assert one.perplexity == pytest.approx(31, rel=0.2)


def test_a_recurrent_network_learns_parity_at_every_place():
    assert trained("parity", epochs=5).facts["validation accuracy [%]"] > 99


def test_an_encoder_and_a_decoder_learn_to_translate():
    last = trained("translation", epochs=5, batch_size=32)
    assert last.facts["validation accuracy [%]"] > 97
    assert len(last.views["text"].tokens) == 8


def test_the_confusion_counts_each_judged_place_once():
    one = session("copy?symbols=4&size=400")
    judged = one.judge(50)
    assert int(judged.confusion.sum()) == 50 * 4


def test_a_run_on_text_goes_on_exactly_from_its_checkpoint(tmp_path):
    whole = session("parity?size=300", epochs=2)
    while not whole.finished:
        whole.advance()
    first = session("parity?size=300", epochs=2)
    for _ in range(9):
        first.advance()
    first.save(tmp_path)
    second = session("parity?size=300", epochs=2)
    assert second.restore(tmp_path)
    while not second.finished:
        second.advance()
    for name, tensor in whole.module.state_dict().items():
        assert torch.equal(tensor, second.module.state_dict()[name])


@pytest.mark.parametrize("name", [*TEXTS, "reviews", "sunspots", "co2"])
def test_a_fitting_network_can_learn_every_sequence(name):
    spec = NetworkSpec.parse(fitted(name))
    refuse_misfit(spec, build(spec), load(name))


def node(spec, id):
    return next(one for one in spec["nodes"] if one["id"] == id)


def edited(name, change):
    spec = fitted(name)
    change(spec)
    return spec


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: node(s, "input")["params"].update(shape=[50]), "or ask for stories\\?length=50"),
        (
            lambda s: node(s, "vectors")["params"].update(num_embeddings=10),
            "vectors: has vectors for 10 tokens, but stories has 31",
        ),
        (
            lambda s: node(s, "scores")["params"].update(out_features=7),
            "31 numbers at each of 64 places.*set its out_features to 31",
        ),
        (
            lambda s: s.update(edges=[*s["edges"][:2], ["memory.1", "scores"]]),
            "joins the places",
        ),
    ],
)
def test_a_network_that_does_not_fit_a_text_is_told_what_to_do(change, told):
    spec = NetworkSpec.parse(edited("stories", change))
    with pytest.raises(ValueError, match=told):
        refuse_misfit(spec, build(spec), load("stories"))


def test_a_network_with_one_input_is_told_of_the_pair():
    spec = NetworkSpec.parse(fitted("copy"))
    with pytest.raises(ValueError, match="2 inputs for translation; this one has 1"):
        refuse_misfit(spec, build(spec), load("translation"))


def test_tokens_go_there_and_back_and_what_is_unknown_is_named():
    letters, names = load("stories").vocabulary, load("reviews").vocabulary
    assert decode(encode("the old owl", letters), letters) == "the old owl"
    assert decode(encode("the film was good", names), names) == "the film was good"
    with pytest.raises(ValueError, match=r"characters 'T', '!'; try 't'"):
        encode("The owl!", letters)
    with pytest.raises(ValueError, match="word 'borring'; did you mean 'boring'"):
        encode("the film was borring", names)


def test_ones_own_text_is_kept_read_and_refused_in_words(home):
    verse = ("Où est le chat?\r\nIci.\n" * 60).encode()
    kept = own_text.keep(verse)
    data = load(f"{kept}?length=20")
    assert decode(data.train_x[0].tolist(), data.vocabulary) in "Où est le chat?\nIci.\n" * 3
    assert data.train_x.shape[1] == 20
    for content, told in (
        (b"\xff\xfe" * 600, "UTF-8; byte 0"),
        (b"short", "at least 1,000 characters"),
        (b"\0" * 2000, "zero bytes"),
        (b"a" * 5_000_001, "at most 5,000,000 bytes"),
    ):
        with pytest.raises(ValueError, match=told):
            own_text.keep(content)
    with pytest.raises(LookupError, match="upload it again"):
        load("text:../../etc/passwd")
    with pytest.raises(ValueError, match="length must lie in"):
        load(f"{kept}?length=9999")


def test_rare_characters_share_one_token(home):
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 300))) + "ab" * 800
    data = own_text.made(many.encode(), "many", {})
    assert len(data.vocabulary) == 200
    assert own_text.RARE in data.vocabulary


def test_the_command_line_trains_on_a_text_file(tmp_path, capsys):
    from engine.__main__ import main

    source, spec = tmp_path / "verse.txt", tmp_path / "spec.json"
    source.write_text("abcdefgh" * 300, encoding="utf-8")
    spec.write_text(json.dumps(fitting([16], 8, vocabulary=8, per_place=True)))
    out = tmp_path / "w.safetensors"
    arguments = ["train", str(spec), "--data", str(source), "-o", str(out), "epochs=3", "--json"]
    assert main(arguments) == 0
    assert out.exists()
    assert "perplexity" in capsys.readouterr().out


def test_shakespeare_out_of_reach_says_what_else_there_is(tmp_path, monkeypatch):
    monkeypatch.delenv("PLAYGROUND_DATA", raising=False)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.setattr("engine.data.sets.text.SHAKESPEARE_SOURCES", ("http://127.0.0.1:9/",))
    with pytest.raises(LookupError, match="take the data set stories"):
        load("shakespeare")


def test_a_series_is_judged_by_its_future():
    data = load("co2?length=12")
    later = load("co2?length=12&seed=5")
    assert torch.equal(data.valid_y, later.valid_y)
    joined = torch.cat([data.valid_x[1:, -1, 0] - data.valid_y[:-1, 0]])
    assert float(joined.abs().max()) == 0  # a window ends in the answer of the window before
    assert not torch.equal(data.train_y, later.train_y)


def recurrent_network(kind, **params):
    spec = {
        "nodes": [
            {"id": "text", "type": "Input", "params": {"shape": [9], "dtype": "token"}},
            {
                "id": "vectors",
                "type": "Embedding",
                "params": {"num_embeddings": 7, "embedding_dim": 5},
            },
            {"id": "memory", "type": kind, "params": {"hidden_size": 6, **params}},
            {"id": "scores", "type": "Linear", "params": {"out_features": 7}},
        ],
        "edges": [["text", "vectors"], ["vectors", "memory"], ["memory", "scores"]],
        "outputs": ["scores"],
    }
    torch.manual_seed(3)
    return build(spec).eval()


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize(
    "params",
    [{}, {"num_layers": 2}, {"bidirectional": True, "num_layers": 2}, {"bias": False}],
    ids=["plain", "stacked", "both ways", "no bias"],
)
def test_the_cells_written_out_give_what_torch_gives(kind, params):
    layer = recurrent_network(kind, **params).get_submodule("memory")
    x = torch.randn(1, 9, 5)
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    begin = [torch.randn(1, count, 6) for _ in range(2 if kind == "LSTM" else 1)]
    with torch.no_grad():
        for given in ([], begin):
            ours, found = cells.unroll(layer, x, *given)
            for one, other in zip(ours, layer(x, *given), strict=True):
                torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-6)
    assert len(found) == count
    assert all(values.shape == (9, 6) for one in found for values in one.parts.values())


def test_a_plain_network_with_relu_is_written_out_too():
    layer = recurrent_network("RNN", nonlinearity="relu").get_submodule("memory")
    x = torch.randn(1, 9, 5)
    with torch.no_grad():
        torch.testing.assert_close(cells.unroll(layer, x)[0][0], layer(x)[0], atol=1e-6, rtol=1e-6)


def test_a_network_watched_gives_its_own_answer_and_its_gates_lie_between_0_and_1():
    network = recurrent_network("LSTM", num_layers=2)
    text = torch.randint(7, (1, 9))
    answer, seen = watch.passes(network, [text])
    torch.testing.assert_close(answer, network(text), atol=1e-6, rtol=1e-6)
    gates = [v for one in seen["memory"] for n, v in one.parts.items() if "gate" in n]
    assert len(gates) == 6
    assert all(
        float(gate.detach().min()) >= 0 and float(gate.detach().max()) <= 1 for gate in gates
    )
    assert not network.get_submodule("memory")._forward_hooks


def test_the_gradient_over_time_is_that_of_finite_differences():
    network = recurrent_network("GRU").double()
    layer, x = network.get_submodule("memory"), torch.randn(1, 9, 5).double()
    (outputs, _), (one,) = cells.unroll(layer, x.requires_grad_())
    slopes = watch.fading(outputs[0, 8, 2], one)
    for place in (3, 6):
        state = one.states[place].detach()
        rest = x[:, place + 1 :].detach()
        found = []
        for unit in range(6):
            step = torch.zeros_like(state)
            step[unit] = 1e-5
            up, down = (
                layer(rest, (state + sign * step)[None, None])[0][0, -1, 2] for sign in (1, -1)
            )
            found.append((up - down).item() / 2e-5)
        assert slopes[place] == pytest.approx(float(np.linalg.norm(found)), rel=1e-4)


def test_a_linear_recurrence_fades_by_its_own_factor():
    layer = recurrent_network("RNN", nonlinearity="relu").get_submodule("memory")
    with torch.no_grad():
        layer.weight_hh_l0.copy_(0.5 * torch.eye(6))
        layer.bias_ih_l0.fill_(10.0)  # far on the line of the ReLU: h ← 0.5 h + ...
    (outputs, _), (one,) = cells.unroll(layer, torch.zeros(1, 9, 5))
    slopes = watch.fading(outputs[0, 8].sum(), one)
    assert slopes[:8] == pytest.approx([0.5 ** (8 - n) * 6**0.5 for n in range(8)], rel=1e-5)


@pytest.mark.parametrize("states", [4, 16])
def test_state_spaces_walked_place_by_place_give_what_the_layers_give(states):
    torch.manual_seed(0)
    x = torch.randn(1, 20, 6)
    with torch.no_grad():
        for layer, walked in (
            (S4D(6, states), state_space.s4d),
            (Mamba(6, states), state_space.mamba),
        ):
            walk = walked(layer, x)
            torch.testing.assert_close(walk.output, layer(x), atol=1e-5, rtol=1e-4)
            halves = walked(layer, x[:, :11])
            rest = {"inputs": halves.inputs} if halves.inputs.numel() else {}
            again = walked(layer, x[:, 11:], halves.states[-1], **rest)
            torch.testing.assert_close(again.output, walk.output[:, 11:], atol=1e-5, rtol=1e-4)


def test_what_a_state_space_still_holds_of_each_token_adds_up_to_what_it_says():
    torch.manual_seed(0)
    layer, x = Mamba(4, 3), torch.randn(1, 12, 4)
    with torch.no_grad():
        walk = state_space.mamba(layer, x)
        held = torch.stack([state_space.reach(walk, channel).sum(1) for channel in range(8)], 1)
        said = (walk.states * walk.read).sum(-1)
    torch.testing.assert_close(held, said, atol=1e-5, rtol=1e-4)
    assert bool((state_space.reach(walk, 0).triu(1) == 0).all())


def test_what_s4d_holds_is_its_kernel_shifted():
    torch.manual_seed(0)
    layer, x = S4D(3, 8), torch.ones(1, 10, 3)
    with torch.no_grad():
        held = state_space.reach(state_space.s4d(layer, x), 1)
        kernel = layer.kernel(10)[1]
    for place in range(10):
        torch.testing.assert_close(held[place, : place + 1], kernel[: place + 1].flip(0))


def test_a_unit_that_counts_is_found_by_what_it_follows():
    texts = [list('he "said" so. ') * 3, list('"no", said "he" ') * 3]
    rows = [np.random.default_rng(len(t)).normal(size=(len(t), 5)) for t in texts]
    for text_, row in zip(texts, rows, strict=True):
        row[:, 3] = -2 * follows.features(text_)["inside quotation marks"] + 1
    best = follows.followers(texts, rows.__getitem__)[0]
    assert (best.feature, best.unit) == ("inside quotation marks", 3)
    assert best.correlation == pytest.approx(-1)
    marks = follows.features(list('a "bc" d'))["inside quotation marks"]
    assert marks.tolist() == [0, 0, 0, 1, 1, 0, 0, 0]


def kept(folder, spec, data, **settings):
    for _ in train(spec, data, folder=folder, **{"epochs": 1, "learning_rate": 0.005, **settings}):
        pass
    return str(folder)


def test_the_page_of_a_recurrent_layer_shows_gates_units_and_gradients(tmp_path):
    model = kept(tmp_path, fitted("stories"), "stories?characters=5000")
    run = gates.study(model, part="update gate z")
    frame = next(run)
    assert frame.waits
    assert frame.views["units"].values.shape == (64, 64)
    assert frame.views["unit"].rows[-1] == "state h"
    assert 0 <= frame.facts["update gate z: nearly shut [%]"] <= 100
    (slopes,) = frame.views["fading"].lines.values()
    assert slopes[-1] > slopes[20] > 0
    best = int(frame.views["follows"].rows[0][1])
    assert frame.views["units"].highlight == ((best, 63),)
    picked = run.send({"cell": 5 * 64 + 20, "part": "no such gate"})
    assert picked.views["text"].title.startswith("state h of unit 5")
    state = picked.views["units"].values[5]
    assert state.tolist() == picked.views["text"].weights.tolist()
    typed = run.send({"source": "typed", "text": "the owl", "cell": 0})
    assert typed.views["text"].tokens[-1] == "l"
    told = run.send({"text": "THE"})
    assert "does not know the characters" in told.views["note"].text


def test_the_page_of_a_state_space_follows_a_channel(tmp_path):
    model = kept(tmp_path, spec_of("mamba-small"), "stories?characters=5000")
    run = spaces.study(model)
    frame = next(run)
    assert frame.waits
    assert {"channels", "reach", "state", "course", "B", "C"} <= set(frame.views)
    assert frame.views["reach"].values.shape == (64, 64)
    again = run.send({"cell": 3 * 64 + 2, "show": "state", "which": 1})
    assert again.facts["channel"] == 3
    assert again.views["channels"].highlight == ((3, 2),)


def test_a_state_space_that_does_not_select_is_told_so(tmp_path):
    spec = fitted("stories")
    spec["nodes"][2] = {"id": "memory", "type": "S4D", "params": {"states": 8}}
    model = kept(tmp_path, spec, "stories?characters=5000")
    frame = next(spaces.study(model))
    assert "does not select" in frame.views["note"].title
    assert float(np.ptp(frame.views["channels"].values, axis=1).max()) == 0  # Δ never changes


@pytest.mark.parametrize(
    "name", ["seq2seq-bahdanau-small", "seq2seq-luong-small", "transformer-small"]
)
def test_a_translator_looks_at_the_source_word_by_word(tmp_path, name):
    model = kept(tmp_path, spec_of(name), "translation?size=800", batch_size=32)
    frames = list(itertools.takewhile(lambda frame: not frame.waits, translating.study(model)))
    assert [frame.step for frame in frames] == list(range(1, len(frames) + 1))
    rows = frames[-1].views["alignment"].values
    said = rows[: len(frames)]
    assert np.isnan(rows[len(frames) :]).all()
    np.testing.assert_allclose(said.sum(1), 1, atol=0.05)  # rounded to hundredths
    network = load_kept(model).module
    data = load("translation?size=800")
    source = data.inputs(data.valid_x[:1])[0]
    steps = list(alignment.say(network, source, 1, most=8, end=2))
    text = [1, *(one.token for one in steps[:-1])]
    answer, whole = alignment.look(network, (source, torch.tensor([text])))
    (layer,) = list(steps[0].weights)[:1]
    stepwise = torch.stack([one.weights[layer] for one in steps])
    torch.testing.assert_close(stepwise, whole[layer], atol=1e-5, rtol=1e-4)
    assert [one.token for one in steps] == answer[0].argmax(-1).tolist()


def test_the_toy_language_says_which_word_translates_which():
    read = ("the", "black", "dog", "sees", "a", "dog", "·")
    found = translating.aligned(read, ("le", "chien", "noir", "voit", "⟩"))
    assert found == [set(), {2, 5}, {1}, {3}, set()]


def test_how_spread_out_a_look_is():
    assert alignment.entropy(torch.full((8,), 0.125)) == pytest.approx(3)
    assert alignment.entropy(torch.tensor([1.0, 0.0])) == pytest.approx(0, abs=1e-6)
