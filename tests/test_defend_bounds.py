"""Bounds of a network's scores: enclosing, exact where they must be, never wider than intervals."""

import numpy as np
import pytest
import torch
from torch import nn

from engine.defend.bounds.crown import crown, margins
from engine.defend.bounds.interval import interval
from engine.defend.certify import certify
from engine.network.build import build
from engine.network.templates import spec_of
from engine.training.run import train

SAMPLES = 100_000


RESIDUAL = {
    "version": 1,
    "nodes": [
        {"id": "image", "type": "Input", "params": {"shape": [2, 6, 6]}},
        {"id": "conv1", "type": "Conv2d", "params": {"out_channels": 4, "kernel_size": 3}},
        {"id": "norm", "type": "BatchNorm2d", "params": {}},
        {"id": "relu1", "type": "ReLU", "params": {}},
        {
            "id": "conv2",
            "type": "Conv2d",
            "params": {"out_channels": 4, "kernel_size": 3, "padding": 1},
        },
        {"id": "sum", "type": "Add", "params": {}},
        {"id": "relu2", "type": "LeakyReLU", "params": {}},
        {"id": "pool", "type": "AvgPool2d", "params": {"kernel_size": 2}},
        {"id": "flat", "type": "Flatten", "params": {}},
        {"id": "scores", "type": "Linear", "params": {"out_features": 3}},
    ],
    "edges": [
        ["image", "conv1"],
        ["conv1", "norm"],
        ["norm", "relu1"],
        ["relu1", "conv2"],
        ["conv2", "sum"],
        ["relu1", "sum"],
        ["sum", "relu2"],
        ["relu2", "pool"],
        ["pool", "flat"],
        ["flat", "scores"],
    ],
    "outputs": ["scores"],
}


def _residual():
    module = build(RESIDUAL)
    module.train()
    module(torch.randn(50, 2, 6, 6))  # statistics that batch norm must use
    return module, (2, 6, 6)


def _overlapping():
    """Windows that overlap, reach over the rim and do not fill the picture."""
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, padding=1),
        nn.Tanh(),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Flatten(),
        nn.Linear(27, 8),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(8, 3),
    ), (1, 9, 9)


MAKERS = {
    "mlp": lambda: (build(spec_of("mlp-2d")), (2,)),
    "lenet": lambda: (build(spec_of("lenet-digits")), (1, 8, 8)),
    "residual": _residual,
    "overlapping": _overlapping,
    "sigmoid": lambda: (nn.Sequential(nn.Linear(5, 7), nn.Sigmoid(), nn.Linear(7, 2)), (5,)),
}


@pytest.fixture(params=MAKERS)
def net(request):
    torch.manual_seed(0)
    module, shape = MAKERS[request.param]()
    return module.eval(), shape


def boxes(shape, epsilon, count=2):
    x = torch.rand(count, *shape, generator=torch.Generator().manual_seed(1))
    return (x - epsilon).clamp(0, 1), (x + epsilon).clamp(0, 1)


def drawn(module, low, high, count):
    """Lowest and highest scores among random inputs and random corners, `(batch, classes)`."""
    generator = torch.Generator().manual_seed(2)
    lowest, highest = [], []
    for one_low, one_high in zip(low, high, strict=True):
        scores = []
        for _ in range(count // 5000):
            part = torch.rand((5000, *one_low.shape), generator=generator)
            part[::2] = part[::2].round()  # corners, where affine functions are extreme
            with torch.no_grad():
                scores.append(module(one_low + (one_high - one_low) * part))
        scores = torch.cat(scores)
        lowest.append(scores.amin(0))
        highest.append(scores.amax(0))
    return torch.stack(lowest), torch.stack(highest)


@pytest.mark.parametrize("epsilon", [0.02, 0.2])
def test_bounds_enclose_a_hundred_thousand_inputs(net, epsilon):
    module, shape = net
    low, high = boxes(shape, epsilon, count=1)
    lowest, highest = drawn(module, low, high, SAMPLES)
    for bounds in (interval, crown):
        below, above = bounds(module, low, high)
        assert bool((below <= lowest + 1e-5).all()), bounds
        assert bool((above >= highest - 1e-5).all()), bounds


def test_crown_is_never_wider_and_clearly_narrower_on_a_deep_network(net):
    module, shape = net
    low, high = boxes(shape, 0.05)
    with torch.no_grad():
        wide, narrow = interval(module, low, high), crown(module, low, high)
    assert bool((narrow[0] >= wide[0] - 1e-6).all())
    assert bool((narrow[1] <= wide[1] + 1e-6).all())
    ratio = (narrow[1] - narrow[0]).mean() / (wide[1] - wide[0]).mean()
    assert float(ratio) < 0.8


def test_both_give_the_exact_range_of_an_affine_network():
    torch.manual_seed(3)
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 4)).double()
    low, high = boxes((1, 3, 4), 0.3, count=5)
    low, high = low.double(), high.double()
    weight, bias = module[1].weight, module[1].bias
    middle, half = (low + high).flatten(1) / 2, (high - low).flatten(1) / 2
    with torch.no_grad():
        centre, reach = middle @ weight.T + bias, half @ weight.abs().T
        for below, above in (interval(module, low, high), crown(module, low, high)):
            assert torch.allclose(below, centre - reach, atol=1e-12)
            assert torch.allclose(above, centre + reach, atol=1e-12)


def test_crown_stays_exact_through_two_affine_layers_where_intervals_do_not():
    torch.manual_seed(3)
    module = nn.Sequential(nn.Linear(6, 9), nn.Linear(9, 2)).double()
    low, high = (one.double() for one in boxes((6,), 0.2, count=3))
    with torch.no_grad():
        whole = module[1].weight @ module[0].weight
        reach = ((high - low) / 2) @ whole.abs().T
        below, above = crown(module, low, high)
        assert torch.allclose((above - below) / 2, reach, atol=1e-12)
        wide = interval(module, low, high)
    assert bool(((wide[1] - wide[0]) / 2 > reach * 1.01).all())


def test_a_single_bend_is_bounded_as_by_hand():
    module = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        for layer, weight, bias in ((module[0], 2.0, -1.0), (module[2], -1.0, 0.5)):
            layer.weight.fill_(weight)
            layer.bias.fill_(bias)
    low, high = torch.tensor([[0.0]]).double(), torch.tensor([[1.0]]).double()
    below, above = crown(module, low, high)  # 0.5 − max(0, 2x − 1): from −0.5 to 0.5
    assert float(below) == pytest.approx(-0.5)
    assert float(above) == pytest.approx(0.5, abs=1e-9)


def test_margins_are_no_larger_than_the_leads_that_are_found(net):
    module, shape = net
    low, high = boxes(shape, 0.05, count=1)
    with torch.no_grad():
        y = module((low + high) / 2).argmax(1)
    proved = margins(module, low, high, y)
    generator = torch.Generator().manual_seed(4)
    part = torch.rand((20_000, *shape), generator=generator)
    with torch.no_grad():
        scores = module(low + (high - low) * part)
    leads = (scores.gather(1, y.expand(len(scores))[:, None]) - scores).amin(0)
    others = torch.arange(scores.shape[1]) != y
    assert bool((proved[0][others] <= leads[others] + 1e-5).all())
    assert torch.isinf(proved[0][y])
    wide = interval(module, low, high)
    assert bool((proved[0] >= wide[0][0, y] - wide[1][0] - 1e-6).all())


def test_layers_without_bounds_are_named():
    module = nn.Sequential(nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 2))
    with pytest.raises(ValueError, match="bounds: 1 is a GELU, whose bounds are not known"):
        interval(module, torch.zeros(1, 3), torch.ones(1, 3))
    odd = nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), nn.Flatten())
    with pytest.raises(ValueError, match="must pool without dilation and ceil_mode"):
        crown(odd, torch.zeros(1, 1, 3, 3), torch.ones(1, 1, 3, 3))


def test_the_certified_curve_lies_below_the_attacked_one(tmp_path):
    for _ in train(spec_of("lenet-digits"), "digits", folder=tmp_path, epochs=4):
        pass
    run = certify(str(tmp_path), judged=10, furthest=0.06)
    assert set(next(run).views) == {"curve", "bounds", "input", "notes"}  # there at once
    frame = next(run)
    assert frame.facts["smallest lead proved (CROWN)"] >= frame.facts["by intervals"] - 1e-5
    while not frame.waits:
        frame = run.send(None)
    wide, narrow, held = frame.views["curve"].lines.values()
    assert bool(np.all(wide <= narrow + 1e-9))
    assert bool(np.all(narrow <= held + 1e-9))
    assert wide[0] == narrow[0] == held[0] > 80
    assert narrow[2] > wide[2]
