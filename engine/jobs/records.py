"""A run's `run.json`: what is left of it after the server was started anew."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.jobs.failures import Failure
from engine.jobs.run import ENDS, Run
from engine.store.alive import stamp
from engine.store.home import home, run_folder

_FILE = "run.json"
_KEPT = ("id", "entry", "settings", "owner", "title", "state", "created", "ended")


def write(run: Run) -> None:
    """Keep where the run is, in one piece or not at all."""
    run.folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {name: getattr(run, name) for name in _KEPT}
    if not run.over:
        content["process"] = stamp()  # by which other processes know that it goes on
    if run.failure is not None:
        content["failure"] = run.failure.message
    draft = run.folder / f"{_FILE}.new"
    draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    draft.replace(run.folder / _FILE)


def read(id: str) -> Run:
    """The run as it was last kept.

    Raises:
        LookupError: There is none of that id, or its record cannot be read.
    """
    folder = run_folder(id)
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        failure = content.pop("failure", "")
        run = Run(**{name: content[name] for name in _KEPT}, folder=folder)
    except FileNotFoundError:
        raise LookupError(
            f"no run {id!r:.80}; it may have ended long ago: start it again"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LookupError(f"run {id!r:.80}: its record {_FILE} cannot be read") from error
    if run.state not in ENDS:
        run.state = "failed"
        remedy = "resume it from its last checkpoint" if run.checkpoint else "start it again"
        failure = f"The server was stopped while this run went on; {remedy}."
    if run.state == "failed":
        run.failure = Failure(failure, resumable=run.checkpoint)
    return run


def ids() -> Iterator[str]:
    """The ids of all runs that have a record."""
    for record in (home() / "runs").glob(f"*/{_FILE}"):
        yield record.parent.name


def forget(run: Run) -> None:
    """Remove the run's folder if nothing is in it but its record."""
    with contextlib.suppress(OSError):
        if [file.name for file in Path(run.folder).iterdir()] == [_FILE]:
            shutil.rmtree(run.folder)
