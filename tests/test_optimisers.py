"""Our update rules against torch.optim, over two hundred steps of a random quadratic."""

from __future__ import annotations

import pytest
import torch

from engine.optimisers import RULES, Memory, adam, sgd

TORCH = {
    "SGD": (torch.optim.SGD, {"lr": 0.01}),
    "momentum": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    "Nesterov": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    "AdaGrad": (torch.optim.Adagrad, {"lr": 0.01}),
    # at larger rates it bounces across the minimum, where rounding alone grows to 1e-6
    "RMSProp": (torch.optim.RMSprop, {"lr": 0.001}),
    "Adam": (torch.optim.Adam, {"lr": 0.01}),
    "AdamW": (torch.optim.AdamW, {"lr": 0.01}),
    "Nadam": (torch.optim.NAdam, {"lr": 0.01}),
    "AdaMax": (torch.optim.Adamax, {"lr": 0.01}),
}


def quadratic(seed):
    """A positive definite matrix and a start, `(6, 6)` and `(6,)`."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    return root @ root.T / 6, torch.randn(6, generator=generator, dtype=torch.float64)


def torch_walk(matrix, start, kind, settings, steps=200):
    w = start.clone().requires_grad_()
    optimiser = kind([w], **settings)
    for _ in range(steps):
        optimiser.zero_grad()
        (0.5 * w @ matrix @ w).backward()
        optimiser.step()
    return w.detach()


def own_walk(matrix, w, rule, steps=200, **settings):
    memory = Memory()
    for _ in range(steps):
        w, memory = rule(w, matrix @ w, memory, **settings)
    return w


def test_every_rule_has_a_counterpart_in_torch():
    assert set(TORCH) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_walks_where_torch_walks(name):
    matrix, start = quadratic(seed=1)
    kind, settings = TORCH[name]
    ours = own_walk(matrix, start, RULES[name], learning_rate=settings["lr"])
    theirs = torch_walk(matrix, start, kind, settings)
    tolerance = 1e-9 if name == "Nadam" else 1e-12  # torch keeps Nadam's product in float32
    torch.testing.assert_close(ours, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("rule", "kind"), [(sgd, torch.optim.SGD), (adam, torch.optim.Adam)])
def test_the_old_weight_decay_is_torchs_too(rule, kind):
    matrix, start = quadratic(seed=2)
    ours = own_walk(matrix, start, rule, learning_rate=0.01, weight_decay=0.1)
    theirs = torch_walk(matrix, start, kind, {"lr": 0.01, "weight_decay": 0.1})
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_leaves_its_arguments_alone(name):
    w, g, memory = torch.ones(3), torch.ones(3), Memory()
    RULES[name](w, g, memory)
    assert torch.equal(w, torch.ones(3))
    assert torch.equal(g, torch.ones(3))
    assert memory == Memory()
