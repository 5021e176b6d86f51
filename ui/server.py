"""What the server answers beside Streamlit's own pages, and what it does on starting."""

from __future__ import annotations

import gc
import secrets
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.jobs import board
from ui.api import api
from ui.gradio_mount import GradioLater
from ui.live.socket import live

VISITOR = "orrery_visitor"
BUNDLES = Path(__file__).parent / "frontend" / "dist"

_gradio = GradioLater()


def routes() -> list[BaseRoute]:
    """Everything that is not a Streamlit page."""
    return [
        Route("/health", _health),
        WebSocketRoute("/live/{run}", live),
        Mount("/ui", _Bundles(directory=BUNDLES, check_dir=False)),
        Mount("/api", api),
        Mount("/demos", _gradio),
    ]


def middleware() -> list[Middleware]:
    """Each browser gets a name of its own, by which its work is found again."""
    return [Middleware(_KnowVisitors)]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, Any]]:
    """Warm the workers on starting; end them on stopping."""
    board().warm()
    gc.collect()
    gc.freeze()  # what was imported stays: later collections need not look at it
    yield {}
    await _gradio.close()
    board().close()


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok", **board().load()})


class _Bundles(StaticFiles):
    """The front end's files: kept by the browser, asked for again when they changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


class _KnowVisitors:
    """Sets a cookie with an unguessable name on the first visit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or VISITOR in HTTPConnection(scope).cookies:
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_cookie(message, secure=scope.get("scheme") == "https")
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _add_cookie(message: MutableMapping[str, Any], *, secure: bool) -> None:
    """A year's cookie; inside a Space's iframe it needs `SameSite=None; Secure`."""
    where = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    name = secrets.token_urlsafe(24)
    cookie = f"{VISITOR}={name}; Path=/; Max-Age=31536000; HttpOnly; {where}"
    MutableHeaders(scope=message).append("Set-Cookie", cookie)
