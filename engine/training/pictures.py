"""What a training shows: curves, confusion, filters, gradients, and the plane if there is one."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from engine.data.dataset import IGNORED
from engine.training.session import Judgement, Session
from engine.views import Array, Bars, Field, Frame, Matrix, Points, Tiles, Tokens, View

GRID = 60  # cells of the plane, either way
MOST_FILTERS = 64
MOST_POINTS = 600
MOST_NUMBERED = 20  # classes of a confusion whose cells say their numbers


class Pictures:
    """Makes a frame of a session; what has not changed since the last frame is kept."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._layers = _layers(session.module)
        self._filters = _filter_weight(session)
        self._points = _training_points(session)
        self._judged: tuple[Judgement | None, View | None] = (None, None)
        self._read: tuple[Judgement | None, View | None] = (None, None)
        self._clock = (0.0, 0)  # computing seconds and samples when the speed was last read
        self._speed = 0.0

    def frame(self) -> Frame:
        """The state of the run."""
        session = self._session
        views: dict[str, View] = {}
        if self._points is not None:
            views["surface"] = self._surface(self._points)
        loss, score = ("loss [nat]", "accuracy") if session.classifies else ("loss", "R²")
        history = session.history
        views["loss"] = history.curve(("loss train", "loss validation"), loss, log=True)
        views["accuracy"] = history.curve(("score train", "score validation"), score)
        if session.classifies:
            views["confusion"] = self._confusion()
        if session.data.per_place:
            views["text"] = self._text()
        if self._filters is not None:
            views["filters"] = self._tiles(self._filters)
        views["gradients"] = self._gradients()
        return Frame(session.step, session.steps, views, self._facts())

    def _facts(self) -> dict[str, float]:
        session = self._session
        judged, full = session.judged, session.full
        facts: dict[str, float] = {}
        if judged is not None and session.classifies:
            facts["validation accuracy [%]"] = 100 * (full or judged).score
        elif judged is not None:
            facts["validation R²"] = (full or judged).score
        if judged is not None and session.data.per_place:
            facts["perplexity"] = session.perplexity
            facts["validation loss [bit/token]"] = math.log2(session.perplexity)
        facts["train loss [nat]" if session.classifies else "train loss"] = session.loss
        facts["epoch"] = session.epoch + session.seen / len(session.data.train_x)
        places = session.data.train_y.shape[1] if session.data.per_place else 1
        facts["samples/s" if places == 1 else "tokens/s"] = self._rate() * places
        facts["learning rate"] = session.settings.learning_rate
        return facts

    def _rate(self) -> float:
        """Samples a second of computing over the last half second or more."""
        seconds, samples = self._clock
        passed = self._session.seconds - seconds
        if passed > 0.5 or (self._speed == 0 and passed > 0):
            self._speed = (self._session.samples - samples) / passed
            self._clock = (self._session.seconds, self._session.samples)
        return self._speed

    def _confusion(self) -> View:
        """Of the newest judgement of all validation samples, or of a sample before there is one."""
        session = self._session
        newest = session.full or session.judged
        if newest is None:
            return Matrix(np.zeros((len(session.data.classes),) * 2))
        known, view = self._judged
        if known is not newest or view is None:
            view = Matrix(
                newest.confusion.numpy().astype(np.float64),
                rows=session.data.classes,
                columns=session.data.classes,
                xlabel="predicted",
                ylabel="true",
                numbers=len(session.data.classes) <= MOST_NUMBERED,
                title=f"{newest.samples:,} validation samples at step {newest.step:,}",
            )
            self._judged = (newest, view)
        return view

    def _text(self) -> View:
        """A validation sample; behind each token stands how sure the network was of it before."""
        session = self._session
        newest = session.full or session.judged
        known, view = self._read
        if view is None or known is not newest:
            view = _surely(session)
            self._read = (newest, view)
        return view

    def _gradients(self) -> Bars:
        """Length of each layer's gradient at the last step."""
        lengths = [
            sum(float(p.grad.square().sum()) for p in own if p.grad is not None) ** 0.5
            for own in self._layers.values()
        ]
        return Bars(
            tuple(self._layers),
            {"gradient": np.array(lengths)},
            ylabel="norm of the gradient",
            log=True,
        )

    def _tiles(self, weight: torch.Tensor) -> Tiles:
        """The first layer's weights as pictures, `(n, rows, columns)`."""
        images = weight.detach()
        if images.ndim == 2:
            images = images.reshape(-1, *self._session.data.shape)
        tiles = images.reshape(-1, *images.shape[-2:])[:MOST_FILTERS]
        return Tiles(tiles.numpy().copy(), scale="signed", title="weights of the first layer")

    def _surface(self, points: Points) -> Field:
        """What the network answers at every place of the plane."""
        session = self._session
        extent = session.data.extent or (-1.0, 1.0, -1.0, 1.0)
        session.module.eval()
        with torch.inference_mode():
            scores = session.module(_grid(extent))
        session.module.train()
        if not session.classifies:
            return Field(_square(scores[:, 0]), extent, points=points, title="answer")
        if scores.shape[1] == 2:
            lead = ((scores[:, 0] - scores[:, 1]) / 2).tanh()  # P(A) − P(B); A is blue, positive
            return Field(
                _square(lead), extent, points=points, scale="signed", title="A or B: who leads"
            )
        return Field(
            _square(scores.argmax(1)), extent, points=points, scale="classes", title="predicted"
        )


def _surely(session: Session) -> Tokens:
    """The first validation sample's answers, each with the chance the network gave it."""
    data = session.data
    x, y = data.valid_x[:1], data.valid_y[0]
    session.module.eval()
    with torch.inference_mode():
        chances = session.module(*data.inputs(x))[0].softmax(-1)  # (places, classes)
    session.module.train()
    judged = y != IGNORED
    sure = chances.gather(1, y.clamp(min=0)[:, None])[:, 0]
    pairs = zip(y.tolist(), judged.tolist(), strict=True)
    wanted = [data.classes[answer] if counts else "–" for answer, counts in pairs]
    return Tokens(
        tuple(wanted),
        torch.where(judged, sure, 0.0).numpy().astype(np.float64),
        title="how likely it held each right answer, of one validation sample",
    )


def _square(values: torch.Tensor) -> Array:
    return values.reshape(GRID, GRID).to(torch.float32).numpy()


def _grid(extent: tuple[float, float, float, float]) -> torch.Tensor:
    """Places row by row from the bottom, `(GRID², 2)`."""
    x, y = torch.linspace(*extent[:2], GRID), torch.linspace(*extent[2:], GRID)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).reshape(-1, 2)


def _training_points(session: Session) -> Points | None:
    data = session.data
    if data.kind != "plane":
        return None
    labels = data.train_y if session.classifies else torch.zeros(0)
    return Points(
        data.train_x[:MOST_POINTS].numpy(),
        labels[:MOST_POINTS].numpy().astype(np.int32),
        names=data.classes,
        extent=data.extent,
    )


def _layers(module: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Layer -> its own parameters, for layers that have any."""
    owned = {name: list(part.parameters(recurse=False)) for name, part in module.named_modules()}
    return {name: own for name, own in owned.items() if own}


def _filter_weight(session: Session) -> torch.Tensor | None:
    """The first convolution's weight, or the first linear layer's if it sees the whole picture."""
    if session.data.kind != "image":
        return None
    for part in session.module.modules():
        if isinstance(part, nn.Conv2d):
            return part.weight
        if isinstance(part, nn.Linear):
            fits = part.in_features == torch.Size(session.data.shape).numel()
            return part.weight if fits else None
    return None
