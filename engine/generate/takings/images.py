"""What the model makes, as pictures: its samples, and how they come to be."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw

from engine.generate.model import Outline
from engine.generate.takings import FEW, Taken, takings

SIDE = 480  # pixels of a picture
MOMENTS = 40  # of a film
LAST = 1500  # time that the last moment stays [ms]
EACH = 80  # time of the others [ms]
POINTS = 2000

Pixels = npt.NDArray[np.uint8]


@takings.add("png", title="Samples (PNG)", file="samples.png", media="image/png", place=4)
def png(taken: Taken) -> bytes:
    """A picture of new samples."""
    count = POINTS if taken.recipe.outline.plane else FEW
    with torch.no_grad():
        made = taken.model.sample(count, taken.draw(), taken.labels(count))
    file = io.BytesIO()
    Image.fromarray(pictured(made, taken.recipe.outline)).save(file, "PNG")
    return file.getvalue()


@takings.add("gif", title="Film (GIF)", file="film.gif", media="image/gif", place=5)
def gif(taken: Taken) -> bytes:
    """A film of how samples come to be; a walk between codes where they come at one stroke."""
    outline = taken.recipe.outline
    with torch.no_grad():
        moments = list(_moments(taken))
    shown = [moments[n] for n in np.unique(np.linspace(0, len(moments) - 1, MOMENTS).astype(int))]
    frames = [Image.fromarray(pictured(one, outline)).convert("P") for one in shown]
    file = io.BytesIO()
    times = [EACH] * (len(frames) - 1) + [LAST]
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True
    )
    return file.getvalue()


def _moments(taken: Taken) -> Sequence[torch.Tensor]:
    count = POINTS if taken.recipe.outline.plane else FEW
    film = [x for _, x in taken.model.film(count, taken.draw(), taken.labels(count))]
    if len(film) > 1 or not taken.model.latent:
        return film
    ends = torch.randn(5, count, taken.model.latent, generator=taken.draw())
    ends[-1] = ends[0]  # the film ends where it began
    walk: list[torch.Tensor] = []
    for here, there in itertools.pairwise(ends):
        for share in torch.arange(MOMENTS // 4) / (MOMENTS // 4):
            # on a circle, not a chord: codes half way are then as long as all others
            angle = share * torch.pi / 2
            made = taken.model.decode(angle.cos() * here + angle.sin() * there, taken.labels(count))
            if made is None:
                return film
            walk.append(made)
    return walk


def pictured(x: torch.Tensor, outline: Outline) -> Pixels:
    """Samples as one picture, `(rows, columns, 3)`: a grid of images, or dots on the plane."""
    return _dots(x, outline) if outline.plane else _grid(x)


def _grid(x: torch.Tensor) -> Pixels:
    across = int(np.ceil(np.sqrt(len(x))))
    shown = ((x.detach().clamp(-1, 1) + 1) / 2 * 255).round().byte()
    shown = shown.expand(-1, 3, -1, -1) if shown.shape[1] == 1 else shown
    count, _, rows, columns = shown.shape
    sheet = np.full((across * (rows + 1), across * (columns + 1), 3), 32, dtype=np.uint8)
    for place in range(count):
        top, left = place // across * (rows + 1), place % across * (columns + 1)
        sheet[top : top + rows, left : left + columns] = shown[place].permute(1, 2, 0).numpy()
    times = max(1, SIDE // len(sheet))
    return sheet.repeat(times, axis=0).repeat(times, axis=1)


def _dots(x: torch.Tensor, outline: Outline) -> Pixels:
    left, right, bottom, top = outline.extent
    image = Image.new("RGB", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(image)
    for across, up in x.tolist():
        column, row = SIDE * (across - left) / (right - left), SIDE * (top - up) / (top - bottom)
        pen.ellipse((column - 1.5, row - 1.5, column + 1.5, row + 1.5), fill=(0, 114, 178))
    return np.asarray(image)
