"""A network of the visitor's own as a part of a generative model."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from engine.generate.families import Networks


def part(
    networks: Networks,
    name: str,
    takes: tuple[int, ...],
    gives: tuple[int, ...],
    usual: Callable[[], nn.Module],
) -> nn.Module:
    """The network that stands for a part: the visitor's own, or the family's usual one.

    Args:
        networks: Part -> NetworkSpec in JSON.
        name: The part.
        takes: Shape of one input, without the batch.
        gives: Shape of one output.
        usual: Makes the family's own network.

    Raises:
        ValueError: The visitor's network takes or gives another shape.
    """
    if not networks.get(name):
        return usual()
    from engine.network.build import build  # here: a model without such parts needs none of it
    from engine.network.spec import NetworkSpec

    own = build(NetworkSpec.parse(networks[name])).eval()
    try:
        with torch.no_grad():
            given = tuple(own(torch.zeros(2, *takes)).shape[1:])
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        raise ValueError(
            f"{name}: your network must take one input of shape {list(takes)}; it says: "
            f"{str(error)[:200]}"
        ) from error
    if given != gives:
        raise ValueError(
            f"{name}: your network must give {list(gives)} for an input of {list(takes)}; it gives "
            f"{list(given)}: change its last layer"
        )
    return own.train()
