"""Signals that get lost or blow up on their way through the layers."""

from __future__ import annotations

import numpy as np

from engine.training.doctor import Finding, rules
from engine.training.doctor.chart import Chart

VANISHED = 1e-3  # of the last layer's gradient
EXPLODED = 30.0  # root mean square of a layer's gradient
DEAD = 0.5


@rules.add("vanishing")
def vanishing(chart: Chart) -> Finding | None:
    """Gradients that fade on the way back to the first layers.

    Source: Glorot & Bengio (2010), Understanding the difficulty of training deep networks.
    """
    sizes = list(chart.gradients.values())
    if len(sizes) < 4 or not sizes[-1] or _learnt(chart):
        return None
    ratio = sizes[0] / sizes[-1]
    if ratio > VANISHED:
        return None
    names = list(chart.gradients)
    return Finding(
        "Vanishing gradients",
        f"The gradient of {names[0]} is {ratio:.1e} times that of {names[-1]}; the first layers "
        f"hardly learn.",
        "Going back, each layer multiplies the gradient with a slope below one (sigmoid and tanh "
        "have such slopes); over many layers next to nothing is left.",
        "Use ReLU and He's first weights",
        {"initialisation": "He"},
        {"Sigmoid": "ReLU", "Tanh": "ReLU"},
    )


@rules.add("exploding")
def exploding(chart: Chart) -> Finding | None:
    """Gradients that grow out of all proportion.

    Source: Pascanu et al. (2013), On the difficulty of training recurrent neural networks.
    """
    if not chart.gradients:
        return None
    name, size = max(chart.gradients.items(), key=lambda pair: pair[1])
    if size < EXPLODED:
        return None
    return Finding(
        "Exploding gradients",
        f"The weights of {name} get gradients of {size:.3g} on average.",
        "Large weights multiply the signal layer after layer; steps then throw the weights about.",
        "Begin with He's first weights and cut the gradient at 1",
        {"initialisation": "He", "clip": 1.0},
    )


@rules.add("dead")
def dead(chart: Chart) -> Finding | None:
    """ReLU units that never fire, and so never learn.

    Source: Maas et al. (2013), Rectifier nonlinearities improve neural network acoustic models.
    """
    ill = {name: share for name, share in chart.dead.items() if share >= DEAD}
    if not ill:
        return None
    name = max(ill, key=lambda one: ill[one])
    return Finding(
        "Dead ReLU units",
        f"{100 * ill[name]:.0f} % of the units of {name} give nothing for any of the validation "
        f"samples looked at.",
        "A unit whose input is negative for every sample has no slope, gets no gradient and stays "
        "as it is; too large a step or bad first weights bring it there.",
        "Use LeakyReLU, a tenth of the learning rate and He's first weights",
        {"initialisation": "He", "learning_rate": max(1e-5, chart.settings.learning_rate / 10)},
        {"ReLU": "LeakyReLU"},
    )


def _learnt(chart: Chart) -> bool:
    """Whether the loss has come down well below that of guessing."""
    return len(chart.train) > 3 and float(np.mean(chart.recent)) < 0.5 * chart.chance
