"""The walk as a page: forward stop by stop, the loss, and back, each with its numbers."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import nn

from engine.forms import Slider, Value
from engine.network.build import Network
from engine.training import travel
from engine.understand.past import restored
from engine.understand.walk import Stop, Walk, walk
from engine.views import Array, Bars, Edge, Frame, Graph, Matrix, Node, Note, Table, Tiles, View

TERMS = 5  # of a sum that are written out
MOST_CELLS = 4_096


def study(
    model: str,
    *,
    stop: Annotated[int, Slider(0, 200, live=True, help="On along the way")] = 0,
    sample: Annotated[int, Slider(0, 9999, live=True, help="Another training sample")] = 0,
    unit: Annotated[int, Slider(0, 511, live=True, help="Another unit of the layer")] = 0,
) -> Generator[Frame, Mapping[str, Value] | None, None]:
    """Walk one sample through the network and its error back; wait at every stop.

    Args:
        model: The folder of the run.
        stop: Where on the way: layers forward, the loss, layers back.
        sample: Number of the training sample.
        unit: The unit whose sum is written out.

    Yields:
        A frame a stop, which waits.
    """
    folder = Path(model)
    steps = travel.kept(folder)
    if not steps:
        raise LookupError("this run has kept no steps; train the network anew")
    session = restored(folder, steps[-1])
    module = session.module
    if session.data.train_y.ndim > 1 and session.classifies:
        raise ValueError(
            f"the walk follows samples with one answer; {session.data.name} asks for one at each "
            "pixel, place or node"
        )
    if not isinstance(module, Network):
        raise TypeError("the walk needs a network that a spec describes")
    module.eval()
    known = -1
    while True:
        index = int(sample) % len(session.data.train_x)
        if known != index:
            x, y = session.data.train_x[index : index + 1], session.data.train_y[index : index + 1]
            way = walk(module, session.data.inputs(x), y, session.objective)
            known = index
        place = min(int(stop), 2 * len(way.stops))
        changes = yield _frame(way, place, int(unit), index, session.data.classes)
        told = changes or {}
        stop, sample, unit = (
            int(float(str(told.get(name, before))))
            for name, before in (("stop", stop), ("sample", sample), ("unit", unit))
        )


def _frame(way: Walk, place: int, unit: int, sample: int, classes: tuple[str, ...]) -> Frame:
    count = len(way.stops)
    views: dict[str, View] = {"way": _map(way, place)}
    if place == count:
        views |= _at_the_loss(way, classes)
    elif place < count:
        views |= _forward(way.stops[place], unit)
    else:
        views |= _backward(way.stops[2 * count - place], unit)
    facts = {"training sample": float(sample), "loss": way.loss, "stop": float(place)}
    return Frame(place, 2 * count, views, facts, waits=True)


def _map(way: Walk, place: int) -> Graph:
    """The layers in a row, then the loss; where one stands is marked."""
    count = len(way.stops)
    here = place if place <= count else 2 * count - place
    nodes = [
        Node(str(k), stop.name, k / max(1, count), 0.5, kind="here" if k == here else "",
             detail=f"{type(stop.layer).__name__} {_shape(stop.output)}")
        for k, stop in enumerate(way.stops)
    ]  # fmt: skip
    nodes.append(
        Node(str(count), "loss", 1.0, 0.5, way.loss, "here" if here == count else "", "the end")
    )
    back = place > count
    pairs = [(str(k), str(k + 1)) for k in range(count)]
    edges = [Edge(b, a) if back else Edge(a, b) for a, b in pairs]
    title = "the error goes back" if back else "the sample goes forward"
    return Graph(tuple(nodes), tuple(edges), title)


def _forward(stop: Stop, unit: int) -> dict[str, View]:
    return {
        "in": _picture(stop.inputs[0], "what comes in, x"),
        "out": _picture(stop.output, "what comes out, z"),
        "sum": Note(_sum(stop, unit), f"{stop.name}: {type(stop.layer).__name__}, forward"),
    }


def _backward(stop: Stop, unit: int) -> dict[str, View]:
    views: dict[str, View] = {
        "error": _picture(stop.error, "the error that comes, g = ∂L/∂z", signed=True),
        "sum": Note(_chain(stop, unit), f"{stop.name}: {type(stop.layer).__name__}, back"),
    }
    if stop.passed is not None:
        views["passed"] = _picture(stop.passed, "the error that goes on, ∂L/∂x", signed=True)
    for name, gradient in stop.weights.items():
        views[name] = _picture(gradient[None], f"∂L/∂{name}", signed=True)
    return views


def _at_the_loss(way: Walk, classes: tuple[str, ...]) -> dict[str, View]:
    scores, error = way.scores.flatten().numpy(), way.error.flatten().numpy()
    few = slice(0, 24)
    names = tuple(classes[:24]) or tuple(str(k) for k in range(len(scores[few])))
    names = names if len(names) == len(scores[few]) else tuple(map(str, range(len(scores[few]))))
    rows = tuple(
        (name, round(float(s), 6), round(float(e), 6))
        for name, s, e in zip(names, scores[few], error[few], strict=True)
    )
    text = (
        f"The loss of this sample is **{way.loss:.6f}**. Its gradient by each score begins the way "
        "back; with cross-entropy it is the chance less the target, p − t."
    )
    return {
        "scores": Bars(names, {"score": scores[few]}, ylabel="score"),
        "sum": Note(text, "the loss"),
        "numbers": Table(("output", "score z", "g = ∂L/∂z"), rows),
    }


def _sum(stop: Stop, unit: int) -> str:
    """One unit's output with its numbers in the formula."""
    layer, formula = stop.layer, f"`{stop.formula.split(';')[0]}`"
    if isinstance(layer, nn.Linear):
        unit %= layer.out_features
        weights = layer.weight[unit].detach()
        x, z = (
            stop.inputs[0].reshape(-1, layer.in_features)[0],
            stop.output.reshape(-1, layer.out_features)[0],
        )
        bias = float(layer.bias[unit].detach()) if layer.bias is not None else 0.0
        said = f"{_products(weights, x)} {_signed(bias)} = {float(z[unit]):.6f}"
        return f"{formula}\n\n`z[{unit}] = {said}`"
    if isinstance(layer, nn.Conv2d) and stop.inputs[0].ndim == 4:
        return f"{formula}\n\n{_window(stop, layer, unit)}"
    flat, out = stop.inputs[0].flatten(), stop.output.flatten()
    if flat.shape == out.shape and len(flat):
        unit %= len(flat)
        before, after = float(flat[unit]), float(out[unit])
        return f"{formula}\n\n`x[{unit}] = {before:.6f}  →  z[{unit}] = {after:.6f}`"
    return formula


def _chain(stop: Stop, unit: int) -> str:
    """One weight's, or one number's, gradient with its numbers in the chain rule."""
    by = "" if stop.by_hand else " (by PyTorch)"
    formula = f"`{stop.formula.split(';')[-1].strip()}`{by}"
    layer = stop.layer
    if isinstance(layer, nn.Linear) and "weight" in stop.weights:
        unit %= layer.out_features
        x = stop.inputs[0].reshape(-1, layer.in_features)[0]
        g = stop.error.reshape(-1, layer.out_features)[0]
        column = int(x.abs().argmax())
        found = float(stop.weights["weight"][unit, column])
        line = (
            f"`∂L/∂W[{unit},{column}] = g[{unit}] · x[{column}] = {float(g[unit]):.6f} · "
            f"{float(x[column]):.6f} = {found:.6f}`"
        )
        weights = layer.weight[:, column].detach()
        total = "" if stop.passed is None else (
            f"\n\n`∂L/∂x[{column}] = {_products(weights, g)} = "
            f"{float(stop.passed.reshape(-1, layer.in_features)[0, column]):.6f}`"
        )  # fmt: skip
        return f"{formula}\n\n{line}{total}"
    if stop.passed is not None and stop.passed.shape == stop.error.shape and stop.error.numel():
        g, passed = stop.error.flatten(), stop.passed.flatten()
        unit %= len(g)
        return (
            f"{formula}\n\n`g[{unit}] = {float(g[unit]):.6f}  →  ∂L/∂x[{unit}] = "
            f"{float(passed[unit]):.6f}`"
        )
    return formula


def _products(weights: torch.Tensor, values: torch.Tensor) -> str:
    """The largest products of a sum, and what the others come to."""
    products = weights * values
    top = products.abs().argsort(descending=True)[:TERMS]
    terms = [
        f"{_signed(float(weights[k]))}·{_factor(float(values[k]))}" for k in sorted(top.tolist())
    ]
    shown = " ".join(terms).removeprefix("+ ")
    rest = float(products.sum() - products[top].sum())
    more = len(products) - len(top)
    return f"{shown} + ({more} more: {rest:+.4f})" if more > 0 else shown


def _signed(value: float) -> str:
    """A number of a sum, its sign apart from it."""
    return f"{'-' if value < 0 else '+'} {abs(value):.4f}"


def _factor(value: float) -> str:
    return f"({value:.4f})" if value < 0 else f"{value:.4f}"


def _window(stop: Stop, layer: nn.Conv2d, unit: int) -> str:
    """The largest output of a channel: what its window saw, times the filter."""
    unit %= layer.out_channels
    channel = stop.output[0, unit]
    row, column = divmod(int(channel.argmax()), channel.shape[1])
    value = float(channel[row, column])
    return (
        f"Channel {unit} is largest at row {row}, column {column}: the filter's "
        f"{layer.weight[unit].numel()} weights times what the window sees there, plus the bias, "
        f"are `{value:.6f}`."
    )


def _picture(values: torch.Tensor, title: str, signed: bool = False) -> View:
    """Numbers of one sample as tiles, a matrix or bars, by their shape."""
    array: Array = values.detach().float().numpy()[0] if values.ndim > 1 else values.numpy()
    title = f"{title}, {_shape(values)}"
    if array.ndim == 3:
        return Tiles(array[:64].copy(), scale="signed" if signed else "sequential", title=title)
    if array.ndim == 2 and array.size <= MOST_CELLS:
        return Matrix(array.copy(), scale="signed", title=title)
    flat = array.reshape(-1)[:48]
    names = tuple(map(str, range(len(flat))))
    return Bars(names, {"value": flat.astype(np.float64)}, title=title)


def _shape(values: torch.Tensor) -> str:
    return " × ".join(map(str, values.shape[1:])) or "1"
