"""Influence by gradients of the last layer, and likeness as what it has to beat."""

from __future__ import annotations

from typing import Annotated

import torch

from engine.explain.training_samples import Read, influence
from engine.forms import Slider

ROUNDS = 200  # of conjugate gradients at most


@influence("tracin")
def tracin(train: Read, test: Read) -> torch.Tensor:
    """How much a step on each training sample would help the test sample: gradients multiplied.

    `∇loss(test) · ∇loss(train)` at the final weights, the last of the checkpoints that the paper
    sums over.

    Source: Pruthi et al. (2020), Estimating training data influence by tracing gradient descent.
    """
    return (test.errors @ train.errors.T) * (test.inputs @ train.inputs.T)


@influence("influence_functions")
def influence_functions(
    train: Read,
    test: Read,
    *,
    damping: Annotated[
        float, Slider(1e-4, 1.0, log=True, help="Counts rare directions less; steadier")
    ] = 0.01,
) -> torch.Tensor:
    """How much the test sample's loss would rise if a training sample had been left out.

    `∇loss(test)ᵀ (H + λ)⁻¹ ∇loss(train) / n` with the curvature `H` of the training loss in the
    last layer, solved by conjugate gradients.

    Source: Koh & Liang (2017), Understanding black-box predictions via influence functions.
    """
    rows = []
    for error, inputs in zip(test.errors, test.inputs, strict=True):
        wanted = torch.outer(error, inputs)  # (classes, features + 1)
        solved = _solved(train, wanted, damping)
        rows.append(((train.inputs @ solved.T) * train.errors).sum(1) / len(train.inputs))
    return torch.stack(rows)


def _solved(train: Read, wanted: torch.Tensor, damping: float) -> torch.Tensor:
    """`(H + damping)⁻¹ wanted` by conjugate gradients, like `wanted`."""
    found = torch.zeros_like(wanted)
    rest = wanted.clone()
    way = rest.clone()
    square = float(rest.square().sum())
    enough = 1e-12 * square
    for _ in range(ROUNDS):
        if square <= enough:
            break
        bent = curvature(train, way) + damping * way
        step = square / float((way * bent).sum())
        found, rest = found + step * way, rest - step * bent
        before, square = square, float(rest.square().sum())
        way = rest + square / before * way
    return found


def curvature(train: Read, way: torch.Tensor) -> torch.Tensor:
    """The second derivative of the mean training loss times a change of the weights, like it.

    A sample's is `(diag p − p pᵀ) ⊗ h hᵀ`.
    """
    turned = train.inputs @ way.T  # (n, classes)
    mean = (train.chances * turned).sum(1, keepdim=True)
    found: torch.Tensor = (train.chances * (turned - mean)).T @ train.inputs / len(train.inputs)
    return found


@influence("likeness")
def likeness(train: Read, test: Read) -> torch.Tensor:
    """How alike the samples are to the last layer, whatever their classes: what is to be beaten.

    The cosine between what the layer reads.

    Source: Hanawa et al. (2021), Evaluation of similarity-based explanations.
    """
    ours, theirs = (
        torch.nn.functional.normalize(one.inputs[:, :-1], dim=1) for one in (test, train)
    )
    return ours @ theirs.T
