"""The same verbs over HTTP: networks described and exported, runs started and steered.

The builder on the page talks to this API too, so that an edit is answered without a rerun of
the page. Tensor work happens in worker processes; bad input is answered with 422 and a sentence.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from engine.jobs import CallError, board, call_async
from engine.store import folder
from engine.store.home import run_folder
from ui.cookie import VISITOR
from ui.kept_api import kept_runs, told

LARGEST = 4_000_000  # bytes of a request
LARGEST_FILE = 54_000_000  # of one that carries a file of 40 MB in base64
SEEN = 2.0  # seconds that a lab's run takes at least, for pictures that come alive on a page

api = FastAPI(
    title="Orrery",
    description="Build, describe, train and export networks; run labs.",
    docs_url="/docs",
    redoc_url=None,
)
api.include_router(kept_runs)


class Start(BaseModel):
    """What to run: a lab of the curriculum, or the training of a network."""

    model_config = ConfigDict(extra="forbid")

    lab: str = Field("", description="a lab's id; leave it out to train a network")
    spec: dict[str, Any] | None = Field(None, description="a NetworkSpec, to be trained")
    data: str = Field("digits", description="name of the data set to train on")
    settings: dict[str, Any] | Literal["quick"] = Field(
        default_factory=dict, description="the form's values, or a lab's own quick ones"
    )


class Sent(BaseModel):
    """A file with a network in it: .onnx, .pt2, .py, .json, .safetensors, or a link as .txt."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200, description="the file's name; its ending tells the kind")
    content: str = Field(description="base64")
    spec: dict[str, Any] | None = Field(None, description="the network on stage")
    data: str = Field("", max_length=200, description="the data set on stage")


class Wanted(BaseModel):
    """A network in another form: see GET /api/formats."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any]
    settings: dict[str, Any] = Field(default_factory=dict)
    run: str = Field("", max_length=100, description="id of a kept model, for its weights")


class Source(BaseModel):
    """A PyTorch source text, and the network on the canvas beside it."""

    model_config = ConfigDict(extra="forbid")

    source: str
    spec: dict[str, Any] | None = Field(
        None, description="tells what the text does not: shapes of inputs, places of nodes"
    )


class Batch(BaseModel):
    """A network to be timed on one batch."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any] = Field(description="a NetworkSpec")
    batch: int = Field(32, ge=1, le=4096, description="examples that go through at once")


class Command(BaseModel):
    """What a run is told: pause, resume, step, stop, speed (value: steps a second), set."""

    model_config = ConfigDict(extra="forbid")

    do: str
    value: float | None = None
    values: dict[str, Any] = Field(default_factory=dict)


class Look(BaseModel):
    """Which layer's numbers to show: of a kept run, or the first ones of a network."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any] | None = Field(None, description="the network, unless a run is named")
    run: str = Field("", description="a run that trained a network")
    node: str = Field(max_length=200, description="path of the layer, such as layer2.0.conv1")
    name: str = Field("weight", max_length=80, description="which of its parameters")
    seed: int = Field(0, ge=0, le=2**32, description="of the first weights")
    window: list[int] | None = Field(None, description="row, column, rows, columns; all if left")


class Change(BaseModel):
    """One number of a kept run's network, and what it becomes."""

    model_config = ConfigDict(extra="forbid")

    run: str
    node: str = Field(max_length=200)
    index: list[int] = Field(max_length=6)
    value: float
    name: str = Field("weight", max_length=80)


class Edit(BaseModel):
    """What to do with several nodes of a network at once."""

    model_config = ConfigDict(extra="forbid")

    spec: dict[str, Any]
    do: Literal["group", "repeat", "unpack"]
    nodes: list[str] = Field([], max_length=2_000, description="which to group")
    node: str = Field("", max_length=200, description="which block to repeat or unpack")
    name: str = Field("", max_length=200, description="what the new block is called")
    times: int = Field(1, description="how often a block is repeated")


@api.middleware("http")
async def _bound(request: Request, answer: Any) -> Any:
    """Refuse what is too long before reading it."""
    length = request.headers.get("content-length", "0")
    most = LARGEST_FILE if request.url.path.endswith("/import") else LARGEST
    if length.isdigit() and int(length) > most:
        text = f"request: must have at most {most} bytes; got {length}"
        return JSONResponse({"error": text}, 413)
    return await answer(request)


@api.exception_handler(CallError)
@api.exception_handler(ValueError)
async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 422)


@api.exception_handler(LookupError)
async def _unknown(_request: Request, error: LookupError) -> JSONResponse:
    return JSONResponse({"error": str(error.args[0])}, 404)


@api.get("/layers")
async def layers() -> Any:
    """Every layer of the palette, with its parameters as a form."""
    return await call_async("engine.network.catalog:catalog", {})


@api.post("/describe")
async def describe(spec: dict[str, Any]) -> Any:
    """Shapes, parameters, FLOPs and problems of a network, node by node."""
    return await call_async("engine.network.describe:describe", {"spec": spec})


@api.post("/timing")
async def timing(wanted: Batch) -> Any:
    """Seconds that a forward and a backward pass over one batch take here and now."""
    arguments = {"spec": wanted.spec, "batch": wanted.batch, "rounds": 3}
    return await call_async("engine.network.timing:timing", arguments, seconds=60)


@api.get("/templates")
async def templates() -> Any:
    """The networks to begin with."""
    return await call_async("engine.network.templates:listing", {})


@api.get("/templates/{name}")
async def template(name: str) -> Any:
    """One of them, as a NetworkSpec."""
    return await call_async("engine.network.templates:spec_of", {"name": name})


@api.post("/code")
async def code(spec: dict[str, Any]) -> Any:
    """The network as a PyTorch script."""
    return await call_async("engine.export.script:code", {"spec": spec})


@api.post("/edit")
async def edit(change: Edit) -> Any:
    """Group nodes into a block, repeat a block or unpack it; the changed network."""
    return await call_async("engine.network.groups:edit", change.model_dump())


@api.post("/weights")
async def weights(wanted: Look) -> Any:
    """The numbers of one layer as a matrix: a heat map."""
    if wanted.spec is None and not wanted.run:
        raise ValueError("weights: needs a spec or a run")
    asked = wanted.model_dump(exclude={"run"})
    if wanted.run:
        asked |= {"spec": None, "folder": str(_kept(wanted.run))}
    return await call_async("engine.models.weights:look", asked)


@api.post("/weights/edit")
async def change_weight(change: Change) -> Any:
    """Change one number of a network that a run has kept; what it was and what it is."""
    folder = _kept(change.run)
    with contextlib.suppress(LookupError):  # what was imported or edited was never a run
        if not board().find(change.run).over:
            raise ValueError("the run still goes on and would overwrite it; stop the run first")
    asked = {**change.model_dump(exclude={"run"}), "folder": str(folder)}
    return await call_async("engine.models.weights:edit", asked)


def _kept(run: str) -> Path:
    """The folder of a model that was trained, imported or edited here.

    Raises:
        LookupError: There is none of that id.
    """
    folder = run_folder(run)
    if not (folder / "weights.safetensors").is_file():
        raise LookupError(f"no weights are kept for {run!r:.80}; train the network first")
    return folder


@api.post("/read")
async def read(wanted: Source) -> Any:
    """The network in a PyTorch source text, which is read and never run."""
    arguments = {"source": wanted.source, "spec": wanted.spec}
    found = await call_async("engine.importing.source:read", arguments, seconds=120)
    return JSONResponse(found, 422) if "error" in found else found


@api.post("/import")
async def take(sent: Sent) -> Any:
    """The network in a file, and its weights as a kept model; nothing in it is executed."""
    return await call_async("engine.importing.table:take", sent.model_dump(), seconds=120)


@api.get("/formats")
async def formats() -> Any:
    """What a network can be taken home as."""
    return await call_async("engine.export.table:listing", {}, seconds=60)


@api.post("/export/{name}")
async def take_home(name: str, wanted: Wanted) -> Response:
    """The network as a file of that format."""
    weights = run_folder(wanted.run) / "weights.safetensors" if wanted.run else None
    if weights is not None and not weights.is_file():
        raise LookupError(f"no weights are kept for {wanted.run!r:.80}")
    asked: dict[str, Any] = {"name": name, "spec": wanted.spec, "settings": wanted.settings}
    asked["weights"] = None if weights is None else str(weights)
    made = await call_async("engine.export.table:take_home", asked, seconds=120)
    headers = {"Content-Disposition": f'attachment; filename="{made["file"]}"'}
    return Response(made["content"], media_type=made["media"], headers=headers)


@api.post("/runs")
async def start(wanted: Start, request: Request) -> Any:
    """Start a run; its live view is the WebSocket /live/RUN."""
    owner = request.cookies.get(VISITOR, "api")
    if wanted.spec is not None:
        chosen = {} if wanted.settings == "quick" else wanted.settings
        settings = {"spec": wanted.spec, "data": wanted.data, **chosen}
        return board().start("engine.training.run:train", settings, owner=owner).info()
    from ui.shelf import shelf

    card = shelf().find(wanted.lab)
    if card is None:
        raise LookupError(f"no lab {wanted.lab!r:.80}; GET /api/labs names them")
    values = card.form.accept(card.quick if wanted.settings == "quick" else wanted.settings)
    pace = SEEN if wanted.settings == "quick" else 0.0
    run = board().start(card.entry, values, owner=owner, title=card.title, pace=pace)
    return run.info()


@api.get("/labs")
async def labs() -> list[Mapping[str, Any]]:
    """Every lab of the curriculum with its form."""
    from ui.shelf import shelf

    return [
        {"id": card.id, "title": card.title, "covers": card.covers, "form": card.form.to_json()}
        for card in shelf().cards.values()
    ]


@api.get("/runs/{run}")
def look(run: str) -> Any:
    """How a run stands, and what is kept of it."""
    live = board().known(run)
    kept = folder.read(run_folder(run))
    if live is None and kept is None:
        return board().find(run).info()  # raises, in the words for that
    return {**(live.info() if live else {"run": run}), "kept": kept and told(kept)}


@api.post("/runs/{run}/commands")
async def command(run: str, told: Command) -> Any:
    """Steer a run."""
    found = board().find(run)
    found.command(told.do, told.values if told.do == "set" else told.value)
    return found.info()
