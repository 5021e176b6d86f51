"""Graphs whose nodes have classes, a few of which are known: the rest must be guessed."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from engine.data.dataset import IGNORED, DataSet, datasets
from engine.forms import Slider

KARATE = """
0:1 2 3 4 5 6 7 8 10 11 12 13 17 19 21 31;1:2 3 7 13 17 19 21 30;2:3 7 8 9 13 27 28 32;3:7 12 13;
4:6 10;5:6 10 16;6:16;8:30 32 33;9:33;13:33;14:32 33;15:32 33;18:32 33;19:33;20:32 33;22:32 33;
23:25 27 29 32 33;24:25 27 31;25:31;26:29 33;27:33;28:31 33;29:32 33;30:32 33;31:32 33;32:33
"""
"""Member: those with a higher number with whom they also met outside the club."""
CLUBS = "0000000001000011001010111111111111"
"""With whom each member went: 0 the instructor, 1 the officers."""
DAVIS = """
1 2 3 4 5 6 8 9;1 2 3 5 6 7 8;2 3 4 5 6 7 8 9;1 3 4 5 6 7 8;3 4 5 7;3 5 6 8;5 6 7 8;6 8 9;5 7 8 9;
7 8 9 12;8 9 10 12;8 9 10 12 13 14;7 8 9 10 12 13 14;6 7 9 10 11 12 13 14;7 8 10 11 12;8 9;9 11;
9 11
"""
"""The events that each of 18 women went to, by number from 1 to 14."""

Seed = Annotated[int, Slider(0, 999, help="Other nodes are known")]
Known = Annotated[int, Slider(1, 10, help="More nodes of each class are known")]


@datasets.add("karate", shape=[34, 34], classes=["instructor", "officers"], kind="graph")
def karate(known: Known = 4, seed: Seed = 0) -> DataSet:
    """34 members of a karate club that split in two: with whom did each go?

    A member's features are its own number and nothing else: all there is to learn from is who knows
    whom.

    Source: Zachary (1977), An information flow model for conflict and fission in small groups.
    """
    links = np.zeros((34, 34))
    for part in KARATE.replace("\n", "").split(";"):
        member, _, others = part.partition(":")
        links[int(member), [int(other) for other in others.split()]] = 1
    y = np.array([int(club) for club in CLUBS])
    told = "34 members, 78 links; each has its own number as a feature"
    return _graph("karate", np.eye(34), links, y, ("instructor", "officers"), known, seed, told)


@datasets.add("women", shape=[32, 32], classes=["woman", "event"], kind="graph")
def women(known: Known = 3, seed: Seed = 0) -> DataSet:
    """18 women and the 14 events they went to: which node is which?

    Links go only from one kind to the other, so neighbours are never alike: hard for a network that
    takes the mean over neighbours.

    Source: Davis, Gardner & Gardner (1941), Deep South.
    """
    links = np.zeros((32, 32))
    for woman, events in enumerate(DAVIS.replace("\n", "").split(";")):
        links[woman, [17 + int(event) for event in events.split()]] = 1
    y = np.array([0] * 18 + [1] * 14)
    told = "18 women, 14 events, 89 links; each node has its own number as a feature"
    return _graph("women", np.eye(32), links, y, ("woman", "event"), known, seed, told)


@datasets.add("communities", shape=[60, 8], classes=["A", "B", "C"], kind="graph")
def communities(
    groups: Annotated[int, Slider(2, 5, help="More classes")] = 3,
    size: Annotated[int, Slider(20, 200, help="More nodes")] = 60,
    inside: Annotated[float, Slider(0.05, 0.6, help="More links within a group")] = 0.25,
    between: Annotated[float, Slider(0.0, 0.2, help="More links between groups")] = 0.02,
    known: Known = 3,
    seed: Seed = 0,
) -> DataSet:
    """Groups with many links within and few between; features tell the group but faintly.

    Source: Holland, Laskey & Leinhardt (1983), Stochastic blockmodels.
    """
    random = np.random.default_rng(seed)
    y = np.arange(size) % groups
    odds = np.where(y[:, None] == y, inside, between)
    links = np.triu(random.uniform(size=(size, size)) < odds, 1).astype(float)
    middles = random.normal(size=(groups, 8))
    x = 0.5 * middles[y] + random.normal(size=(size, 8))
    told = f"{size} nodes in {groups} groups, drawn; 8 noisy features each"
    return _graph("communities", x, links, y, tuple("ABCDE"[:groups]), known, seed, told)


def _graph(
    name: str,
    x: np.ndarray,
    links: np.ndarray,
    y: np.ndarray,
    classes: tuple[str, ...],
    known: int,
    seed: int,
    told: str,
) -> DataSet:
    """One sample, the whole graph; the answers of `known` nodes of each class are learnt from.

    Args:
        name: Of the data set.
        x: Features, `(nodes, features)`.
        links: Either half of the adjacency, `(nodes, nodes)`.
        y: Classes, `(nodes,)`.
        classes: What they are called.
        known: How many of each class.
        seed: Fixes which.
        told: For the note.
    """
    order = np.random.default_rng(seed).permutation(len(y))
    chosen = np.concatenate([order[y[order] == one][:known] for one in range(len(classes))])
    learnt = np.isin(np.arange(len(y)), chosen)
    samples = torch.from_numpy(x.astype(np.float32))[None]
    return DataSet(
        name=name,
        task="classification",
        train_x=samples,
        train_y=torch.from_numpy(np.where(learnt, y, IGNORED))[None],
        valid_x=samples,
        valid_y=torch.from_numpy(np.where(learnt, IGNORED, y))[None],
        classes=classes,
        shape=tuple(x.shape),
        links=torch.from_numpy((links + links.T).astype(np.float32)),
        note=f"{told}; {learnt.sum()} nodes are learnt from, the other {(~learnt).sum()} judge",
    )
