"""Training a small perceptron of several layers as one compiled loop (numba).

For networks of a few dozen weights PyTorch's time goes into calling its operations, not into
arithmetic: some 70 µs for one layer forth and back. Here a whole step is a few hundred
multiplications in one function that a compiler has seen. What it computes is what PyTorch computes,
in the same float32; `tests/test_fast.py` holds the two against each other.

All numbers of a layer for the whole batch stand side by side, `(units, batch)`, so that the inner
loops run over the batch and fill the processor's vectors.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# layers: what follows the linear part
IDENTITY, RELU, TANH, SIGMOID, LEAKY, ELU, SILU, SOFTPLUS = range(8)
# losses
CROSS_ENTROPY, SQUARED, ABSOLUTE, HUBER, HINGE = range(5)
# optimizers
SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADADELTA, ADAM, ADAMW, ADAMAX = range(9)

# No `nnan` and `ninf`: a loss that is no number must be seen as such.
_QUICK = {"reassoc", "contract", "arcp", "nsz"}
_compiled = njit(cache=True, nogil=True, fastmath=_QUICK, error_model="numpy")
_inlined = njit(cache=True, nogil=True, fastmath=_QUICK, error_model="numpy", inline="always")


@_inlined
def _tanh(x):  # type: ignore[no-untyped-def]
    """The hyperbolic tangent as a ratio of polynomials, right to 3 units in the last place.

    Unlike the library's it can be computed for eight numbers at once. The coefficients are the
    rational minimax fit that Eigen publishes (MathFunctionsImpl.h, ptanh_float).
    """
    if x > np.float32(7.90531110763549805):
        x = np.float32(7.90531110763549805)
    if x < np.float32(-7.90531110763549805):
        x = np.float32(-7.90531110763549805)
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@_compiled
def _activate(kind, knob, z, a, size):  # type: ignore[no-untyped-def]
    """The activation of `size` numbers, from `z` into `a`."""
    one, half = np.float32(1), np.float32(0.5)
    if kind == TANH:
        for i in range(size):
            a[i] = _tanh(z[i])
    elif kind == RELU:
        for i in range(size):
            a[i] = z[i] if z[i] > 0 else np.float32(0)
    elif kind == SIGMOID:
        for i in range(size):
            a[i] = half + half * _tanh(half * z[i])
    elif kind == LEAKY:
        for i in range(size):
            a[i] = z[i] if z[i] > 0 else knob * z[i]
    elif kind == ELU:
        for i in range(size):
            a[i] = z[i] if z[i] > 0 else knob * np.float32(math.expm1(z[i]))
    elif kind == SILU:
        for i in range(size):
            a[i] = z[i] * (half + half * _tanh(half * z[i]))
    elif kind == SOFTPLUS:
        for i in range(size):
            a[i] = z[i] if z[i] > 20 else np.float32(math.log1p(math.exp(z[i])))
    else:
        for i in range(size):
            a[i] = z[i] * one


@_compiled
def _slope(kind, knob, z, a, d, size):  # type: ignore[no-untyped-def]
    """Multiply `d` with the activation's derivative, in place."""
    one, half = np.float32(1), np.float32(0.5)
    if kind == TANH:
        for i in range(size):
            d[i] *= one - a[i] * a[i]
    elif kind == RELU:
        for i in range(size):
            d[i] = d[i] if z[i] > 0 else np.float32(0)
    elif kind == SIGMOID:
        for i in range(size):
            d[i] *= a[i] * (one - a[i])
    elif kind == LEAKY:
        for i in range(size):
            d[i] = d[i] if z[i] > 0 else knob * d[i]
    elif kind == ELU:
        for i in range(size):
            d[i] = d[i] if z[i] > 0 else d[i] * (a[i] + knob)
    elif kind == SILU:
        for i in range(size):
            s = half + half * _tanh(half * z[i])
            d[i] *= s * (one + z[i] * (one - s))
    elif kind == SOFTPLUS:
        for i in range(size):
            d[i] *= half + half * _tanh(half * z[i])


@_compiled
def _forward(flat, sizes, kinds, knobs, spots, places, z, a, batch):  # type: ignore[no-untyped-def]
    """All layers; the inputs stand in the first `sizes[0] * batch` numbers of `a`."""
    for layer in range(len(kinds)):
        ins, outs = sizes[layer], sizes[layer + 1]
        below, here, weight, bias = (
            spots[layer],
            spots[layer + 1],
            places[layer, 0],
            places[layer, 1],
        )
        for o in range(outs):
            row = z[(here + o) * batch : (here + o + 1) * batch]
            row[:] = flat[bias + o] if bias >= 0 else np.float32(0)
            for i in range(ins):
                w, under = flat[weight + o * ins + i], a[(below + i) * batch :]
                for b in range(batch):
                    row[b] += w * under[b]
        at = here * batch
        _activate(kinds[layer], knobs[layer], z[at:], a[at:], outs * batch)


@_compiled
def _backward(flat, grad, sizes, kinds, knobs, spots, places, z, a, d, batch):  # type: ignore[no-untyped-def]
    """Gradients of all weights from `d` at the last layer's output."""
    for layer in range(len(kinds) - 1, -1, -1):
        ins, outs = sizes[layer], sizes[layer + 1]
        below, here, weight, bias = (
            spots[layer],
            spots[layer + 1],
            places[layer, 0],
            places[layer, 1],
        )
        at = here * batch
        _slope(kinds[layer], knobs[layer], z[at:], a[at:], d[at:], outs * batch)
        if layer > 0:
            for k in range(below * batch, (below + ins) * batch):
                d[k] = np.float32(0)
        for o in range(outs):
            row = d[(here + o) * batch :]
            if bias >= 0:
                total = np.float32(0)
                for b in range(batch):
                    total += row[b]
                grad[bias + o] = total
            for i in range(ins):
                under, total = a[(below + i) * batch :], np.float32(0)
                for b in range(batch):
                    total += row[b] * under[b]
                grad[weight + o * ins + i] = total
                if layer > 0:
                    w, back = flat[weight + o * ins + i], d[(below + i) * batch :]
                    for b in range(batch):
                        back[b] += w * row[b]


@_compiled
def _classes(kind, knob, s, d, labels, picked, outs, batch):  # type: ignore[no-untyped-def]
    """Loss and right answers summed over the batch; the slope of the mean loss into `d`."""
    loss, right, share = 0.0, 0.0, np.float32(1.0 / batch)
    for b in range(batch):
        y = labels[picked[b]]
        top, best = s[b], 0
        for o in range(1, outs):
            if s[o * batch + b] > top:
                top, best = s[o * batch + b], o
        right += 1.0 if best == y else 0.0
        if kind == CROSS_ENTROPY:
            total = np.float32(0)
            for o in range(outs):
                e = np.float32(math.exp(s[o * batch + b] - top))
                d[o * batch + b] = e
                total += e
            level = top + np.float32(math.log(total))
            for o in range(outs):
                target = knob / np.float32(outs) + (
                    np.float32(1) - knob if o == y else np.float32(0)
                )
                loss += target * (level - s[o * batch + b])
                d[o * batch + b] = (d[o * batch + b] / total - target) * share
        else:  # hinge
            own, pulls = s[y * batch + b], np.float32(0)
            for o in range(outs):
                short = np.float32(1) + s[o * batch + b] - own
                if o != y and short > 0:
                    loss += short
                    pulls += share
                    d[o * batch + b] = share
                else:
                    d[o * batch + b] = np.float32(0)
            d[y * batch + b] = -pulls
    return loss, right


@_compiled
def _numbers(kind, knob, s, d, targets, picked, outs, batch):  # type: ignore[no-untyped-def]
    """Loss and squared error, means over outputs summed over the batch; the slope into `d`."""
    loss, square, share = 0.0, 0.0, np.float32(1.0 / (batch * outs))
    for b in range(batch):
        for o in range(outs):
            error = s[o * batch + b] - targets[picked[b], o]
            square += error * error
            if kind == SQUARED:
                loss += error * error
                d[o * batch + b] = np.float32(2) * error * share
            elif kind == ABSOLUTE:
                loss += abs(error)
                sign = np.float32(1) if error > 0 else np.float32(-1)
                d[o * batch + b] = sign * share if error != 0 else np.float32(0)
            elif abs(error) <= knob:  # Huber's middle
                loss += 0.5 * error * error
                d[o * batch + b] = error * share
            else:
                loss += knob * (abs(error) - 0.5 * knob)
                d[o * batch + b] = (knob if error > 0 else -knob) * share
    return loss / outs, square / outs


@_compiled
def _update(flat, grad, m, v, kind, rate, beta, decay, t):  # type: ignore[no-untyped-def]
    """One step of an optimizer with PyTorch's own constants; `t` counts from 1."""
    one, eta = np.float32(1), np.float32(rate)
    first = np.float32(1.0 / (1.0 - beta**t)) if beta**t < 1 else one
    second = np.float32(1.0 / math.sqrt(1.0 - 0.999**t))
    keep, ballast = np.float32(beta), np.float32(decay)
    shrink = np.float32(1.0 - rate * decay)
    for i in range(len(flat)):
        w, g = flat[i], grad[i]
        if kind == ADAMW:
            w *= shrink
        else:
            g += ballast * w
        if kind == SGD:
            w -= eta * g
        elif kind == MOMENTUM:
            m[i] = keep * m[i] + g
            w -= eta * m[i]
        elif kind == NESTEROV:
            m[i] = keep * m[i] + g
            w -= eta * (g + keep * m[i])
        elif kind == ADAGRAD:
            m[i] += g * g
            w -= eta * g / (np.float32(math.sqrt(m[i])) + np.float32(1e-10))
        elif kind == RMSPROP:
            m[i] = np.float32(0.99) * m[i] + np.float32(0.01) * g * g
            w -= eta * g / (np.float32(math.sqrt(m[i])) + np.float32(1e-8))
        elif kind == ADADELTA:
            m[i] = np.float32(0.9) * m[i] + np.float32(0.1) * g * g
            step = np.float32(math.sqrt((v[i] + np.float32(1e-6)) / (m[i] + np.float32(1e-6)))) * g
            v[i] = np.float32(0.9) * v[i] + np.float32(0.1) * step * step
            w -= eta * step
        elif kind == ADAMAX:
            m[i] += (one - keep) * (g - m[i])
            v[i] = max(np.float32(0.999) * v[i], abs(g) + np.float32(1e-8))
            w -= eta * first * m[i] / v[i]
        else:  # Adam and AdamW
            m[i] += (one - keep) * (g - m[i])
            v[i] = np.float32(0.999) * v[i] + np.float32(0.001) * g * g
            w -= eta * first * m[i] / (np.float32(math.sqrt(v[i])) * second + np.float32(1e-8))
        flat[i] = w


@_compiled
def _shorten(grad, longest):  # type: ignore[no-untyped-def]
    """Scale the gradient to at most this length."""
    square = 0.0
    for i in range(len(grad)):
        square += grad[i] * grad[i]
    scale = longest / (math.sqrt(square) + 1e-6)
    if scale < 1:
        for i in range(len(grad)):
            grad[i] *= np.float32(scale)


@_compiled
def train(  # type: ignore[no-untyped-def]
    flat, grad, m, v, layout, knobs, x, labels, targets, order, begin, batch, rates,
    optimizer, beta, decay, taken, loss, knob, longest, buffers,
):  # fmt: skip
    """Some steps, one for each of `rates`.

    Args:
        flat: All weights, `(p,)` float32, changed in place; likewise `grad`, `m` and `v`.
        layout: `(layers + 1, 5)` whole numbers: units, where they begin in the buffers, the kind
            of activation, where weight and bias begin in `flat` (−1: no bias).
        knobs: The activations' own numbers, `(layers,)` float32.
        x: Samples, `(n, features)` float32.
        labels: Classes `(n,)`, or empty.
        targets: Numbers `(n, outputs)`, or empty.
        order: In which order samples are taken, `(n,)`.
        begin: Where in the order the first batch begins; batches end at the order's end.
        batch: Samples a step.
        rates: The learning rate of each step, `(steps,)`.
        optimizer: Its number above; `beta` and `decay` are its momentum and weight decay.
        taken: Steps taken before.
        loss: Its number above; `knob` is its own number.
        longest: Length to which gradients are cut, 0 for none.
        buffers: `(3, all units * batch)` float32, to compute in.

    Returns:
        Sum of the steps' mean losses, sum of their mean scores (right answers, or squared errors),
        the last mean loss, steps taken, samples seen. A loss that is no number ends it, before its
        step.
    """
    sizes, spots = layout[:, 0], layout[:, 1]
    kinds, places = layout[1:, 2], layout[1:, 3:]
    z, a, d = buffers[0], buffers[1], buffers[2]
    losses, scores, last, seen, done = 0.0, 0.0, 0.0, 0, 0
    outs, features = sizes[-1], sizes[0]
    for step in range(len(rates)):
        stop = min(len(order), begin + batch)
        picked = order[begin:stop]
        size = len(picked)
        for b in range(size):
            for i in range(features):
                a[i * size + b] = x[picked[b], i]
        _forward(flat, sizes, kinds, knobs, spots, places, z, a, size)
        at = spots[-1] * size
        if len(labels):
            total, score = _classes(loss, knob, a[at:], d[at:], labels, picked, outs, size)
        else:
            total, score = _numbers(loss, knob, a[at:], d[at:], targets, picked, outs, size)
        last = total / size
        if not math.isfinite(last):
            break
        _backward(flat, grad, sizes, kinds, knobs, spots, places, z, a, d, size)
        if longest > 0:
            _shorten(grad, longest)
        _update(flat, grad, m, v, optimizer, rates[step], beta, decay, taken + step + 1)
        losses += last
        scores += score / size
        done += 1
        seen += size
        begin = stop
    return losses, scores, last, done, seen


@_compiled
def answers(flat, layout, knobs, x, width, buffers, into):  # type: ignore[no-untyped-def]
    """What every unit gives for every sample, `(units, n)`, `width` samples at a time.

    Args:
        flat: All weights; `layout`, `knobs` and `buffers` as in `train`.
        x: Samples, `(n, features)`.
        width: How many samples the buffers hold.
        into: `(all units, n)` float32, filled; the inputs come first.
    """
    sizes, spots = layout[:, 0], layout[:, 1]
    kinds, places = layout[1:, 2], layout[1:, 3:]
    z, a = buffers[0], buffers[1]
    begin = 0
    while begin < len(x):
        size = min(width, len(x) - begin)
        for b in range(size):
            for i in range(sizes[0]):
                a[i * size + b] = x[begin + b, i]
        _forward(flat, sizes, kinds, knobs, spots, places, z, a, size)
        for unit in range(into.shape[0]):
            for b in range(size):
                into[unit, begin + b] = a[unit * size + b]
        begin += size
