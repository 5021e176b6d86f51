"""Gradio at /demos, imported when the first visitor asks for it.

Importing Gradio and building every lab's page takes seconds; the rest of the playground must
not wait for it, so the app is made in a thread on the first request and kept.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from starlette.applications import Starlette


class GradioLater:
    """An ASGI app that becomes the Gradio app of all labs.

    Attributes:
        stack: Where the Gradio app's own start and end are entered; set by the server's lifespan.
    """

    def __init__(self) -> None:
        self.stack: AsyncExitStack | None = None
        self._app: ASGIApp | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            async with self._lock:
                if self._app is None:
                    self._app = await self._make()
        if self._app is None:
            await PlainTextResponse("The server is starting.", 503)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _make(self) -> ASGIApp | None:
        if self.stack is None:
            return None
        app = await asyncio.to_thread(_gradio_app)
        await self.stack.enter_async_context(app.router.lifespan_context(app))
        return app


_building = threading.Lock()


def _gradio_app() -> Starlette:
    with _building:
        from ui.gradio_face import gradio_app

        return gradio_app()
