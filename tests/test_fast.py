"""The compiled route computes what PyTorch computes."""

import numpy as np
import pytest
import torch
from torch import nn

from engine.training.fast.route import _ACTIVATIONS, _LOSSES, _OPTIMIZERS, Perceptron, Way, knob_of
from engine.training.losses import losses
from engine.training.optimizers import optimizers

STEPS, BATCH = 1000, 10
KNOBS = {"cross-entropy": 0.1, "Huber": 0.7}


def network(activation=nn.Tanh, outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(2, 8), activation(), nn.Linear(8, 6), activation(), nn.Linear(6, outputs)
    )


def problem(classes):
    """250 points of a spiral-like task; classes, or two smooth numbers."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, (250, 2)).astype(np.float32)
    if classes:
        return x, ((np.arctan2(x[:, 0], x[:, 1]) + 3.2) // 2.2).clip(0, 2).astype(np.int64)
    return x, np.stack([np.sin(3 * x[:, 0]), x[:, 0] * x[:, 1]], axis=1).astype(np.float32)


def by_torch(module, x, y, name, rate, decay, momentum, loss, knob, longest=0.0, steps=STEPS):
    """The plain loop; the last loss."""
    optimizer = optimizers.find(name)(module.parameters(), rate, decay, momentum)
    judge = losses.find(loss).function
    own = {knob_of(loss): knob} if knob_of(loss) else {}
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(x)))
    for step in range(steps):
        at = step * BATCH % len(x)
        picked = order[at : at + BATCH]
        optimizer.zero_grad()
        value = judge(module(x[picked]), y[picked], **own).mean()
        value.backward()
        if longest:
            nn.utils.clip_grad_norm_(module.parameters(), longest)
        optimizer.step()
    return value.item()


def by_loop(module, x, y, name, rate, decay, momentum, loss, knob, longest=0.0, steps=STEPS):
    optimizer = optimizers.find(name)(module.parameters(), rate, decay, momentum)
    fast = Perceptron.of(module)
    fast.adopt(optimizer, name)
    way = Way(name, momentum, decay, loss, knob, longest)
    order = np.random.default_rng(1).permutation(len(x))
    done, at = 0, 0
    while done < steps:
        rates = np.full(min(len(x) // BATCH, steps - done), rate)
        taken = fast.train(x, y, order, at, BATCH, rates, done, way)
        assert taken.steps == len(rates)
        done += taken.steps
    return taken.last


def apart(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


@pytest.mark.parametrize("name", _OPTIMIZERS)
def test_weights_equal_pytorchs_after_a_thousand_steps_of_every_optimizer(name):
    rate = min(0.01, optimizers.find(name).facts["rate"]) if name != "Adadelta" else 0.5
    x, y = problem(classes=True)
    one, other = network(), network()
    args = (x, y, name, rate, 1e-3, 0.9, "cross-entropy", 0.0)
    loss = by_torch(one, *args)
    assert by_loop(other, *args) == pytest.approx(loss, abs=2e-5)
    assert apart(one, other) < 1e-5


@pytest.mark.parametrize("activation", _ACTIVATIONS)
def test_weights_equal_pytorchs_with_every_activation(activation):
    x, y = problem(classes=True)
    one, other = network(activation), network(activation)
    args = (x, y, "SGD", 0.05, 0.0, 0.9, "cross-entropy", 0.0)
    by_torch(one, *args)
    by_loop(other, *args)
    assert apart(one, other) < 1e-5


@pytest.mark.parametrize("loss", _LOSSES)
def test_weights_equal_pytorchs_with_every_loss(loss):
    classes = "classification" in losses.find(loss).facts["tasks"]
    x, y = problem(classes)
    outputs = 3 if classes else 2
    one, other = network(outputs=outputs), network(outputs=outputs)
    args = (x, y, "Momentum", 0.01, 0.0, 0.8, loss, KNOBS.get(loss, 0.0), 0.5)
    value = by_torch(one, *args)
    assert by_loop(other, *args) == pytest.approx(value, rel=1e-4)
    assert apart(one, other) < 1e-5


def test_pytorch_goes_on_where_the_loop_left_off_and_back():
    x, y = problem(classes=True)
    one, other = network(), network()
    whole = (x, y, "Adam", 0.01, 0.0, 0.9, "cross-entropy", 0.0)
    by_torch(one, *whole, steps=75)
    optimizer = optimizers.find("Adam")(other.parameters(), 0.01, 0.0, 0.9)
    fast = Perceptron.of(other)
    way, order = Way("Adam", 0.9, 0.0, "cross-entropy"), np.random.default_rng(1).permutation(250)
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    for epoch in range(3):
        fast.adopt(optimizer, "Adam")
        if epoch != 1:
            fast.train(x, y, order, 0, BATCH, np.full(25, 0.01), 25 * epoch, way)
            fast.count(optimizer, "Adam", 25 * (epoch + 1))
            continue
        for at in range(0, 250, BATCH):
            picked = order[at : at + BATCH]
            optimizer.zero_grad()
            nn.functional.cross_entropy(other(tensors[0][picked]), tensors[1][picked]).backward()
            optimizer.step()
    assert apart(one, other) < 1e-5


def test_every_units_answer_is_what_the_module_gives():
    module = network()
    fast = Perceptron.of(module)
    x, _ = problem(classes=True)
    units = fast.answers(x)
    hidden = module[1](module[0](torch.from_numpy(x)))
    assert np.allclose(units[2:10].T, hidden.detach().numpy(), atol=1e-6)
    assert np.allclose(units[-3:].T, module(torch.from_numpy(x)).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize(
    "module",
    [
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()),
        nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Linear(2, 2)),
        nn.Sequential(nn.Linear(2, 2), nn.Softplus(2.0)),
        nn.Sequential(nn.Linear(100, 100)),
        nn.Sequential(nn.Tanh(), nn.Linear(2, 2)),
    ],
)
def test_what_the_loop_does_not_know_is_left_to_pytorch(module):
    assert Perceptron.of(module) is None


def test_a_loss_that_is_no_number_ends_the_steps_before_the_weights_are_spoilt():
    module = network()
    optimizer = optimizers.find("SGD")(module.parameters(), 1e30, 0.0, 0.0)
    fast = Perceptron.of(module)
    fast.adopt(optimizer, "SGD")
    x, y = problem(classes=True)
    way = Way("SGD", 0.0, 0.0, "cross-entropy")
    taken = fast.train(x, y, np.arange(250), 0, BATCH, np.full(25, 1e30), 0, way)
    assert taken.steps < 25
    assert not np.isfinite(taken.last)


def test_the_names_of_the_tables_are_those_of_the_real_ones():
    assert set(_OPTIMIZERS) <= set(optimizers.all())
    assert set(_LOSSES) <= set(losses.all())
