"""The nearest point of a plane that still is a picture: exact, in each norm.

    minimise ‖d‖_p  subject to  w · d = gap,  x + d in [0, 1]

Each number may move, in the direction that helps, by at most its room `r`. For p = ∞ all move
alike, for p = 2 in proportion to |w|, until they have used their room: `|d_i| = min(λ v_i, r_i)`
with v = 1 or |w|, and λ where the gain `Σ |w_i| |d_i|` reaches the gap (it grows piece by piece
linearly, so sorting where the pieces end finds it). For p = 1 the largest |w_i| is used up first.

Source: Croce & Hein (2020), Minimally distorted adversarial examples with a fast adaptive boundary
attack, section 2.2.
"""

from __future__ import annotations

import torch

TINY = 1e-12


def to_plane(x: torch.Tensor, w: torch.Tensor, gap: torch.Tensor, norm: str) -> torch.Tensor:
    """The smallest change of each sample that gains `gap` along `w` and stays in [0, 1].

    Where the plane does not meet [0, 1] the change goes as far as it can.

    Args:
        x: Samples in [0, 1], `(batch, features)`.
        w: The plane's normals, `(batch, features)`.
        gap: What is to be gained, `(batch,)`; may be negative.
        norm: "Linf", "L2" or "L1".

    Returns:
        The change d, like `x`.
    """
    way = (w * gap.sign()[:, None]).sign()
    steep, gap = w.abs(), gap.abs()
    room = torch.where(way > 0, 1 - x, x) * (way != 0)
    if norm == "L1":
        return way * _greedy(steep, room, gap)
    speed = torch.ones_like(steep) if norm == "Linf" else steep  # v
    end = torch.where(steep > 0, room / speed.clamp_min(TINY), 0)  # λ at which the room is used
    order = end.argsort(1)
    ends, gains = end.gather(1, order), (steep * speed).gather(1, order)
    used = torch.cat([torch.zeros_like(gap)[:, None], (gains * ends).cumsum(1)], 1)
    rest = gains.flip(1).cumsum(1).flip(1)  # what still grows in each piece
    reached = used[:, :-1] + rest * ends  # the gain where each piece ends
    piece = (reached < gap[:, None]).sum(1, keepdim=True).clamp_max(x.shape[1] - 1)
    strength = (gap[:, None] - used.gather(1, piece)) / rest.gather(1, piece).clamp_min(TINY)
    strength = torch.minimum(strength, ends[:, -1:])  # out of reach: everything to its end
    return way * torch.minimum(strength * speed, room)


def _greedy(steep: torch.Tensor, room: torch.Tensor, gap: torch.Tensor) -> torch.Tensor:
    order = steep.argsort(1, descending=True)
    w, r = steep.gather(1, order), room.gather(1, order)
    before = (w * r).cumsum(1) - w * r  # gained by the ones before
    moved = ((gap[:, None] - before) / w.clamp_min(TINY)).clamp_min(0)
    return torch.zeros_like(steep).scatter(1, order, torch.minimum(moved, r) * (w > 0))
