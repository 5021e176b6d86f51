"""Kept runs over HTTP: a visitor's own, by his cookie; and whatever nobody owns, by its id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from engine.contest.beside import FEWEST, MOST, differences, figures
from engine.jobs import board, call_async
from engine.store.folder import LONGEST_NAME, KeptRun
from engine.store.register import register
from ui.cookie import VISITOR

NOBODY = ("", "api")  # whose runs belong to whoever knows their ids
SECONDS = 120  # that a report or a journey to another program may take

kept_runs = APIRouter()


class Name(BaseModel):
    """What a run shall be called."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=4 * LONGEST_NAME)


class Journey(BaseModel):
    """Where a run is sent: a tracker's own settings, such as the address of its server."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Any] = Field(default_factory=dict)


def told(run: KeptRun) -> dict[str, Any]:
    """A kept run as the API tells it: all but whose it is."""
    found = {**asdict(run), "score": run.score, "seconds": run.seconds}
    del found["owner"]
    return found


@kept_runs.get("/runs")
def runs(request: Request) -> Any:
    """Your kept runs, newest first: those begun with the cookie that comes with this request."""
    visitor = request.cookies.get(VISITOR, "")
    if not visitor:
        raise ValueError(
            f"send the cookie {VISITOR} that this server gave you; your runs are found by it"
        )
    return [told(one) for one in register().runs(visitor)]


@kept_runs.get("/compare")
def compare(run: Annotated[list[str], Query(max_length=MOST)], request: Request) -> Any:
    """Two to eight runs beside each other: figures of each, and the settings that differ."""
    found = [_mine(one, request) for one in run]
    if len(found) < FEWEST:
        raise ValueError(f"compare: needs {FEWEST} to {MOST} runs; got {len(found)}")
    return {
        "runs": [one.id for one in found],
        "names": [one.name for one in found],
        "figures": [figures(one) for one in found],
        "settings": differences(found),
    }


@kept_runs.patch("/runs/{run}")
def rename(run: str, wanted: Name, request: Request) -> Any:
    """Call a run something else."""
    _mine(run, request)
    return told(register().rename(run, wanted.name))


@kept_runs.delete("/runs/{run}")
def delete(run: str, request: Request) -> Any:
    """Let an ended run go, with all its files; how many bytes that frees."""
    _mine(run, request)
    return {"id": run, "freed": board().delete(run)}


@kept_runs.get("/runs/{run}/report")
async def report(run: str, request: Request) -> Response:
    """The run on one page, an HTML file that needs nothing else."""
    found = _mine(run, request)
    text = await call_async("engine.report.page:report", {"run": run}, seconds=SECONDS)
    return _file(str(text).encode(), f"{plain_name(found)}.html", "text/html; charset=utf-8")


@kept_runs.get("/trackers")
async def listing() -> Any:
    """The programs that a run can be sent to, with what each asks for."""
    table = {"table": "engine.tracking:trackers"}
    return await call_async("engine.tables:listing", table, seconds=60)


@kept_runs.post("/runs/{run}/send/{tracker}")
async def send(run: str, tracker: str, wanted: Journey, request: Request) -> Any:
    """Hand the run to another program: a file of it, or `{"place"}` where it is now."""
    found = _mine(run, request)
    asked = {"tracker": tracker, "run": run, "settings": wanted.settings}
    made = await call_async("engine.tracking.send:send", asked, seconds=SECONDS)
    if isinstance(made, bytes):
        return _file(made, f"{plain_name(found)}-{tracker}.zip", "application/zip")
    return {"id": run, "place": made}


def plain_name(run: KeptRun) -> str:
    """The run's name as every file system and header takes it."""
    signs = (sign if sign.isascii() and sign.isalnum() else "-" for sign in run.name)
    return re.sub("-+", "-", "".join(signs)).strip("-")[:60] or "run"


def _mine(id: str, request: Request) -> KeptRun:
    """The run, if it is the visitor's or nobody's.

    Raises:
        LookupError: It is neither.
    """
    found = register().find(id)
    return found if found.owner in _owners(request) else register().find(id, "?")  # which raises


def _owners(request: Request) -> Sequence[str]:
    return (*NOBODY, request.cookies.get(VISITOR, ""))


def _file(content: bytes, name: str, media: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media, headers=headers)
