"""Attention seen from outside equals what torch says of itself, and what papers define."""

import itertools
import json
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.attention.changes import CHANGES
from engine.attention.edits import ablate, fix, freeze, hide, neuron, patch, turn
from engine.attention.flow import flow, mixed, rollout
from engine.attention.gradient import relevance, self_attentions, weighed
from engine.attention.grid import find_grid
from engine.attention.heads import detectors, scores
from engine.attention.lens import lens, stream
from engine.attention.methods import methods
from engine.attention.methods.changing import chosen
from engine.attention.put import Table
from engine.attention.study import SHOWS, study
from engine.attention.watch import look
from engine.models.adopt import adopt
from engine.models.kept import load
from engine.network.build import build
from engine.network.modules import attention as ours
from engine.network.registry import layers as all_layers
from engine.network.templates.attention_only import attention_only
from engine.store.home import run_folder

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


class Around(nn.Module):
    """A module that calls another one with what comes in."""

    def __init__(self, part, **named):
        super().__init__()
        self.part, self.named = part, named

    def forward(self, *inputs):
        result = self.part(*inputs, **self.named)
        return result[0] if isinstance(result, tuple) else result


def three(n=6, size=16, batch=2):
    return torch.randn(batch, n, size)


def chain(*nodes):
    listed = [{"id": id, "type": kind, "params": params} for id, kind, params in nodes]
    ids = [id for id, _, _ in nodes]
    edges = [list(pair) for pair in itertools.pairwise(ids)]
    return build({"version": 1, "nodes": listed, "edges": edges, "outputs": ids[-1:]})


def small_vit(patch=2, side=8, channels=1, tokens=1):
    return chain(
        ("image", "Input", {"shape": [channels, side, side]}),
        ("patches", "PatchEmbedding", {"features": 16, "patch": patch}),
        ("token", "ClassToken", {"tokens": tokens}),
        ("positions", "LearnedPositions", {}),
        ("block", "TransformerEncoderLayer", {"nhead": 2, "dim_feedforward": 32, "dropout": 0.0}),
        ("first", "Select", {}),
        ("scores", "Linear", {"out_features": 10}),
    )


# ---- what is seen is what was computed


@pytest.mark.parametrize("wanted", [True, False], ids=["weights asked for", "not asked for"])
@pytest.mark.parametrize("mask", ["none", "causal", "padding"])
def test_weights_equal_torchs_own(wanted, mask):
    part = nn.MultiheadAttention(16, 4, batch_first=True, dropout=0.1).eval()
    x, named = three(), {}
    if mask == "causal":
        named["attn_mask"] = torch.ones(6, 6, dtype=torch.bool).triu(1)
    if mask == "padding":
        named["key_padding_mask"] = torch.tensor([[False] * 6, [False] * 4 + [True] * 2])
    answer, weights = part(x, x, x, need_weights=True, average_attn_weights=False, **named)
    seen = look(Around(part, need_weights=wanted, **named), [x, x, x])
    torch.testing.assert_close(seen.layers[0].weights, weights)
    torch.testing.assert_close(seen.answer, answer)
    assert seen.layers[0].kind == ("causal" if mask == "causal" else "self")


def test_layers_of_a_whole_transformer_are_found_and_told_apart():
    net = nn.Transformer(16, 4, 2, 2, 32, batch_first=True).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    source, target = three(7), three(5)
    seen = look(net, {"src": source, "tgt": target, "tgt_mask": mask})
    torch.testing.assert_close(seen.answer, net(source, target, tgt_mask=mask))
    kinds = [layer.kind for layer in seen.layers]
    assert kinds == ["self", "self", "causal", "cross", "causal", "cross"]
    assert seen.layers[3].weights.shape == (2, 4, 5, 7)
    assert seen.layers[3].name == "decoder.layers.0.multihead_attn"


HAND_MADE = [
    ours.SelfAttention(16, 4),
    ours.SelfAttention(16, 4, groups=2, causal=False, positions="rotary"),
    ours.SelfAttention(16, 4, positions="alibi"),
    ours.MultiheadAttention(16, 4, causal=True, weights=True),
    ours.DotAttention(16, 16, "scaled"),
    ours.DotAttention(16, 16, "general"),
    ours.AdditiveAttention(16, 16, 8),
]


@pytest.mark.parametrize("part", HAND_MADE, ids=lambda part: type(part).__name__)
def test_looking_changes_no_answer_and_rows_sum_to_1(part):
    part.eval()
    inputs = [three(5), three(7)] if "DotAdditive".count(type(part).__name__[:3]) else [three()]
    net = Around(part)
    seen = look(net, inputs)
    torch.testing.assert_close(seen.answer, net(*inputs))
    (layer,) = seen.layers
    torch.testing.assert_close(layer.weights.sum(-1), torch.ones(layer.weights.shape[:3]))
    if layer.query is not None and layer.kind == "cross":
        again = (layer.query @ layer.key.transpose(-1, -2) * layer.scale).softmax(-1)
        torch.testing.assert_close(again, layer.weights)


def test_every_layer_of_the_palette_that_mixes_by_softmax_is_seen():
    missing = []
    for kind in ("MultiheadAttention", "TransformerEncoderLayer", "SelfAttention"):
        assert kind in all_layers()
        params = {"num_heads": 2} if kind[0] == "M" else {"nhead": 2, "dim_feedforward": 8}
        params = {"heads": 2} if kind == "SelfAttention" else params
        net = chain(("x", "Input", {"shape": [5, 8]}), ("part", kind, params))
        if not look(net, [torch.randn(1, 5, 8)]).layers:
            missing.append(kind)
    assert not missing


def test_what_runs_twice_is_told_apart_and_the_mode_comes_back():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = ours.SelfAttention(16, 4, dropout=0.5)

        def forward(self, x):
            return self.part(self.part(x))

    net = Twice().train()
    seen = look(net, [three()])
    assert [layer.name for layer in seen.layers] == ["part", "part#2"]
    assert net.training
    assert net.part.training


# ---- rollout and flow


def stochastic(layers, heads, n, causal=False):
    raw = RNG.random((layers, heads, n, n))
    raw = np.tril(raw) if causal else raw
    return list(raw / raw.sum(-1, keepdims=True))


@pytest.mark.parametrize("fuse", ["mean", "max", "min"])
def test_rollout_is_the_product_of_the_layers_and_its_rows_sum_to_1(fuse):
    layers = stochastic(4, 3, 7)
    found = rollout(layers, fuse)
    np.testing.assert_allclose(np.sum(found, -1), 1.0, atol=1e-12)
    by_hand = np.linalg.multi_dot([mixed(one, fuse) for one in reversed(layers)])
    np.testing.assert_allclose(found[-1], by_hand)


@pytest.mark.parametrize("causal", [False, True])
def test_flow_equals_networkx_maximum_flow(causal):
    layers = stochastic(3, 2, 5, causal)
    graph = nx.DiGraph()
    for level, one in enumerate(layers):
        for row, column in np.ndindex(5, 5):
            graph.add_edge((level + 1, row), (level, column), capacity=mixed(one)[row, column])
    for place in (1, 4):
        wanted = [nx.maximum_flow_value(graph, (3, place), (0, token)) for token in range(5)]
        np.testing.assert_allclose(flow(layers, place), wanted, atol=1e-4)


def test_flow_through_a_bottleneck_is_as_wide_as_the_bottleneck():
    through = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    found = flow([through, through], 0, residual=0.5)
    np.testing.assert_allclose(found, [1.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(rollout([through, through])[-1][0], [0.5, 0.5])


# ---- interventions


def residual(layers=2, positions="rotary"):
    return build(attention_only(layers, tokens=11, length=9, features=16, positions=positions))


def test_without_any_head_only_the_path_around_them_is_left():
    net, x = residual(), torch.randint(11, (3, 9))
    edits = [ablate("attention0"), ablate("attention1")]
    with torch.no_grad():
        around = net.get_submodule("vectors")(x)
        for n in range(2):
            around = around + net.get_parameter(f"attention{n}.out.bias")
        wanted = net.get_submodule("scores")(net.get_submodule("norm")(around))
        torch.testing.assert_close(look(net, [x], edits=edits).answer, wanted)


def test_one_head_off_takes_away_just_its_part_of_the_sum():
    part, x = ours.SelfAttention(16, 4).eval(), three()
    with torch.no_grad():
        seen = look(part, [x])
        off = look(part, [x], edits=[ablate("", [2])]).answer
        handed = seen.layers[0].mixed[:, 2] @ part.out.weight[:, 8:12].T
        torch.testing.assert_close(seen.answer - off, handed)


def test_fixed_patterns_look_where_they_say_and_never_at_what_is_masked():
    part, x = ours.SelfAttention(16, 4).eval(), three()
    uniform = look(part, [x], edits=[fix("", None, "uniform")]).layers[0].weights[0, 0]
    wanted = torch.ones(6, 6).tril() / torch.arange(1, 7)[:, None]
    torch.testing.assert_close(uniform, wanted)
    before = look(part, [x], edits=[fix("", [1], "previous")]).layers[0].weights[0, 1]
    assert before.argmax(-1).tolist() == [0, 0, 1, 2, 3, 4]


def test_frozen_weights_come_from_another_run():
    part, x, other = ours.SelfAttention(16, 4).eval(), three(), three()
    weights = look(part, [other]).layers[0].weights
    seen = look(part, [x], edits=[freeze("", None, weights)])
    torch.testing.assert_close(seen.layers[0].weights, weights)


def test_a_hidden_token_is_not_looked_at_and_rows_still_sum_to_1():
    part, x = ours.SelfAttention(16, 4, causal=False).eval(), three()
    weights = look(part, [x], edits=[hide([2], 6)]).layers[0].weights
    assert (weights[..., 2] == 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, 6))
    others = [0, 1, 3, 4, 5]
    plain = look(part, [x]).layers[0].weights[..., others]
    torch.testing.assert_close(weights[..., others], plain / plain.sum(-1, keepdim=True))


@pytest.mark.parametrize("what", ["query", "key", "value"])
def test_one_number_of_a_vector_is_turned(what):
    part, x = ours.SelfAttention(16, 4).eval(), three()
    before = look(part, [x]).layers[0]
    after = look(part, [x], edits=[turn("", what, 1, 3, 2, 7.5)]).layers[0]
    changed = (getattr(after, what) != getattr(before, what)).nonzero()
    assert {tuple(index[1:]) for index in changed.tolist()} == {(1, 3, 2)}
    assert getattr(after, what)[0, 1, 3, 2].item() == 7.5


def test_patching_the_last_point_of_the_stream_gives_the_other_answer():
    net, x, other = residual(), torch.randint(11, (1, 9)), torch.randint(11, (1, 9))
    there = look(net, [other], outputs=["add1"])
    seen = look(net, [x], edits=[patch("add1", there.outputs["add1"])])
    torch.testing.assert_close(seen.answer, there.answer)
    one = look(net, [x], edits=[patch("add1", there.outputs["add1"], [4])]).answer
    torch.testing.assert_close(one[:, 4], there.answer[:, 4])
    torch.testing.assert_close(one[:, :4], look(net, [x]).answer[:, :4])


def test_a_neuron_is_set_at_all_places():
    net, x = small_vit(), torch.rand(1, 1, 8, 8)
    seen = look(net, [x], edits=[neuron("block.linear1", 3, 2.5)], outputs=["block.linear1"])
    assert (seen.outputs["block.linear1"][..., 3] == 2.5).all()


def test_heads_are_written_as_people_do():
    layers = look(residual(), [torch.zeros(1, 9, dtype=torch.long)]).layers
    assert chosen("0.1 1.3,0.2", layers) == [(0, [1, 2]), (1, [3])]
    assert chosen("all", layers) == [(0, None), (1, None)]
    for wrong, words in (("0.9", "heads 0 to 3"), ("7", "layers 0 to 1"), ("a.b", "layer.head")):
        with pytest.raises(ValueError, match=words):
            chosen(wrong, layers)


# ---- the lens, the gradient, the detectors, the grid


def test_the_lens_ends_with_the_networks_own_answer_and_begins_with_the_vectors():
    net, x = residual(3), torch.randint(11, (1, 9))
    points = stream(net, look(net, [x]).layers)
    assert points == ("vectors", "add0", "add1", "add2")
    logits, kept = lens(net, [x], points)
    assert kept == points
    with torch.no_grad():
        torch.testing.assert_close(logits[-1:], net(x))
        direct = net.get_submodule("scores")(
            net.get_submodule("norm")(net.get_submodule("vectors")(x))
        )
        torch.testing.assert_close(logits[:1], direct)


def test_the_stream_of_encoder_layers_and_of_modules_that_are_not_ours():
    net = small_vit()
    assert stream(net, look(net, [torch.rand(1, 1, 8, 8)]).layers) == ("positions", "block")
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 3)
    points = stream(encoder, look(encoder, [three()]).layers)
    assert points == ("layers.0", "layers.1", "layers.2")
    with torch.no_grad():
        logits, _ = lens(encoder, [three(batch=1)], points)
    assert logits.shape == (3, 6, 16)


def test_attention_times_gradient_is_what_a_finite_difference_says():
    folder = adopted(attention_only(2, tokens=11, length=9, features=16))
    subject = Table(load(folder)).sample(0)
    seen, found = weighed(subject, 8, 3)
    layer, step = seen.layers[0], 1e-3
    for head, row, column in ((0, 8, 2), (3, 6, 5)):

        def moved(name, what, x, by, at=(head, row, column)):
            if name != layer.name or what != "weights":
                return x
            y = x.clone()
            y[(0, *at)] += by
            return y

        up, down = (
            float(subject.look([lambda *a, by=by: moved(*a, by)]).answer[0, 8, 3])
            for by in (step, -step)
        )
        slope = (up - down) / (2 * step)
        wanted = slope * layer.weights[0, head, row, column].item()
        assert float(found[0][0, head, row, column]) == pytest.approx(wanted, rel=2e-2, abs=1e-5)


def test_relevance_of_one_layer_is_the_mean_of_what_speaks_for_it():
    layer = torch.randn(3, 5, 5)
    torch.testing.assert_close(relevance([layer], 2), layer.clamp_min(0).mean(0)[2])


def test_layers_of_one_stream_are_taken_together():
    net = nn.Transformer(16, 4, 2, 2, 32, batch_first=True).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    seen = look(net, {"src": three(7), "tgt": three(5), "tgt_mask": mask}).layers
    assert self_attentions(seen) == [2, 4]
    assert self_attentions(seen, seen[0]) == [0, 1]


TOKENS = np.array([4, 7, 1, 4, 7, 1, 4])
PATTERNS = {
    "previous token": [(i, i - 1) for i in range(1, 7)],
    "first token": [(i, 0) for i in range(1, 7)],
    "current token": [(i, i) for i in range(7)],
    "duplicate token": [(3, 0), (4, 1), (5, 2), (6, 3)],
    "induction": [(3, 1), (4, 2), (5, 3), (6, 4)],
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_head_made_for_a_pattern_scores_1_and_others_do_not(name):
    weights = np.zeros((2, 7, 7))
    weights[1] = np.tril(np.ones((7, 7))) / np.arange(1, 8)[:, None]
    for row, column in PATTERNS[name]:
        weights[0, row, column] = 1.0
    found = scores(weights, TOKENS)[name]
    assert found[0] == pytest.approx(1.0)
    assert found[1] < 0.5


def test_nothing_is_said_of_a_pattern_that_cannot_occur():
    found = scores(np.full((1, 4, 4), 0.25), np.arange(4))
    assert np.isnan(found["induction"]).all()
    assert set(found) == set(detectors.all())


@pytest.mark.parametrize("net_tokens", [1, 3])
@pytest.mark.parametrize(("patch_", "side", "channels"), [(2, 8, 1), (4, 12, 3), (1, 4, 1)])
def test_the_grid_of_patches_is_found_by_itself(net_tokens, patch_, side, channels):
    net = small_vit(patch_, side, channels, net_tokens)
    grid = find_grid(net, torch.rand(1, channels, side, side), "block.self_attn")
    count = side // patch_
    assert (grid.rows, grid.columns) == (count, count)
    assert grid.extra == tuple(range(net_tokens))
    assert grid.places == tuple(range(net_tokens, net_tokens + count**2))


def test_tokens_in_any_order_are_found_on_the_picture():
    class Shuffled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut = nn.Conv2d(1, 8, 2, 2)
            self.order = torch.randperm(16)
            self.part = ours.SelfAttention(8, 2, causal=False)

        def forward(self, x):
            tokens = self.cut(x).flatten(2).transpose(1, 2)[:, self.order]
            return self.part(torch.cat([tokens, tokens.new_zeros(len(x), 1, 8)], 1))

    net = Shuffled()
    grid = find_grid(net, torch.rand(1, 1, 8, 8), "part")
    assert grid.extra == (16,)
    assert [int(net.order[place]) for place in grid.places] == list(range(16))


# ---- the table, the page's run, the command line


def adopted(spec, data=""):
    return run_folder(adopt(spec.to_json() if hasattr(spec, "to_json") else spec, data=data))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    return adopted(attention_only(2), "induction")


@pytest.mark.parametrize("name", list(methods.all()))
def test_every_method_gives_finite_arrays_of_a_text_and_of_a_picture(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    for spec, data in ((attention_only(2), "induction"), (small_vit().spec, "digits")):
        subject = Table(load(adopted(spec, data))).sample(3)
        found = methods.find(name)(subject)
        assert found
        for key, array in found.items():
            if array.dtype.kind == "f" and not np.isnan(array).all() and key != "scores":
                assert np.isfinite(array[~np.isnan(array)]).all(), key


def test_a_network_without_attention_is_told_what_fits():
    net = chain(("x", "Input", {"shape": [3]}), ("y", "Linear", {"out_features": 2}))
    subject = Table(load(adopted(net.spec))).sample(0)
    with pytest.raises(ValueError, match="SelfAttention"):
        methods.find("weights")(subject)


def test_the_page_shows_and_changes_everything(folder):
    run = study(str(folder))
    first = next(run)
    assert first.waits
    assert {"input", "heads", "head", "matrix", "answer"} <= set(first.views)
    assert first.facts["loss [nat]"] > 1
    for show in SHOWS:
        frame = run.send({"show": show})
        assert frame.views["notes"].tone == "plain", frame.views["notes"].text
    for change in CHANGES[1:]:
        frame = run.send({"show": "heads", "change": change, "token": "z", "number": 3, "to": 4.0})
        assert frame.views["notes"].tone == "good", frame.views["notes"].text
        assert set(frame.views["answer"].series) == {"as it is", "changed"}
        assert "loss, changed [nat]" in frame.facts


@pytest.mark.parametrize(
    ("turned", "words"),
    [
        ({"source": "typed", "text": ""}, "empty"),
        ({"source": "typed", "text": "abcÄ"}, "does not know the character 'Ä'"),
        ({"source": "typed", "text": "a" * 40}, "at most 32 tokens"),
        ({"source": "drawing", "drawing": [0.5] * 784}, "takes tokens of 32"),
        ({"change": "switch heads off", "heads": "5"}, "layers 0 to 1"),
        ({"change": "edit a query", "number": 500}, "numbers 0 to 15"),
        ({"change": "set a neuron", "module": "attention9"}, "attention1"),
        ({"change": "swap a token", "token": "ab"}, "one token"),
        ({"show": "gradient", "output": "Q"}, "output: must be"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(folder, turned, words):
    run = study(str(folder))
    next(run)
    note = run.send(turned).views["notes"]
    assert note.tone == "warning"
    assert words in note.text


def test_a_typed_text_of_a_model_that_says_what_comes_next_is_its_own_truth(folder):
    run = study(str(folder))
    next(run)
    frame = run.send({"source": "typed", "text": "abcdefabcdef"})
    assert frame.views["notes"].tone == "plain"
    assert frame.views["input"].tokens == tuple("abcdefabcdef")
    table = Table(load(folder))
    subject = table.typed("abcdefabcdef")
    answer = subject.look().answer[0].log_softmax(-1)
    wanted = -answer[:-1].gather(1, subject.inputs[0][0, 1:, None]).mean()
    assert frame.facts["loss [nat]"] == pytest.approx(float(wanted), rel=1e-5)


def test_a_long_text_sends_small_maps_and_one_full_matrix():
    net = build(attention_only(3, tokens=50, length=512, features=48, heads=12))
    subject = Table(load(adopted(net.spec))).sample(0)
    from engine.attention.pictures import head, overview

    seen = subject.look()
    small = overview(subject, seen.layers, 0)
    assert small.maps.shape == (36, 32, 32)
    weights = seen.layers[0].weights[0, 5]
    strongest = weights.reshape(32, 16, 32, 16).amax((1, 3)).numpy()
    wanted = np.minimum(1, strongest / np.quantile(strongest, 0.99))
    np.testing.assert_allclose(small.maps[5], wanted, rtol=1e-4)
    assert head(subject, seen.layers[0], 5, 9, "matrix", "0.5").weights.shape == (512, 512)


def test_the_command_line_writes_what_torch_says(tmp_path):
    nodes = [
        {"id": "x", "type": "Input", "params": {"shape": [5, 8]}},
        {"id": "part", "type": "MultiheadAttention", "params": {"num_heads": 2}},
    ]
    spec = {"version": 1, "nodes": nodes, "edges": [["x", "part"]], "outputs": ["part"]}
    net = build(spec)
    x = torch.randn(3, 5, 8)
    (tmp_path / "net.json").write_text(json.dumps(spec))
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    np.save(tmp_path / "x.npy", x.numpy())
    done = subprocess.run(
        [sys.executable, "-m", "engine", "attention", "net.json", "--weights", "net.safetensors",
         "--input", "x.npy", "--json", "-o", "out.npz"],
        cwd=tmp_path, env=_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    part = net.get_submodule("part").eval()
    with torch.no_grad():
        _, wanted = nn.MultiheadAttention.forward(part, x, x, x, average_attn_weights=False)
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_allclose(found["weights"][:, 0], wanted, atol=1e-6)
        np.testing.assert_allclose(found["weights.part"], wanted, atol=1e-6)
    assert json.loads(done.stdout)["largest_gap_of_row_sums"] < 1e-6


def _environment():
    import os
    from pathlib import Path

    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


# ---- Hugging Face


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """Tiny models as the library itself makes and saves them, with random weights."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("models")
    words = ["[UNK]", "the", "cat", "sat", "on", "mat", "because", "it", "was", "tired", "."]
    maker = tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]")
    made = tokenizers.Tokenizer(maker)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="[UNK]")
    n, ends = len(words), {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    models = {
        "gpt2": transformers.GPT2LMHeadModel(
            transformers.GPT2Config(
                vocab_size=n, n_positions=32, n_embd=32, n_layer=2, n_head=4, **ends
            )
        ),
        "bert": transformers.BertForMaskedLM(
            transformers.BertConfig(
                vocab_size=n,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                intermediate_size=64,
            )
        ),
        "t5": transformers.T5ForConditionalGeneration(
            transformers.T5Config(
                vocab_size=n,
                d_model=32,
                d_kv=8,
                d_ff=64,
                num_layers=2,
                num_heads=4,
                decoder_start_token_id=1,
            )
        ),
    }
    for name, model in models.items():
        model.save_pretrained(folder / name)
        fast.save_pretrained(folder / name)
    return folder


@pytest.mark.parametrize("name", ["gpt2", "bert", "t5"])
@pytest.mark.filterwarnings("ignore")
def test_a_transformer_from_a_folder_is_seen_as_it_sees_itself(name, zoo, monkeypatch):
    from engine.attention.hugging_face import Table as Foreign

    monkeypatch.setenv("PLAYGROUND_MODELS", str(zoo))
    table = Foreign(name)
    subject = table.sample(0)
    seen = subject.look().layers
    table.module.model.set_attn_implementation("eager")
    named = {"input_ids": subject.inputs[0], "output_attentions": True}
    if name == "t5":
        named["decoder_input_ids"] = subject.inputs[1]
    with torch.no_grad():
        told = table.module.model(**named)
    if name == "t5":
        pairs = zip(told.decoder_attentions, told.cross_attentions, strict=True)
        wanted = [*told.encoder_attentions, *(one for pair in pairs for one in pair)]
    else:
        wanted = list(told.attentions)
    for layer, one in zip(seen, wanted, strict=True):
        torch.testing.assert_close(layer.weights, one)
    assert subject.rows(seen[0])[:3] == ("[UNK]", "cat", "sat")


@pytest.mark.filterwarnings("ignore")
def test_the_page_looks_into_a_transformer_and_tells_what_cannot_be_had(zoo, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_MODELS", str(zoo))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    run = study("transformer:gpt2")
    frame = next(run)
    assert frame.facts["loss [nat]"] > 0
    for show in SHOWS:
        assert run.send({"show": show}).views["notes"].tone == "plain"
    for wrong, words in (("no/such", "cannot be had"), ("../..", "neither a folder")):
        with pytest.raises(ValueError, match=words):
            next(study(f"transformer:{wrong}"))
    (zoo / "gpt2" / "model.safetensors").rename(zoo / "gpt2" / "away")
    with pytest.raises(ValueError, match="safetensors"):
        next(study("transformer:gpt2"))
    (zoo / "gpt2" / "away").rename(zoo / "gpt2" / "model.safetensors")


def test_a_transformer_too_large_is_not_opened(zoo, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_MODELS", str(zoo))
    monkeypatch.setattr("engine.attention.hugging_face.LARGEST", 1000)
    with pytest.raises(ValueError, match="at most 1,000"):
        next(study("transformer:bert"))
