"""How the learning rate goes down, or up and down, over a run."""

from __future__ import annotations

import math

from engine.training.schedules import schedules

PEAK = 0.3  # where one-cycle is highest
START, END = 1 / 25, 1e-4  # of one-cycle, in parts of its peak


@schedules.add("constant")
def constant(done: float) -> float:
    """Always the same."""
    del done
    return 1.0


@schedules.add("step")
def step(done: float) -> float:
    """A tenth after half of the run, a hundredth after three quarters.

    Source: He et al. (2016), Deep residual learning for image recognition.
    """
    drops = int(done >= 0.5) + int(done >= 0.75)
    return (1.0, 0.1, 0.01)[drops]


@schedules.add("exponential")
def exponential(done: float) -> float:
    """A hundredth at the end, by equal ratios.

    Source: Goodfellow et al. (2016), Deep learning, section 8.5.
    """
    return float(0.01**done)


@schedules.add("linear")
def linear(done: float) -> float:
    """In a straight line to nothing.

    Source: Devlin et al. (2019), BERT.
    """
    return 1.0 - done


@schedules.add("cosine")
def cosine(done: float) -> float:
    """Half a cosine to nothing: slow, fast, slow.

    Source: Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts.
    """
    return 0.5 * (1 + math.cos(math.pi * done))


@schedules.add("one-cycle")
def one_cycle(done: float) -> float:
    """Up from a 25th in three tenths of the run, then down to a ten-thousandth, along cosines.

    Source: Smith & Topin (2018), Super-convergence.
    """
    if done < PEAK:
        low, high, part = START, 1.0, done / PEAK
    else:
        low, high, part = 1.0, END, (done - PEAK) / (1 - PEAK)
    return low + (high - low) * 0.5 * (1 - math.cos(math.pi * part))
