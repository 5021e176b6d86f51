"""The scalar autograd engine against torch's and against itself run the other way."""

from __future__ import annotations

import pytest
import torch

from engine.autograd import Value, backward, drawn, forward, ordered


def formula(x, y):
    return (x * y).sin() + (x - y).squared() * x.tanh() + y.exp()


def as_torch(x, y):
    return torch.sin(x * y) + (x - y) ** 2 * torch.tanh(x) + torch.exp(y)


def test_reverse_mode_agrees_with_torch():
    x, y = Value(0.7), Value(-1.3)
    backward(formula(x, y))
    ends = [torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in (x, y)]
    truth = torch.autograd.grad(as_torch(*ends), ends)
    assert [x.gradient, y.gradient] == pytest.approx([t.item() for t in truth], rel=1e-14)


def test_forward_mode_agrees_with_reverse_mode():
    x, y = Value(0.7), Value(-1.3)
    out = formula(x, y)
    backward(out)
    assert forward(out, x)[id(out)] == pytest.approx(x.gradient, rel=1e-14)
    assert forward(out, y)[id(out)] == pytest.approx(y.gradient, rel=1e-14)


def test_paths_that_meet_add_up():
    x = Value(1.0)
    y = x
    for _ in range(30):
        y = y + y
    backward(y)
    assert x.gradient == 2**30


def test_a_pass_can_be_stopped_half_way():
    x = Value(2.0)
    middle = x.squared()
    out = middle.squared()
    backward(out, steps=1)
    assert (out.gradient, middle.gradient, x.gradient) == (1.0, 8.0, 0.0)


def test_a_long_chain_does_not_exhaust_the_stack():
    x = Value(1.0)
    y = x
    for _ in range(5000):
        y = y + x
    assert len(ordered(y)) == 5001


def test_the_picture_puts_every_value_after_its_parents():
    out = formula(Value(0.7, name="x"), Value(-1.3, name="y"))
    graph = drawn(out, {}, "formula")
    places = {node.id: node.x for node in graph.nodes}
    assert all(places[edge.source] < places[edge.target] for edge in graph.edges)
