"""A network across devices, layer by layer.

A model too large for one device is cut between layers: each device holds some of them and passes
its activations on. The result is the same to the last bit, and the memory is shared. But layers
depend on each other, so with one batch only one device works at a time: `P` devices with equal work
are busy `1/P` of the time. Cutting where little must be passed on, and sharing the work evenly,
pull in different directions.

**Try:** click a layer to move it to the next device; then put two distant layers on one device.

Source: Dean et al. (2012), Large scale distributed deep networks;
Krizhevsky (2014), One weird trick for parallelizing convolutional neural networks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn

from demos.kit import Claim, Frames, Numbers, Pick, Question, Slider, below, lab, near, same
from engine.views import Bars, Edge, Frame, Graph, Node, Span, Timeline, View, layered

LAYERS, WIDTH, BATCH = 4, 64, 128


def make() -> list[nn.Module]:
    """Four equal layers: 64 numbers to 64, then ReLU."""
    torch.manual_seed(0)
    return [nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()) for _ in range(LAYERS)]


def split_forward(layers: list[nn.Module], place: list[int], x: Tensor) -> tuple[Tensor, int]:
    """The output when each layer runs on its device, and how many numbers were sent."""
    on, sent = place[0], 0
    for layer, device in zip(layers, place, strict=True):
        if device != on:
            x, sent, on = x.clone(), sent + x.numel(), device  # a copy in the other's memory
        x = layer(x)
    return x, sent


def timetable(place: list[int], transfer: float) -> list[Span]:
    """When each device works for one batch; a layer takes 1 forward and 2 backward."""
    spans: list[Span] = []
    now, on = 0.0, place[0]
    way = [(layer, 1.0, "forward") for layer in range(LAYERS)]
    way += [(layer, 2.0, "backward") for layer in reversed(range(LAYERS))]
    for layer, long, kind in way:
        now += transfer if place[layer] != on else 0.0
        on = place[layer]
        spans.append(Span(f"device {on + 1}", now, now + long, f"{layer + 1}", kind))
        now += long
    return spans


def utilisation(spans: list[Span], devices: int) -> float:
    """Share of all devices' time in which they work."""
    work = sum(span.end - span.start for span in spans)
    return work / (devices * max(span.end for span in spans))


def megabytes(place: list[int], device: int) -> tuple[float, float]:
    """What a device holds: weights with gradients, and activations kept for the way back [MB]."""
    held = sum(one == device for one in place)
    return held * 2 * 4 * (WIDTH + 1) * WIDTH / 1e6, held * 2 * 4 * BATCH * WIDTH / 1e6


@lab(
    covers=["model-parallelism"],
    seconds=1,
    tries={
        "A layer a device": {"place": [0.0, 1.0, 2.0, 3.0]},
        "Two and two": {"place": [0.0, 0.0, 1.0, 1.0]},
        "To and fro, with slow lines": {"place": [0.0, 1.0, 0.0, 1.0], "transfer": 1.0},
    },
    question=Question(
        "4 equal layers on 4 devices, one batch at a time. How busy are the devices?",
        ("100 %", "50 %", "25 %"),
        2,
        "Each layer waits for the one before: one device works, three wait.",
    ),
    needs=["mlp"],
)
def run(
    place: Annotated[
        list[float],
        Numbers(LAYERS, 0, 3, ("layer 1", "layer 2", "layer 3", "layer 4"), live=True,
                help="The device of each layer, from 0"),
    ] = [0.0, 1.0, 2.0, 3.0],  # noqa: B006
    move: Annotated[int, Pick(LAYERS, "network", help="Click: on to the next device")] = 0,
    transfer: Annotated[
        float, Slider(0, 2, live=True, unit="forward passes", help="Slower lines between devices")
    ] = 0.0,
) -> Frames:  # fmt: skip
    """Who holds which layer, who works when, and what each must store."""
    del move  # only a click counts
    while True:
        where = [round(value) for value in place]
        changes = (yield replace(picture(where, transfer), waits=True)) or {}
        if "place" in changes:
            place = list(changes["place"])  # type: ignore[arg-type]  # the form saw to it
        if "move" in changes:
            layer = int(changes["move"])  # type: ignore[arg-type]
            place = [(v + 1) % 4 if n == layer else v for n, v in enumerate(where)]
        transfer = float(changes.get("transfer", transfer))  # type: ignore[arg-type]


def picture(place: list[int], transfer: float) -> Frame:
    """Everything for one placement."""
    spans, devices = timetable(place, transfer), len(set(place))
    layers, x = make(), torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        y, sent = split_forward(layers, place, x)
        same_bits = torch.equal(y, nn.Sequential(*layers)(x))
    ids = [f"layer {n + 1}" for n in range(LAYERS)]
    spots = layered([[id] for id in ids])
    nodes = tuple(
        Node(id, f"{id} on {d + 1}", *spots[id], kind=f"device {d + 1}", detail="click to move on")
        for id, d in zip(ids, place, strict=True)
    )
    edges = tuple(
        Edge(a, b, label="sent" if place[n] != place[n + 1] else "")
        for n, (a, b) in enumerate(pairwise(ids))
    )
    names, held = (
        tuple(f"device {d + 1}" for d in range(4)),
        [megabytes(place, d) for d in range(4)],
    )
    views: dict[str, View] = {
        "time": Timeline(
            names, tuple(spans), "time [forward passes of a layer]", "who works when, on what"
        ),
        "network": Graph(nodes, edges, "which device holds what (click a layer)"),
        "memory": Bars(
            names,
            {
                "weights and gradients": np.array([one[0] for one in held]),
                "activations": np.array([one[1] for one in held]),
            },
            ylabel="memory [MB]", title="what each device must hold",
        ),
    }  # fmt: skip
    facts = {
        "devices used": devices,
        "busy [%]": 100 * utilisation(spans, devices),
        "time [forward passes]": max(span.end for span in spans),
        "numbers sent forward": sent,
        "same bits as on one device": float(same_bits),
    }
    return Frame(1, 1, views, facts)


def check() -> Iterator[Claim]:
    """Bit for bit the same output, and each of 4 devices works a quarter of the time."""
    x = torch.randn(BATCH, WIDTH, generator=torch.Generator().manual_seed(1))
    for place in ([0, 1, 2, 3], [0, 0, 1, 1], [0, 1, 0, 1]):
        y, _ = split_forward(make(), place, x)
        told = f"Layers on devices {place}: output equals that of one device"
        yield same(told, torch.equal(y, nn.Sequential(*make())(x)), True)
    spans = timetable([0, 1, 2, 3], 0.0)
    yield near("4 devices, one batch: utilisation", utilisation(spans, 4), 0.25, 0.0)
    held = sum(sum(megabytes([0, 1, 2, 3], device)) for device in range(4))
    gap = abs(held - sum(megabytes([0, 0, 0, 0], 0)))
    yield below("Memory of 4 devices − that of one [MB]", gap, 1e-12)
