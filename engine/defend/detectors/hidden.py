"""Detectors that compare the last hidden layer with what clean samples of the class look like."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import nn

from engine.defend.features import features
from engine.defend.table import Suspicion, detectors
from engine.forms import Slider


@detectors.add("mahalanobis")
def mahalanobis(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    ridge: Annotated[float, Slider(1e-6, 10.0, log=True, help="Trusts rare directions less")] = 1.0,
) -> Suspicion:
    """Distance to the nearest class's mean in the last hidden layer, measured by its spread.

    One covariance for all classes, as in a linear discriminant. Directions in which clean samples
    hardly differ are trusted less (`ridge`, in units of the mean variance): attacks leave the
    others too.

    Source: Lee et al. (2018), A simple unified framework for detecting out-of-distribution
    samples and adversarial attacks.
    """
    seen = features(module, x).double()
    classes = y.unique()
    means = torch.stack([seen[y == one].mean(0) for one in classes])  # (classes, features)
    off = seen - means[torch.searchsorted(classes, y)]
    spread = off.T @ off / len(off)
    size = spread.diagonal().mean().clamp_min(1e-12)
    precision = torch.linalg.inv(spread + ridge * size * torch.eye(len(spread)).double())

    def suspicion(given: torch.Tensor) -> torch.Tensor:
        away = features(module, given).double()[:, None] - means  # (batch, classes, features)
        distance: torch.Tensor = torch.einsum("bcf,fg,bcg->bc", away, precision, away)
        return distance.amin(1)

    return suspicion


@detectors.add("density")
def density(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    width: Annotated[
        float, Slider(0.05, 5.0, log=True, help="Wider kernels, times the usual distance")
    ] = 0.1,
) -> Suspicion:
    """How thinly the class that is said is settled around the sample: a kernel density.

    Source: Feinman et al. (2017), Detecting adversarial samples from artifacts.
    """
    seen = features(module, x)
    usual = torch.cdist(seen[:500], seen[:500]).median().clamp_min(1e-9)
    groups = {int(one): seen[y == one] for one in y.unique()}

    def suspicion(given: torch.Tensor) -> torch.Tensor:
        here = features(module, given)
        with torch.no_grad():
            said = module(given).argmax(1)
        scores = []
        for place, answer in zip(here, said.tolist(), strict=True):
            group = groups.get(answer)
            if group is None:
                scores.append(math.inf)
                continue
            apart = torch.cdist(place[None], group)[0] / (width * usual)
            scores.append(float(math.log(len(group)) - torch.logsumexp(-(apart**2) / 2, 0)))
        return torch.tensor(scores)

    return suspicion
