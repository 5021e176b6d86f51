"""Our normalisations against torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from engine.normalisation import (
    BatchNorm,
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    rms_norm,
)

X = 3 * torch.randn(4, 6, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (batch_norm(X), functional.batch_norm(X, None, None, training=True)),
        (layer_norm(X), functional.layer_norm(X, X.shape[1:])),
        (instance_norm(X), functional.instance_norm(X)),
        (group_norm(X, 3), functional.group_norm(X, 3)),
        (rms_norm(X), functional.rms_norm(X, X.shape[-1:], eps=1e-5)),
    ],
    ids=["batch", "layer", "instance", "group", "rms"],
)
def test_a_norm_is_torchs(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_batch_norm_in_use_is_linear_and_folds():
    linear, norm = torch.nn.Linear(6, 4).double(), BatchNorm(4).double()
    x = X.flatten(2).mean(2)
    for _ in range(10):
        norm(linear(x))
    norm.eval()
    torch.testing.assert_close(norm.fold(linear)(x), norm(linear(x)), rtol=0, atol=1e-12)


def test_batch_norm_switched_off_does_nothing():
    norm = BatchNorm(5)
    norm.on = False
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(1))
    assert torch.equal(norm(x), x)
