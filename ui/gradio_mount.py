"""Gradio at /demos, imported when the first visitor asks for it.

Importing Gradio and building every lab's page takes seconds; the rest of the playground must
not wait for it, so the app is made in a thread on the first request and kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from gradio.routes import App


class GradioLater:
    """An ASGI app that becomes the Gradio app of all labs at the first request."""

    def __init__(self) -> None:
        self._app: asyncio.Future[ASGIApp] | None = None
        self._life: asyncio.Task[None] | None = None
        self._end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer through Gradio, after building its app if nobody asked before."""
        try:
            app = await asyncio.shield(self._begin())
        except Exception as error:  # noqa: BLE001 - told to the visitor, the rest goes on
            text = f"The Gradio pages could not be built: {error}"
            await PlainTextResponse(text, 500)(scope, receive, send)
            return
        await app(scope, receive, send)

    async def warm(self, after: float) -> None:
        """Build the app after some seconds, so that nobody waits for it later."""
        await asyncio.sleep(after)
        self._begin()

    def _begin(self) -> asyncio.Future[ASGIApp]:
        """The app that is being built, or is built."""
        if self._app is None:
            self._app = asyncio.get_running_loop().create_future()
            self._life = asyncio.create_task(self._live(self._app))
        return self._app

    async def _live(self, made: asyncio.Future[ASGIApp]) -> None:
        """Build the app, then hold its own lifespan open, all in one task, until the end."""
        try:
            app = await asyncio.to_thread(_gradio_app)
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            made.set_exception(error)
            return
        async with app.router.lifespan_context(app):
            blocks = app.get_blocks()
            blocks.run_startup_events()  # type: ignore[no-untyped-call] # starts the queue
            await blocks.run_extra_startup_events()  # type: ignore[no-untyped-call]
            made.set_result(app)
            await self._end.wait()

    async def close(self) -> None:
        """End Gradio's own lifespan, where it began."""
        self._end.set()
        if self._life is not None:
            await self._life


def _gradio_app() -> App:
    from ui.gradio_face import gradio_app

    return gradio_app()
