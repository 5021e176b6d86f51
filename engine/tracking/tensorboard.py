"""TensorBoard: event files with curves, settings, marks and the weights as they changed."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from safetensors import safe_open

from engine.optional import need
from engine.store.folder import content
from engine.tracking import PACKAGES, trackers
from engine.tracking.story import Story

MOST_NUMBERS = 5_000_000  # of all weights that become histograms, together


@trackers.add("tensorboard", title="TensorBoard", gives="file", file="tensorboard.zip")
def tensorboard(story: Story) -> bytes:
    """A zip of event files: unpack it, then `tensorboard --logdir` on the folder.

    Raises:
        ValueError: The package is missing.
    """
    made = io.BytesIO()
    with (
        tempfile.TemporaryDirectory() as place,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack,
    ):
        write(story, Path(place))
        for path in sorted(Path(place).iterdir()):
            pack.write(path, f"{_folder_name(story)}/{path.name}")
    return made.getvalue()


def write(story: Story, place: Path) -> None:
    """Write one event file into a folder.

    Raises:
        ValueError: The package is missing.
    """
    need("tensorboard", "TensorBoard", PACKAGES)
    from torch.utils.tensorboard import SummaryWriter
    from torch.utils.tensorboard.summary import hparams

    writer: Any = SummaryWriter(str(place))
    try:
        for point in story.points:
            for tag, value in point.values.items():
                writer.add_scalar(tag, value, point.step, walltime=point.when)
        last, when = (story.points[-1].step if story.points else 0), story.ended
        for name, text in _texts(story).items():
            writer.add_text(name, text, last, walltime=when)
        figures = {f"final/{name}": value for name, value in story.figures.items()}
        for part in hparams(dict(story.parameters), figures):
            writer.file_writer.add_summary(part, walltime=when)
        for name, value in figures.items():
            writer.add_scalar(name, value, last, walltime=when)
        _weights(story, writer)
    finally:
        writer.close()


def _texts(story: Story) -> dict[str, str]:
    spec = json.dumps(content(story.folder / "spec.json"), indent=1, ensure_ascii=False)
    told = {"network": "    " + spec.replace("\n", "\n    ")}
    if story.marks:
        told["turned while it ran"] = "\n".join(f"- {words}" for words in story.marks)
    return told


def _weights(story: Story, writer: Any) -> None:
    """Every parameter's distribution at the kept steps, as many as the bound allows."""
    from engine.training import (
        travel,
    )  # brings torch: not for who only asks what trackers there are

    steps = travel.kept(story.folder)
    most = MOST_NUMBERS // max(1, story.run.parameters)
    chosen = steps[:: max(1, -(-len(steps) // max(1, most)))] if most else []
    when = {point.step: point.when for point in story.points}
    for step in chosen:
        with safe_open(travel.place(story.run.id, step), framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - a file, not a mapping
                if name.startswith("model."):
                    values = file.get_tensor(name)
                    if values.is_floating_point() and values.numel() and values.isfinite().all():
                        tag = f"weights/{name.removeprefix('model.')}"
                        at = when.get(step, story.run.created)
                        writer.add_histogram(tag, values, step, walltime=at)


def _folder_name(story: Story) -> str:
    """A name that every file system takes, different for each run."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in story.run.name)
    return f"{plain[:40].strip('-') or 'run'}-{story.run.id[:6].strip('-_')}"
