"""The board's one thread: it reads what workers send, and does what others ask it to do."""

from __future__ import annotations

import contextlib
import functools
import logging
import pickle
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from engine.jobs.pipe import Inbox, packed

_MOST = 8 << 20  # of commands that a busy worker has not read yet [byte]

_log = logging.getLogger(__name__)


class Channel:
    """The server's end of a worker's line: never waits, keeps what cannot be sent yet.

    Args:
        line: The socket.
        on_message: Called with each message and its pickle.
        on_lost: Called once when the other end is gone.
    """

    def __init__(
        self,
        line: socket.socket,
        on_message: Callable[[Any, bytes], None],
        on_lost: Callable[[], None],
    ) -> None:
        line.setblocking(False)
        self.line = line
        self.on_message, self.on_lost = on_message, on_lost
        self._inbox, self._outbox = Inbox(), bytearray()

    @property
    def full(self) -> bool:
        """Whether the worker has left too much unread for more to be sent."""
        return len(self._outbox) > _MOST

    @property
    def pending(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._outbox)

    def send(self, message: object) -> None:
        """Put a message on its way."""
        self._outbox += packed(message)
        self.flush()

    def flush(self) -> None:
        """Send what can be sent now."""
        with contextlib.suppress(BlockingIOError):
            while self._outbox:
                try:
                    del self._outbox[: self.line.send(self._outbox)]
                except ConnectionError:  # reading will tell
                    self._outbox.clear()

    def read(self) -> bool:
        """Take in what has come; False when the other end is gone."""
        try:
            data = self.line.recv(1 << 20)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        try:
            for message, pickled in self._inbox.take(data):
                self.on_message(message, pickled)
        except pickle.UnpicklingError as error:
            self.on_message(error, b"")
            return False
        return bool(data)


class Pump:
    """A thread that waits for sockets and for errands.

    Args:
        tick: Called after each round; gives how long the next may wait [s].
    """

    def __init__(self, tick: Callable[[], float]) -> None:
        self._tick = tick
        self._errands: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._open = True
        self._thread = threading.Thread(target=self._loop, name="board", daemon=True)
        self._thread.start()

    def post(self, errand: Callable[[], None]) -> None:
        """Have something done by the thread, soon and in order."""
        self._errands.append(errand)
        with contextlib.suppress(BlockingIOError, OSError):
            self._ringer.send(b"!")

    def add(self, channel: Channel) -> None:
        """Listen to a worker; only from the thread itself."""
        self._selector.register(channel.line, selectors.EVENT_READ, channel)

    def remove(self, channel: Channel) -> None:
        """Listen no more, and close its line; only from the thread itself."""
        self._selector.unregister(channel.line)
        channel.line.close()

    def close(self) -> None:
        """End the thread after what has been posted."""
        self.post(self._stop)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _stop(self) -> None:
        self._open = False

    def _loop(self) -> None:
        patience = 0.0
        while self._open:
            self._ask_for_room()
            for key, events in self._selector.select(patience):
                if key.data is None:
                    self._answer_bell()
                else:
                    self._safely(functools.partial(self._serve, key.data, events))
            while self._errands:
                self._safely(self._errands.popleft())
            patience = self._safely(self._tick) or 0.0
        self._selector.close()
        self._bell.close()
        self._ringer.close()

    def _serve(self, channel: Channel, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            channel.flush()
        if events & selectors.EVENT_READ and not channel.read():
            channel.on_lost()

    def _ask_for_room(self) -> None:
        """Be told when a busy worker can take more, where something waits to be sent."""
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE * key.data.pending)
                if key.events != wanted:
                    self._selector.modify(key.fileobj, wanted, key.data)

    def _answer_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(1 << 12)

    def _safely(self, do: Callable[[], Any]) -> Any:
        """One fault must not end the thread that all runs depend on."""
        try:
            return do()
        except Exception:  # noqa: BLE001 - told in the log
            _log.exception("the board's thread")
            return None
