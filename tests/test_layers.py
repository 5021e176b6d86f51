"""The battery over the registry: what every layer must do, and checks against other truths."""

from __future__ import annotations

import inspect
import json
import math

import pytest
import torch
from torch import nn

from engine.network import modules
from engine.network.build import build
from engine.network.catalog import catalog
from engine.network.registry import factory, find, layers, trial
from engine.network.shapes import Measured, Signal, measure

KINDS = ("integer", "number", "choice", "toggle", "text", "integers")
TYPES = [name for name in layers() if name not in ("Input", "Block")]


def network_of(name: str, **changes: object) -> nn.Module:
    params, shapes = trial(find(name))
    kind = find(name).reads
    inputs = [
        {"id": f"in{n}", "type": "Input", "params": {"shape": list(shape), "dtype": kind}}
        for n, shape in enumerate(shapes)
    ]
    node = {"id": "layer", "type": name, "params": {**params, **changes}}
    edges = [[one["id"], "layer", n] for n, one in enumerate(inputs)]
    return build({"nodes": [*inputs, node], "edges": edges, "outputs": ["layer"]})


def inputs_for(name: str, batch: int = 3) -> list[torch.Tensor]:
    _, shapes = trial(find(name))
    if find(name).reads == "token":
        return [torch.randint(0, 50, (batch, *shape)) for shape in shapes]
    return [torch.randn(batch, *shape) for shape in shapes]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", TYPES)
def test_a_new_node_runs_and_every_parameter_gets_a_gradient(name: str) -> None:
    network, inputs = network_of(name), inputs_for(name)
    inputs = [x.requires_grad_() if x.is_floating_point() else x for x in inputs]
    result = network(*inputs)
    assert result.shape[0] == 3
    learns = any(True for _ in network.parameters()) or find(name).reads == "float"
    if result.is_floating_point() and learns:
        (result * torch.randn_like(result)).sum().backward()
        for path, parameter in network.named_parameters():
            assert parameter.grad is not None, path
            assert torch.isfinite(parameter.grad).all(), path


@pytest.mark.parametrize("name", TYPES)
def test_the_shape_on_the_meta_device_is_the_real_one(name: str) -> None:
    params, shapes = trial(find(name))
    measured = measure(name, params, [Signal(shape, find(name).reads) for shape in shapes])
    assert isinstance(measured, Measured), measured
    module = factory(find(name))(**measured.arguments)
    results = module(*inputs_for(name))
    results = results if isinstance(results, tuple) else (results,)
    assert [tuple(r.shape[1:]) for r in results] == [s.shape for s in measured.outputs]
    assert measured.parameters == sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", TYPES)
def test_the_line_of_code_makes_an_equal_module(name: str) -> None:
    params, shapes = trial(find(name))
    measured = measure(name, params, [Signal(shape, find(name).reads) for shape in shapes])
    assert isinstance(measured, Measured)
    again = eval(measured.code, {"nn": nn, name: factory(find(name))})  # noqa: S307
    first = factory(find(name))(**measured.arguments)
    again.load_state_dict(first.state_dict())
    inputs = inputs_for(name)
    torch.testing.assert_close(first.eval()(*inputs), again.eval()(*inputs))


@pytest.mark.parametrize("name", TYPES)
def test_the_state_makes_the_round_trip(name: str) -> None:
    first, again, inputs = network_of(name), network_of(name), inputs_for(name)
    first(*inputs)
    again.load_state_dict(first.state_dict())
    torch.testing.assert_close(first.eval()(*inputs), again.eval()(*inputs))


@pytest.mark.parametrize("name", TYPES)
def test_examples_of_a_batch_do_not_mix_when_nothing_is_learnt(name: str) -> None:
    network, inputs = network_of(name).eval(), inputs_for(name)
    with torch.no_grad():
        whole = network(*inputs)
        alone = network(*[x[:1] for x in inputs])
    torch.testing.assert_close(whole[:1], alone, rtol=1e-4, atol=1e-5)


def test_the_catalog_is_plain_data_with_words_for_everything() -> None:
    entries = json.loads(json.dumps(catalog(), allow_nan=False))
    assert [entry["type"] for entry in entries] == list(layers())
    for entry in entries:
        assert entry["help"].endswith((".", "`.")), entry["type"]
        assert entry["category"], entry["type"]
        for one in entry["fields"]:
            assert one["kind"] in (
                "integer",
                "number",
                "choice",
                "toggle",
                "text",
                "integers",
                "values",
            )
            assert not one["required"] or one["default"] is not None, (entry["type"], one["name"])


def test_modules_of_our_own_need_only_torch() -> None:
    import ast
    import pkgutil
    from importlib import import_module

    for info in pkgutil.iter_modules(modules.__path__):
        text = inspect.getsource(import_module(f"{modules.__name__}.{info.name}"))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] in ("torch", "collections", "__future__")
            if isinstance(node, ast.Import):
                assert node.names[0].name in ("torch", "math", "functools")


def test_every_activation_of_torch_is_offered() -> None:
    from torch.nn.modules import activation

    known = {name for name in activation.__all__ if name != "MultiheadAttention"}
    assert known <= set(layers())


def test_retention_is_the_same_in_parallel_and_as_a_recurrence() -> None:
    from engine.network.modules.state_space import Retention

    module = Retention(16, heads=4).double()
    parts = module.project(torch.randn(2, 11, 16, dtype=torch.float64))
    torch.testing.assert_close(module.parallel(*parts), module.recurrent(*parts))


def test_s4d_convolves_as_its_recurrence_runs() -> None:
    from engine.network.modules.state_space import S4D

    module = S4D(3, states=8).double()
    x = torch.randn(2, 20, 3, dtype=torch.float64)
    moved, gain = module.discrete()
    state = torch.zeros(2, 3, 4, dtype=torch.complex128)
    steps = []
    for place in range(20):
        state = state * moved.exp() + x[:, place, :, None]
        steps.append(2 * (gain * state).sum(-1).real + module.skip * x[:, place])
    torch.testing.assert_close(module(x), torch.stack(steps, 1))


@pytest.mark.parametrize("width", [5, 400])
def test_the_selective_scan_is_the_loop_it_stands_for(width: int) -> None:
    from engine.network.modules.state_space import scan

    decay, inflow = torch.rand(2, 13, width).double(), torch.randn(2, 13, width).double()
    state, steps = torch.zeros(2, width).double(), []
    for place in range(13):
        state = decay[:, place] * state + inflow[:, place]
        steps.append(state)
    torch.testing.assert_close(scan(decay, inflow), torch.stack(steps, 1))


def test_rwkv_weighs_the_past_as_its_formula_says() -> None:
    from engine.network.modules.state_space import RWKVTimeMixing

    module = RWKVTimeMixing(4).double()
    key, value = torch.randn(1, 7, 4).double(), torch.randn(1, 7, 4).double()
    rate, now = module.time_decay.exp(), module.time_first
    for t in range(7):
        weights = torch.stack(
            [(-(t - 1 - i) * rate + key[0, i]).exp() for i in range(t)] + [(now + key[0, t]).exp()]
        )
        expected = (weights * value[0, : t + 1]).sum(0) / weights.sum(0)
        torch.testing.assert_close(module.mean(key, value)[0, t], expected)


@pytest.mark.parametrize("name", ["S4D", "Mamba", "Retention", "RWKVTimeMixing", "SelfAttention"])
def test_sequence_layers_do_not_see_the_future(name: str) -> None:
    network, (x,) = network_of(name).eval(), inputs_for(name)
    later = x.clone()
    later[:, 5:] += 1
    with torch.no_grad():
        first, second = network(x), network(later)
    torch.testing.assert_close(first[:, :5], second[:, :5], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(first[:, 5:], second[:, 5:])


def test_rotary_products_depend_on_the_distance_only() -> None:
    from engine.network.modules.attention import rotate

    query, key = torch.randn(8).double(), torch.randn(8).double()
    turned_query, turned_key = rotate(query.expand(12, 8)), rotate(key.expand(12, 8))
    products = turned_query @ turned_key.T
    for distance in range(-5, 6):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))


def test_alibi_takes_away_what_is_far_in_proportion_to_the_distance() -> None:
    from engine.network.modules.attention import SelfAttention

    mask = SelfAttention(16, heads=8, positions="alibi").mask(4, torch.zeros(1))
    assert mask is not None
    # Press, Smith & Lewis (2021): eight heads have the slopes 1/2, 1/4, ..., 1/256.
    assert mask[0, 3].tolist() == [-1.5, -1.0, -0.5, 0.0]
    assert mask[7, 3, 0].item() == pytest.approx(-3 / 256)
    assert mask[0, 0, 1].item() == -math.inf


def test_self_attention_equals_torchs_own_with_the_same_weights() -> None:
    from engine.network.modules.attention import SelfAttention

    ours, theirs = SelfAttention(12, heads=3), nn.MultiheadAttention(12, 3, batch_first=True)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = ours.qkv.weight.data, ours.qkv.bias.data
    theirs.out_proj.load_state_dict(ours.out.state_dict())
    x = torch.randn(2, 6, 12)
    future = torch.ones(6, 6, dtype=torch.bool).triu(1)
    expected, _ = theirs(x, x, x, attn_mask=future)
    torch.testing.assert_close(ours(x), expected)


def test_a_recurrent_layer_goes_on_where_its_state_says() -> None:
    from engine.network.modules.recurrent import GRU, LSTM, RNN

    for kind in (RNN, GRU, LSTM):
        module, x = kind(4, 6, num_layers=2), torch.randn(3, 9, 4)
        whole, *last = module(x)
        first, *state = module(x[:, :5])
        second, *end = module(x[:, 5:], *state)
        torch.testing.assert_close(torch.cat([first, second], 1), whole)
        torch.testing.assert_close(end, last)


def test_graph_convolution_is_kipfs_formula() -> None:
    from engine.network.modules.graphs import GraphConvolution

    module = GraphConvolution(3, 2)
    adjacency = torch.tensor([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    x = torch.randn(1, 3, 3)
    linked = adjacency + torch.eye(3)
    half = torch.diag(linked.sum(1) ** -0.5)
    expected = half @ linked @ half @ x[0] @ module.weight + module.bias
    torch.testing.assert_close(module(x, adjacency[None])[0], expected)


def test_graph_attention_looks_only_at_neighbours() -> None:
    from engine.network.modules.graphs import GraphAttention

    module = GraphAttention(3, 2, heads=2)
    adjacency = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    x = torch.randn(1, 3, 3)
    other = x.clone()
    other[0, 2] += 1
    first, second = module(x, adjacency[None]), module(other, adjacency[None])
    torch.testing.assert_close(first[0, :2], second[0, :2])


def test_padding_is_not_looked_at() -> None:
    from engine.network.modules.attention import AdditiveAttention, DotAttention

    memory, query = torch.randn(2, 5, 4), torch.randn(2, 3, 4)
    padding = torch.tensor([[False] * 3 + [True] * 2] * 2)
    for module in (AdditiveAttention(4, 4, 8), DotAttention(4, 4, "general")):
        taken, weights = module(query, memory, padding)
        assert weights[..., 3:].abs().max() == 0
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))
        torch.testing.assert_close(taken, module(query, memory[:, :3])[0])


def test_sinusoidal_positions_are_the_papers() -> None:
    network = network_of("SinusoidalPositions")
    waves = network(torch.zeros(1, 8, 8))[0]
    for place in range(8):
        for pair in range(4):
            angle = place / 10_000 ** (2 * pair / 8)
            assert waves[place, 2 * pair].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert waves[place, 2 * pair + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


def test_dropped_paths_keep_the_mean() -> None:
    from engine.network.modules.gates import DropPath

    result = DropPath(0.25)(torch.ones(20_000, 1))
    torch.testing.assert_close(result.unique(), torch.tensor([0.0, 4 / 3]))
    assert result.mean().item() == pytest.approx(1.0, abs=4 * math.sqrt(1 / 3 / 20_000))


def test_blocks_have_the_sizes_of_their_papers() -> None:
    # Szegedy et al. (2015), table 1: inception 3a has 159K parameters, biases not counted.
    sizes = (192, 64, 96, 128, 16, 32, 32)
    inception = factory(find("InceptionBlock"))(*sizes)
    weights = sum(p.numel() for p in inception.parameters() if p.ndim > 1)
    assert weights // 1024 == 159
    assert inception(torch.zeros(1, 192, 8, 8)).shape[1] == 256
    # Liu et al. (2022): a block of width 96 holds 8 C² + (49 + 9) C numbers.
    block = factory(find("ConvNeXtBlock"))(96)
    assert sum(p.numel() for p in block.parameters()) == 8 * 96**2 + 58 * 96
    # Huang et al. (2017): DenseNet-121's first block turns 64 channels into 256.
    dense = factory(find("DenseBlock"))(64, 6, 32)
    assert dense(torch.zeros(2, 64, 4, 4)).shape[1] == 256


def test_windows_attend_as_a_plain_loop_over_them() -> None:
    from engine.network.modules.relative import WindowAttention

    module = WindowAttention(8, heads=2, window=3, shift=1).double().eval()
    x = torch.randn(1, 6, 9, 8, dtype=torch.float64)
    given = module(x)
    query, key, value = module.qkv(x).unflatten(-1, (3, 2, 4)).unbind(-3)
    for row, column in [(0, 0), (2, 4), (5, 8), (0, 8), (5, 3), (3, 3)]:
        # Liu et al. (2021), figure 4: shifted windows are [0, 1), [1, 4), [4, 6) along six rows.
        seen = [
            (r, c)
            for r in range(6)
            for c in range(9)
            if (r + 2) // 3 == (row + 2) // 3 and (c + 2) // 3 == (column + 2) // 3
        ]
        mixed = []
        for head in range(2):
            number = [(c - column + 2) * 1 + (r - row + 2) * 5 for r, c in seen]
            bias = module.bias[[24 - n for n in number], head]  # query minus key
            scores = torch.stack(
                [query[0, row, column, head] @ key[0, r, c, head] for r, c in seen]
            )
            weights = (scores / 2 + bias).softmax(0)
            mixed.append(
                sum(w * value[0, r, c, head] for w, (r, c) in zip(weights, seen, strict=True))
            )
        torch.testing.assert_close(given[0, row, column], module.out(torch.cat(mixed)))


def test_near_distances_have_numbers_of_their_own_and_far_ones_share() -> None:
    from engine.network.modules.relative import RelativeBias

    # Worked out by hand from Raffel et al. (2019): 32 numbers, half for each direction; 8 exact,
    # 8 more in ranges that widen up to 128.
    both, causal = RelativeBias(2), RelativeBias(2, causal=True)
    given = torch.tensor([0, -1, -7, -8, -11, -12, -64, -128, -500, 1, 7, 8, 200])
    expected = [0, 1, 7, 8, 8, 9, 14, 15, 15, 17, 23, 24, 31]
    assert both.bucket(given).tolist() == expected
    assert causal.bucket(torch.tensor([5, 0, -15, -16, -20, -128])).tolist() == [
        0,
        0,
        15,
        16,
        17,
        31,
    ]
    assert causal(torch.zeros(1, 4, 8))[0, 0, 1, 2] == -math.inf


def test_t5s_attention_is_torchs_without_scaling() -> None:
    from engine.network.modules.relative import RelativeAttention, RelativeBias

    module, bias = RelativeAttention(12, heads=3), RelativeBias(3)
    x, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    theirs = nn.MultiheadAttention(12, 3, bias=False, batch_first=True)
    scaled = [module.query.weight * 2, module.key.weight, module.value.weight]  # √4 undoes theirs
    theirs.in_proj_weight.data = torch.cat(scaled).data
    theirs.out_proj.load_state_dict(module.out.state_dict())
    torch.testing.assert_close(module(x, memory), theirs(x, memory, memory)[0])
    mask = bias(x).flatten(0, 1)
    torch.testing.assert_close(module(x, bias(x)), theirs(x, x, x, attn_mask=mask)[0])


def test_gated_units_that_look_before_each_step_are_the_loop_of_the_paper() -> None:
    from engine.network.modules.attention import AttentionGRU

    module = AttentionGRU(3, 5, 4)
    x, memory, first = torch.randn(2, 6, 3), torch.randn(2, 7, 5), torch.randn(2, 4)
    states, contexts, weights = module(x, memory, first)
    look, cell, before = module.attention, module.cell, first
    for place in range(6):
        # e_ij = v tanh(W s + U h), c = sum_j softmax(e)_j h_j, s' = GRU([y, c], s)
        energy = torch.tanh(look.query(before)[:, None] + look.memory(memory)) @ look.score.weight.T
        context = (energy.softmax(1) * memory).sum(1)
        before = cell(torch.cat([x[:, place], context], -1), before)
        torch.testing.assert_close(states[:, place], before)
        torch.testing.assert_close(contexts[:, place], context)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 6))


def test_a_point_transform_of_zeros_changes_nothing_and_others_multiply() -> None:
    from engine.network.modules.points import PointTransform

    points, matrix = torch.randn(2, 5, 3), torch.randn(2, 9)
    torch.testing.assert_close(PointTransform()(points, torch.zeros(2, 9)), points)
    expected = points + torch.bmm(points, matrix.reshape(2, 3, 3))
    torch.testing.assert_close(PointTransform()(points, matrix), expected)


@pytest.mark.parametrize("name", [name for name in TYPES if find(name).recurs])
def test_what_recurs_is_told_at_full_length_as_if_it_had_been_run(name: str) -> None:
    from engine.network import shapes
    from engine.network.registry import layer

    params, sizes = trial(find(name))
    inputs = [Signal((11, *sizes[0][1:])), *map(Signal, sizes[1:])]
    chosen = layer(name, {**params, **({"bidirectional": True} if name == "GRU" else {})})
    arguments = chosen.arguments([signal.shape for signal in inputs])
    told, real = (run(chosen, arguments, inputs) for run in (shapes._run, shapes._run_all))
    assert isinstance(told, Measured)
    assert isinstance(real, Measured)
    assert told.outputs == real.outputs
    assert told.flops == real.flops > 0
