"""Our step with our Adam walks where PyTorch's Adam walks."""

import copy

import torch

from engine.one_step import one_step
from engine.optimisers import Memory


def test_twenty_steps_are_pytorchs_adams():
    torch.manual_seed(0)
    ours = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    theirs, x = copy.deepcopy(ours), torch.randn(16, 3)
    adam, memory = torch.optim.Adam(theirs.parameters(), lr=0.01), Memory()
    for _ in range(20):
        memory = one_step(ours, ours(x).square().mean(), memory, learning_rate=0.01)
        adam.zero_grad()
        theirs(x).square().mean().backward()
        adam.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
