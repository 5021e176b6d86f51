"""What the server answers beside Streamlit's own pages, and what it does on starting."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from engine.jobs import CallError, board, call
from engine.store.register import register
from engine.training.fast import ready
from ui import asked, hero
from ui.api import api
from ui.cookie import KnowVisitors
from ui.gradio_mount import GradioLater
from ui.live.socket import live
from ui.shelf import shelf

BUNDLES = Path(__file__).parent / "frontend" / "dist"
GALLERY = Path(__file__).parent.parent / "docs" / "gallery"

GRADIO_AFTER = 15.0  # seconds after the start in which pages have the processor to themselves

_gradio = GradioLater()
_ready = threading.Event()
_log = logging.getLogger("orrery")


def routes() -> list[BaseRoute]:
    """Everything that is not a Streamlit page."""
    return [
        Route("/health", _health),
        WebSocketRoute("/live/{run}", live),
        Mount("/ui", _Bundles(directory=BUNDLES, check_dir=False)),
        Mount("/gallery", _Bundles(directory=GALLERY, check_dir=False)),
        Mount("/api", api),
        Mount("/demos", _gradio),
    ]


def middleware() -> list[Middleware]:
    """Each browser gets a name of its own, by which its work is found again."""
    return [Middleware(KnowVisitors)]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """Warm the workers on starting; end them on stopping."""
    board().warm()
    compiling = ready.prepare_beside()  # runs take PyTorch's route until it is done
    threading.Thread(target=_ask_ahead, daemon=True).start()
    gc.collect()
    gc.freeze()  # what was imported stays: later collections need not look at it
    warming = asyncio.create_task(_gradio.warm(after=GRADIO_AFTER))
    yield {}
    warming.cancel()
    if compiling is not None:
        compiling.terminate()
    await _gradio.close()
    board().close()


def _ask_ahead() -> None:
    """Have the workers open what the first visitor will ask for; its first use takes seconds."""
    try:
        _open_register()
        hero.run()
        call("engine.network.describe:describe", {"spec": asked.template("lenet")})
        _ready.set()  # from here on pages answer; the map of topics takes a moment more
        shelf()
    except CallError:
        _log.exception("could not ask ahead; the page that needs it will say so")
    finally:
        _ready.set()


def _open_register() -> None:
    """Take in the runs of earlier servers before the first page asks for them."""
    try:
        register().compare_with_folders()
    except (ValueError, OSError):
        _log.exception("the register of runs; the page that needs it will say so")


async def _health(_request: Request) -> Response:
    """200 once the first visitor would not have to wait, 503 before."""
    status = "ok" if _ready.is_set() else "starting"
    told = {"status": status, **board().load()}
    return JSONResponse(told, 200 if _ready.is_set() else 503)


class _Bundles(StaticFiles):
    """The front end's files: kept by the browser, asked for again when they changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
