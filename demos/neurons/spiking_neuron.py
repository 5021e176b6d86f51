"""From the living neuron to the artificial one.

A nerve cell gathers current `I` on its membrane, `τ dV/dt = −V + R I`, and leaks it away. When the
voltage reaches a threshold it fires a spike, starts again from zero, and rests for `t_ref`. Below
a certain current it is silent; above it, the stronger the current the faster it fires:
`f = 1/(t_ref + τ ln(R I/(R I − V_th)))`. Keep only that curve, with synapses as weights, and you
have `y = φ(Σ wᵢ xᵢ + b)`: a unit of a neural network, whose output is a firing rate.

**Try:** make a synapse inhibit (a negative weight) until the cell falls silent.

Source: Lapicque (1907); Gerstner et al. (2014), Neuronal Dynamics, chapter 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Numbers, Question, Slider, below, interactive, lab, near
from engine.views import Array, Curve, Edge, Frame, Graph, Node, View

RESISTANCE, SHOWN = 10.0, 300.0  # [MΩ], [ms] of the trace
NAMES = ("cell a", "cell b", "cell c")
WEIGHTS, INPUTS = [1.5, 1.0, -0.5], [1.0, 1.5, 0.0]
CURRENTS = np.linspace(0, 5, 26)  # [nA]


def simulate(
    current: Array, tau: float, threshold: float, rest: float, time: float, step: float = 0.1
) -> tuple[Array, Array]:
    """Leaky integrate-and-fire cells, one for each current `(cells,)` [nA], in small steps [ms].

    `tau` [ms] says how slowly charge leaks, `rest` [ms] how long a cell is deaf after a spike.
    Gives the voltages [mV], `(steps, cells)`, and the times of spikes [ms], NaN elsewhere.
    """
    V, deaf = np.zeros(len(current)), np.zeros(len(current))
    steps = round(time / step)
    trace, spikes = np.zeros((steps, len(current))), np.full((steps, len(current)), np.nan)
    decay = np.exp(-step / tau)  # the exact solution over one step
    for now in range(steps):
        V = np.where(deaf > 0, 0.0, RESISTANCE * current + (V - RESISTANCE * current) * decay)
        deaf = deaf - step
        fired = threshold <= V
        spikes[now, fired] = now * step
        deaf[fired], V = rest, np.where(fired, 0.0, V)
        trace[now] = np.where(fired, 40.0, V)  # a spike is drawn as a flash to 40 mV
    return trace, spikes


def rate(spikes: Array) -> Array:
    """Spikes a second [Hz] between each cell's first and last spike, 0 for fewer than two."""
    count = np.isfinite(spikes).sum(axis=0)
    out = np.zeros(spikes.shape[1])
    for cell in np.flatnonzero(count >= 2):
        times = spikes[np.isfinite(spikes[:, cell]), cell]
        out[cell] = 1000 * (len(times) - 1) / (times[-1] - times[0])
    return out


def rate_by_formula(current: Array, tau: float, threshold: float, rest: float) -> Array:
    """`f = 1/(t_ref + τ ln(R I/(R I − V_th)))` [Hz], 0 below the threshold."""
    drive = np.maximum(RESISTANCE * current, 1e-9)
    above = drive > threshold
    log = np.log(np.where(above, drive, 2.0) / np.where(above, drive - threshold, 1.0))
    return np.where(above, 1000 / (rest + tau * log), 0.0)


@lab(
    covers=["biological-neuron"],
    seconds=1,
    tries={
        "Just below the threshold": {"weights": [1.45, 1.0, -0.5], "inputs": [1.0, 0.0, 0.0]},
        "Inhibited": {"weights": [1.5, 1.0, -2.0], "inputs": [1.0, 1.5, 1.5]},
        "A tired cell": {"rest": 20.0},
    },
    question=Question(
        "The current is doubled, from half the threshold to just below it. What does the cell do?",
        ("It fires twice as often", "It fires once", "Nothing: it stays silent"),
        2,
        "The leak takes away what comes in before the threshold is reached: like ReLU, it has a "
        "range in which nothing comes out.",
    ),
)
def run(
    weights: Annotated[
        list[float], Numbers(3, -2, 2, NAMES, across=3, help="Synapses [nA]", live=True)
    ] = WEIGHTS,
    inputs: Annotated[
        list[float], Numbers(3, 0, 2, NAMES, across=3, help="How active they are", live=True)
    ] = INPUTS,
    threshold: Annotated[float, Slider(5, 30, unit="mV", help="Harder to fire", live=True)] = 15.0,
    tau: Annotated[float, Slider(5, 50, unit="ms", help="A slower leak", live=True)] = 20.0,
    rest: Annotated[
        float, Slider(0, 20, unit="ms", help="A longer rest after a spike", live=True)
    ] = 2.0,
) -> Frames:
    """Show the voltage, the rate against current, and the artificial unit beside it."""
    yield from interactive(
        picture, weights=weights, inputs=inputs, threshold=threshold, tau=tau, rest=rest
    )


def picture(
    weights: list[float], inputs: list[float], threshold: float, tau: float, rest: float
) -> Frame:
    """The cell under its synapses' current, and the unit that stands for it."""
    current = float(np.dot(weights, inputs))
    trace, spikes = simulate(np.array([current]), tau, threshold, rest, SHOWN)
    fires = float(rate_by_formula(np.array([current]), tau, threshold, rest)[0])
    formula = rate_by_formula(CURRENTS, tau, threshold, rest)
    units = {
        "the cell": formula,
        "ReLU unit": _relu_fit(formula),
        "sigmoid unit": _sigmoid_fit(formula),
    }
    lines = {"membrane": trace[:, 0], "threshold": np.full(len(trace), threshold)}
    time, marks = np.linspace(0, SHOWN, len(trace)), {"now": min(max(current, 0.0), 5.0)}
    fired = f"a current of {current:.2f} nA: {np.isfinite(spikes).sum()} spikes"
    fitted = "rate against current, and two units fitted to it"
    views: dict[str, View] = {
        "voltage": Curve(time, lines, "time [ms]", "voltage [mV]", title=fired),
        "rates": Curve(CURRENTS, units, "current [nA]", "rate [Hz]", marks=marks, title=fitted),
        "unit": _unit(weights, inputs, current, fires),
    }
    facts = {"current Σ w x [nA]": current, "rate by formula [Hz]": fires}
    return Frame(1, 1, views, facts | {"rate simulated [Hz]": float(rate(spikes)[0])})


def _relu_fit(f: Array) -> Array:
    """The ReLU unit through the firing part of the curve."""
    on = f > 0
    if on.sum() < 2:
        return np.zeros(len(f))
    slope, height = np.polyfit(CURRENTS[on], f[on], 1)
    return np.asarray(np.maximum(slope * CURRENTS + height, 0.0))


def _sigmoid_fit(f: Array) -> Array:
    """The sigmoid unit: a straight line through the log-odds of the rate over its largest."""
    top = 1.1 * max(float(f.max()), 1.0)
    part = np.clip(f / top, 0.02, 0.98)
    slope, height = np.polyfit(CURRENTS, np.log(part / (1 - part)), 1)
    return np.asarray(top / (1 + np.exp(-slope * CURRENTS - height)))


def _unit(weights: list[float], inputs: list[float], current: float, fires: float) -> Graph:
    cells = [
        Node(n, n, 0.0, 0.8 - 0.3 * i, x)
        for i, (n, x) in enumerate(zip(NAMES, inputs, strict=True))
    ]
    sum_node = Node("sum", "Σ w x [nA]", 0.5, 0.5, current)
    out = Node("out", "φ [Hz]", 1.0, 0.5, fires)
    edges = [Edge(n, "sum", w, f"{w:+.2g}") for n, w in zip(NAMES, weights, strict=True)]
    return Graph(
        (*cells, sum_node, out),
        (*edges, Edge("sum", "out")),
        "the artificial unit: weigh, add, bend",
    )


def check() -> Iterator[Claim]:
    """Silent below the threshold; above it the simulated rate follows the formula."""
    currents = np.array([0.5, 1.0, 1.49, 1.6, 2.0, 3.0, 5.0])
    _, spikes = simulate(currents, 20.0, 15.0, 2.0, time=500.0, step=0.02)
    counted, formula = rate(spikes), rate_by_formula(currents, 20.0, 15.0, 2.0)
    fired = int(np.isfinite(spikes[:, :3]).sum())
    yield below("Spikes below the threshold current of 1.5 nA, three currents", fired, 0)
    for current, ours, truth in zip(currents[3:], counted[3:], formula[3:], strict=True):
        yield near(f"Simulated over theoretical rate at {current:g} nA", ours / truth, 1.0, 0.03)
    yield near("Simulated rate at 3 nA [Hz]", counted[5], 63.0, 0.03 * 63)
