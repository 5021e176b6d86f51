"""Learning together without sharing data.

Phones or hospitals keep their data at home. Each round a server sends the weights to some clients;
each trains them a little on its own data and sends only weights back; the server averages them:
`w ← Σ (nₖ/n) wₖ`. With one step on all local data this is gradient descent on everything; more
local epochs save messages, but clients whose data differ pull apart. With *secure aggregation* each
pair agrees on a random mask that one adds, the other subtracts: each is noise, the sum is true.

**Try:** slide from mixed data to one class a client, and watch the curve and the clients part.

Source: McMahan et al. (2017), Communication-efficient learning of deep networks from decentralized
data; Bonawitz et al. (2017), Practical secure aggregation for privacy-preserving machine learning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np

from demos.kit import Claim, Frames, Question, Slider, Toggle, above, below, lab, same
from engine.parallel.secure import masked, masks, mean
from engine.tuning.trial import split
from engine.views import Array, Curve, Edge, Frame, Graph, Matrix, Node, Tiles, View

CLIENTS, CLASSES, HIDDEN, BATCH, RATE = 10, 10, 32, 16, 0.05
HOMES = tuple(f"client {k + 1}" for k in range(CLIENTS))
Share = tuple[Array, Array]  # images, `(n, 64)`, and one-hot labels, `(n, 10)`


def shares(classes_each: int, seed: int) -> list[Share]:
    """Equally many digits for each client, from so many classes; 10 is a random mix."""
    x, y, _, _ = split()
    random = np.random.default_rng(seed)
    count = len(x) // CLIENTS
    found = []
    for k in range(CLIENTS):
        has = np.isin(y, (k + np.arange(classes_each)) % CLASSES)
        rows = np.resize(random.permutation(np.flatnonzero(has)), count)  # some digits twice
        found.append((x[rows].astype(np.float64), np.eye(CLASSES)[y[rows]]))
    return found


def layers(w: Array) -> tuple[Array, Array]:
    """The flat weights, `(2368,)`, as those of the hidden layer and of the scores."""
    return w[: 64 * HIDDEN].reshape(64, HIDDEN), w[64 * HIDDEN :].reshape(HIDDEN, CLASSES)


def start(seed: int) -> Array:
    """First weights, `(2368,)`, the same for everybody."""
    random = np.random.default_rng(seed)
    sizes = ((64, HIDDEN), (HIDDEN, CLASSES))
    return np.concatenate([random.standard_normal(n * m) * np.sqrt(2 / n) for n, m in sizes])


def gradient(w: Array, x: Array, y: Array) -> Array:
    """Of the mean cross-entropy of a network with one hidden layer, `(2368,)`."""
    A, B = layers(w)
    h = np.maximum(x @ A, 0)
    z = np.exp((s := h @ B) - s.max(axis=1, keepdims=True))
    slope = (z / z.sum(axis=1, keepdims=True) - y) / len(x)
    parts = x.T @ ((slope @ B.T) * (h > 0)), h.T @ slope
    return np.concatenate([part.ravel() for part in parts])


def local(w: Array, share: Share, epochs: int, random: np.random.Generator) -> Array:
    """A client's weights after training on its own data in small batches."""
    x, y = share
    for _ in range(epochs):
        for rows in np.array_split(random.permutation(len(x)), max(1, len(x) // BATCH)):
            w = w - RATE * gradient(w, x[rows], y[rows])
    return w


def accuracy(w: Array) -> float:
    """On 450 digits that no client has [%]."""
    _, _, x, y = split()
    A, B = layers(w)
    return 100 * float(((np.maximum(x @ A, 0) @ B).argmax(1) == y).mean())


def rounds(
    data: list[Share], count: int, epochs: int, part: int, secure: bool, seed: int
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Weights, who took part, their updates, and what the server saw of them; round by round."""
    random, w = np.random.default_rng(seed), start(seed)
    for number in range(count):
        chosen = np.sort(random.choice(CLIENTS, part, replace=False))
        updates = np.stack([local(w, data[k], epochs, random) - w for k in chosen])
        sent = masked(updates, seed * 1000 + number) if secure else updates
        w = w + (mean(sent) if secure else updates.mean(axis=0))
        yield w, chosen, updates, sent


@lab(
    covers=["federated-learning"],
    seconds=5,
    quick={"count": 3},
    tries={
        "Everybody has everything": {"classes_each": 10},
        "Two classes each": {"classes_each": 2},
        "One class, many local epochs": {"classes_each": 1, "epochs": 10},
    },
    question=Question(
        "Each client holds two classes of digits only. What happens to the averaged network?",
        ("It learns as fast", "It learns more slowly", "It learns nothing"),
        1,
        "Clients forget what they do not have; averages of such weights lag behind.",
    ),
    needs=["data-parallelism"],
)
def run(
    classes_each: Annotated[int, Slider(1, 10, help="Clients' data become more alike")] = 2,
    epochs: Annotated[int, Slider(1, 20, help="More work at home, fewer messages")] = 5,
    part: Annotated[int, Slider(1, CLIENTS, help="More clients in each round")] = 10,
    count: Annotated[int, Slider(1, 60, help="More rounds")] = 20,
    secure: Annotated[bool, Toggle(help="Masked updates")] = True,
    seed: Annotated[int, Slider(0, 99, help="Other shares, other orders")] = 0,
) -> Frames:
    """Round by round: who trained, how far each client pulls away, what the server knows."""
    data = shares(classes_each, seed)
    counts = np.stack([y.sum(axis=0) for _, y in data])
    table = Matrix(counts, HOMES, tuple("0123456789"), "digit", numbers=True, title="at home")
    run_here = rounds(data, count, epochs, part, secure, seed)
    run_mixed = rounds(shares(10, seed), count, epochs, part, False, seed)
    names = [f"{classes_each} classes a client", *(["mixed data"] if classes_each < 10 else [])]
    scores = {name: [accuracy(start(seed))] for name in names}
    for step in range(1, count + 1):
        w, chosen, updates, sent = next(run_here)
        scores[names[0]].append(accuracy(w))
        for name in names[1:]:
            scores[name].append(accuracy(next(run_mixed)[0]))
        lines = {name: np.array(scores[name]) for name in names}
        facts = {f"accuracy, {name} [%]": line[-1] for name, line in scores.items()}
        views = _views(step, lines, chosen, updates, sent)
        yield Frame(step, count, {**views, "data": table}, facts)


def _views(
    step: int, lines: dict[str, Array], chosen: Array, updates: Array, sent: Array
) -> dict[str, View]:
    far = np.linalg.norm(updates - updates.mean(axis=0), axis=1)
    apart, angle = dict(zip(chosen, far, strict=True)), 2 * np.pi * np.arange(CLIENTS) / CLIENTS
    nodes = [Node("server", "server", 0.5, 0.5, kind="server")]
    nodes += [
        Node(name, name, 0.5 + 0.5 * np.sin(a), 0.5 + 0.5 * np.cos(a), float(apart.get(k, np.nan)),
             "took part" if k in apart else "rests")
        for k, (name, a) in enumerate(zip(HOMES, angle, strict=True))
    ]  # fmt: skip
    edges = tuple(Edge(HOMES[k], "server", float(pull)) for k, pull in apart.items())
    seen = [layers(one[0])[0].reshape(8, 8, HIDDEN)[:, :, 3] for one in (updates, sent)]
    shown = np.stack([(a - a.min()) / max(np.ptp(a), 1e-12) for a in map(np.float64, seen)])
    return {
        "map": Graph(tuple(nodes), edges, f"round {step}: how far each client pulls away"),
        "accuracy": Curve(
            np.arange(step + 1), lines, "round", "accuracy on unseen digits [%]", dots=True,
            title="what the common network can",
        ),
        "sent": Tiles(
            shown, ("so have the weights of one hidden unit changed", "what the server sees of it"),
            "sequential", across=2, title=f"the update of client {chosen[0] + 1}",
        ),
    }  # fmt: skip


def check() -> Iterator[Claim]:
    """One local step is central descent; unlike clients lag behind; masks cancel."""
    data, w = shares(10, 0), start(0)
    x, y = (np.concatenate(part) for part in zip(*data, strict=True))
    central = w - RATE * gradient(w, x, y)
    average = np.mean([w - RATE * gradient(w, *share) for share in data], axis=0)
    gap = float(np.abs(central - average).max())
    yield below("One local step, averaged − the central step", gap, 1e-12)
    for seed in range(3):
        curves = {}
        for each in (10, 2):
            walk = rounds(shares(each, seed), 15, 5, 10, False, seed)
            curves[each] = [accuracy(one[0]) for one in walk]
        yield above(f"Mixed data, seed {seed}: accuracy within 15 rounds [%]", max(curves[10]), 90)
        lag = curves[10][4] - curves[2][4]
        yield above("Two classes each: how far behind at round 5 [points]", lag, 10)
    total = masks(CLIENTS, (2368,), seed=1).sum(axis=0, dtype=np.uint32)
    yield same("Masks of 10 clients add up to nothing", bool((total == 0).all()), True)
    updates = np.random.default_rng(1).standard_normal((10, 2368))
    sent = masked(updates, seed=1)
    gap = float(np.abs(mean(sent) - updates.mean(axis=0)).max())
    yield below("Mean of masked updates − mean (rounding)", gap, 1e-6)
    alike = np.corrcoef(sent[0].astype(np.int32), updates[0])[0, 1]
    yield below("Correlation of an update with what the server sees", abs(float(alike)), 0.15)
