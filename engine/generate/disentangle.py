"""Which unit of a code follows which factor of what is seen: mutual information, and its gap."""

from __future__ import annotations

import torch

BINS = 20  # of a unit, each with as many samples


def information(codes: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """I(unit; factor) [nat] of every pair, `(latent, factors)`, from counts.

    A unit is cut into bins of equal numbers of samples, so I is at most log BINS. Counts of n
    samples give a little too much: about (bins - 1)(values - 1) / 2n, which is taken off.

    Args:
        codes: `(n, latent)`.
        factors: Whole numbers, `(n, factors)`.

    Source: Miller (1955), Note on the bias of information estimates, for the correction.
    """
    ranks = codes.argsort(0).argsort(0)
    binned = ranks * BINS // len(codes)
    found = torch.zeros(codes.shape[1], factors.shape[1])
    for unit in range(codes.shape[1]):
        for factor in range(factors.shape[1]):
            values = int(factors[:, factor].max()) + 1
            both = torch.bincount(
                binned[:, unit] * values + factors[:, factor], minlength=BINS * values
            ).double()
            joint = (both / both.sum()).view(BINS, values)
            apart = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
            told = torch.where(joint > 0, joint * (joint / apart).log(), 0.0).sum()
            extra = (BINS - 1) * (values - 1) / (2 * len(codes))
            found[unit, factor] = max(0.0, float(told) - extra)
    return found


def entropies(factors: torch.Tensor) -> torch.Tensor:
    """The entropy of every factor [nat], `(factors,)`."""
    told = []
    for one in factors.T:
        share = torch.bincount(one).double() / len(one)
        told.append(-(share * share.clamp_min(1e-300).log()).sum())
    return torch.stack(told).float()


def gap(shares: torch.Tensor) -> float:
    """The mean over factors of how far the best unit is ahead of the second (MIG), in [0, 1].

    Args:
        shares: Information as a share of the factor's entropy, `(latent, factors)`.

    Source: Chen et al. (2018), Isolating Sources of Disentanglement in VAEs.
    """
    if len(shares) < 2:
        return float(shares.mean())
    best = shares.topk(2, dim=0).values
    return float((best[0] - best[1]).mean())
