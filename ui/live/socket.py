"""The live socket: `/live/<run>` shows a run to any number of watchers and takes their commands.

A watcher gets the newest state, 30 times a second at most, and nothing in between: one who reads
slowly misses frames and never holds anybody up. What several watchers need is encoded once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import weakref
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.jobs import Run, board
from engine.views import Frame
from ui.live.wire import encode

UNKNOWN_RUN = 4404
FOREIGN_ORIGIN = 4403
BROKEN = 1011

_RATE = 30.0  # messages a second for one watcher, at most
_LONGEST = 200_000  # of a command [characters]; a drawing of 100 x 100 pixels fits
_KEPT = 16  # encoded messages kept for other watchers of the same run
_REASON = 120  # bytes that a close frame has room for

_log = logging.getLogger(__name__)

_PLAIN = frozenset({"pause", "resume", "stop"})
_VALUED = frozenset({"speed", "step"})


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """A run at one version."""

    info: Mapping[str, Any]
    frame: Frame | None

    def since(self, before: _Moment | None) -> bytes:
        """The message that brings a watcher from an earlier moment to this one."""
        info = self.info
        if before is None:
            fresh = info["state"] != "running"  # an old word about a control is not for newcomers
        else:
            fresh = info["notices"] > before.info["notices"]
        info = {**info, "notice": info["notice"] if fresh else None}
        return encode(info, self.frame, before.frame if before else None)

    def saying(self, notice: str) -> bytes:
        """A message for one watcher alone, who has this moment already."""
        return encode({**self.info, "notice": notice}, self.frame, self.frame)


class _Desk:
    """What the watchers of one run share: its newest moment, and messages already encoded."""

    def __init__(self) -> None:
        self._newest: _Moment | None = None
        self._messages: OrderedDict[tuple[int | None, int], bytes] = OrderedDict()

    def newest(self, run: Run) -> _Moment:
        if self._newest is None or self._newest.info["version"] != run.version:
            self._newest = _Moment(*run.snapshot())
        return self._newest

    def message(self, before: _Moment | None, now: _Moment) -> bytes:
        key = (before.info["version"] if before else None, now.info["version"])
        if key not in self._messages:
            self._messages[key] = now.since(before)
            if len(self._messages) > _KEPT:
                self._messages.popitem(last=False)
        return self._messages[key]


_desks: weakref.WeakKeyDictionary[Run, _Desk] = weakref.WeakKeyDictionary()


async def live(socket: WebSocket) -> None:
    """Serve one watcher until it leaves."""
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        if not _own(socket):
            await _refuse(
                socket, FOREIGN_ORIGIN, "This run is shown only on the playground's own pages."
            )
            return
        try:
            run = await asyncio.to_thread(board().find, socket.path_params["run"])
        except LookupError as error:
            await _refuse(socket, UNKNOWN_RUN, str(error))
            return
        await _Watcher(socket, run).watch()


class _Watcher:
    """One open socket."""

    def __init__(self, socket: WebSocket, run: Run) -> None:
        self._socket, self._run = socket, run
        self._desk = _desks.setdefault(run, _Desk())
        self._news = asyncio.Event()
        self._notices: list[str] = []

    async def watch(self) -> None:
        """Show and listen until the watcher leaves."""
        self._news.set()
        with self._subscribed():
            try:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._show)
                    await self._listen()
                    both.cancel_scope.cancel()
            except* WebSocketDisconnect:
                pass
            except* Exception:  # noqa: BLE001 - told in the log, and to the watcher
                _log.exception("a watcher of run %s", self._run.id)
                await self._socket.close(BROKEN, "This run cannot be shown; it goes on unseen.")

    @contextlib.contextmanager
    def _subscribed(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody watches any more
                loop.call_soon_threadsafe(self._news.set)

        unsubscribe = self._run.subscribe(tell)
        try:
            yield
        finally:
            unsubscribe()

    async def _show(self) -> None:
        """Send the newest state whenever there is a newer one."""
        seen: _Moment | None = None
        clock = asyncio.get_running_loop().time
        sent = 0  # the number of the 30th of a second in which the last message went
        while True:
            await self._news.wait()
            # All watchers wait for the same borders between 30ths, and so for the same message.
            if (early := (sent + 1) / _RATE - clock()) > 0:
                await asyncio.sleep(early)
            self._news.clear()
            now = self._desk.newest(self._run)
            if now is not seen:
                await self._socket.send_bytes(self._desk.message(seen, now))
                seen, sent = now, int(clock() * _RATE)
            while self._notices:
                await self._socket.send_bytes(now.saying(self._notices.pop(0)))

    async def _listen(self) -> None:
        """Take commands until the watcher leaves; a wrong one is answered with a notice."""
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            try:
                self._obey(_command(message))
            except ValueError as refusal:
                self._notices.append(str(refusal))
                self._news.set()

    def _obey(self, command: Mapping[str, Any]) -> None:
        do = command.get("do")
        if isinstance(do, str) and do in _VALUED:
            self._run.command(do, command.get("value"))
        elif do == "set":
            self._run.command("set", command.get("values"))
        elif isinstance(do, str) and do in _PLAIN:
            self._run.command(do)
        elif do != "again":  # which the page hears, for it knows what to start
            known = ", ".join([*sorted(_PLAIN | _VALUED), "set"])
            raise ValueError(f"a live view knows the commands {known}; got {do!r:.80}")


def _command(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON object in a message.

    Raises:
        ValueError: There is none.
    """
    text = message.get("text")
    if text is None:
        raise ValueError("commands are JSON text; got bytes")
    if len(text) > _LONGEST:
        raise ValueError(f"a command may have {_LONGEST:,} characters; got {len(text):,}")
    try:
        command = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a command must be JSON; got {text!r:.60}") from error
    if not isinstance(command, dict):
        raise ValueError(  # noqa: TRY004 - a visitor's mistake, not a programmer's
            f'a command must be an object such as {{"do": "pause"}}; got {text!r:.60}'
        )
    return command


def _own(socket: WebSocket) -> bool:
    """Whether the page that opened the socket is ours; programs send no origin."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    headers = ("host", "x-forwarded-host")
    hosts = {socket.headers.get(name, "") for name in headers} | {os.environ.get("SPACE_HOST", "")}
    return urlsplit(origin).netloc.lower() in {host.lower() for host in hosts if host}


async def _refuse(socket: WebSocket, code: int, why: str) -> None:
    """Say why there is nothing to see, as a message and in the close frame."""
    failure = {"message": why, "resumable": False}
    info = {"run": "", "state": "failed", "step": 0, "of": 0, "facts": {}, "waits": False}
    info |= {"version": 0, "failure": failure, "live": {}}
    await socket.send_bytes(encode(info, None, None))
    await socket.close(code, why.encode()[:_REASON].decode(errors="ignore"))
