"""MLflow: the run with its parameters, curves, marks, network, weights and report."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

from engine.forms import Text
from engine.optional import need
from engine.tracking import PACKAGES, trackers
from engine.tracking.story import Story

BATCH = 1000  # figures in one message: MLflow's own bound
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
STATES = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
FILES = ("spec.json", "settings.json", "summary.json", "weights.safetensors")


@trackers.add("mlflow", title="MLflow", gives="place")
def mlflow(
    story: Story,
    *,
    server: Annotated[str, Text(200, help="The server, as http://127.0.0.1:5000")] = "",
    experiment: Annotated[str, Text(80, help="The experiment it goes into")] = "Orrery",
) -> str:
    """Put the run on an MLflow server: parameters, curves, files.

    Raises:
        ValueError: The package is missing, or the server does not take it.
    """
    package: Any = need("mlflow", "MLflow", PACKAGES)
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    from mlflow.exceptions import MlflowException

    said = io.StringIO()  # it talks to a terminal, which there may not be
    try:
        with contextlib.redirect_stdout(said):
            return _send(package.MlflowClient(tracking_uri=server), story, experiment, server)
    except MlflowException as error:
        words = str(error).partition("\n")[0][:300]
        if "Max retries exceeded" in words:
            words = "nobody answers there; is the server running, and is its address right?"
        raise ValueError(f"MLflow at {server}: {words}") from error


def _send(client: Any, story: Story, experiment: str, server: str) -> str:
    found = client.get_experiment_by_name(experiment)
    place = found.experiment_id if found else client.create_experiment(experiment)
    tags = {"orrery.run": story.run.id, "orrery.origin": story.run.origin}
    begun = client.create_run(
        place, start_time=_milliseconds(story.run.created), tags=tags, run_name=story.run.name
    )
    id = begun.info.run_id
    client.log_batch(id, metrics=[], params=_parameters(story))
    figures = _figures(story)
    for begin in range(0, len(figures), BATCH):
        client.log_batch(id, metrics=figures[begin : begin + BATCH])
    if story.marks:
        client.log_dict(id, dict(story.marks), "turned.json")
    for name in FILES:
        if (story.folder / name).is_file():
            client.log_artifact(id, str(story.folder / name))
    with tempfile.TemporaryDirectory() as draft:
        report = Path(draft) / "report.html"
        from engine.report.page import report as made

        report.write_text(made(story.run.id), encoding="utf-8")
        client.log_artifact(id, str(report))
    state = STATES.get(story.run.state, "RUNNING")
    client.set_terminated(id, state, _milliseconds(story.ended))
    if not server.startswith("http"):
        return f"run {id} of experiment {experiment!r}"
    return f"{server.rstrip('/')}/#/experiments/{place}/runs/{id}"


def _parameters(story: Story) -> list[Any]:
    from mlflow.entities import Param

    return [Param(name, str(value)[:500]) for name, value in story.parameters.items()]


def _figures(story: Story) -> list[Any]:
    from mlflow.entities import Metric

    last = story.points[-1].step if story.points else 0
    ends = [
        Metric(f"final/{name}", value, _milliseconds(story.ended), last)
        for name, value in story.figures.items()
    ]
    return ends + [
        Metric(tag, value, _milliseconds(point.when), point.step)
        for point in story.points
        for tag, value in point.values.items()
    ]


def _milliseconds(when: float) -> int:
    return int(1000 * when)
