"""The cookie that names a browser."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

VISITOR = "orrery_visitor"


class KnowVisitors:
    """Middleware that gives every new browser an unguessable name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the answer of a first visit."""
        if scope["type"] != "http" or VISITOR in HTTPConnection(scope).cookies:
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message, secure=scope.get("scheme") == "https")
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _add(message: MutableMapping[str, Any], *, secure: bool) -> None:
    """A year's cookie; inside a Space's iframe it needs `SameSite=None; Secure`."""
    where = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    name = secrets.token_urlsafe(24)
    cookie = f"{VISITOR}={name}; Path=/; Max-Age=31536000; HttpOnly; {where}"
    MutableHeaders(scope=message).append("Set-Cookie", cookie)
