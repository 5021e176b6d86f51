"""What the server and its workers say to each other, and how it is put on a socket.

A message is its length and a pickle. Both ends are this program on this machine, which is why
pickle is used here and nowhere else; even so, only what messages are made of is opened.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.views import Frame

State = Literal["queued", "running", "paused", "waiting", "finished", "failed", "stopped"]
Order = Literal["pause", "resume", "step", "speed", "stop", "set", "watch"]

_PLAIN = frozenset({"engine", "demos", "numpy", "collections", "pathlib"})
_BUILTINS = {("builtins", name) for name in ("set", "frozenset", "complex", "bytearray", "slice")}
_BUILTINS |= {("_codecs", "encode")}

_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Task:
    """To a worker: run this generator.

    Attributes:
        entry: `"package.module:name"`.
        settings: What it is called with.
        folder: Where it may keep files.
        memory: How much memory it may hold [GiB]; 0 for no limit.
        rates: Frames a second at most while nobody watches, and while somebody does [1/s].
        watched: Whether somebody watches already.
        pace: How long the whole run takes at least, so that one can see it [s]; 0 for no bound.
    """

    entry: str
    settings: Mapping[str, Any]
    folder: Path
    memory: float
    rates: tuple[float, float]
    watched: bool
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Errand:
    """To a worker: call this function and give back what it returns."""

    entry: str
    arguments: Mapping[str, Any]
    memory: float


@dataclass(frozen=True, slots=True)
class Command:
    """To a worker: what a watcher wants of the run."""

    do: Order
    value: Any = None


@dataclass(frozen=True, slots=True)
class News:
    """From a worker: what changed; None where nothing did.

    Attributes:
        live: The live controls and where they stand.
        speed: Steps a second at most, in a tuple of its own because None means no bound.
    """

    frame: Frame | None = None
    state: State | None = None
    live: Mapping[str, Any] | None = None
    notice: str | None = None
    speed: tuple[float | None] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """From a worker, last: how the run ended; `message` is for people, `trace` for the log."""

    state: State
    message: str = ""
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """From a worker: what an errand returned, or why it did not.

    Attributes:
        told: Whether `message` is the function's own word to the visitor.
    """

    value: Any = None
    message: str = ""
    trace: str = ""
    told: bool = True


def packed(message: object) -> bytes:
    """A message with its length, ready for the socket."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


class _Careful(pickle.Unpickler):
    """Opens plain data, arrays and our own dataclasses, and never imports anything for it.

    So a tensor that slipped into a frame cannot bring PyTorch into the server.
    """

    def find_class(self, module: str, name: str) -> Any:
        """The class or function that a pickle names.

        Raises:
            UnpicklingError: It is none that a message may hold.
        """
        root = module.partition(".")[0]
        plain = root in _PLAIN or (module, name) in _BUILTINS
        if not plain or module not in sys.modules:
            raise pickle.UnpicklingError(
                f"{module}.{name} came from a worker; frames and answers may hold numbers, words, "
                "lists, NumPy arrays and views"
            )
        return super().find_class(module, name)


def unpacked(body: bytes) -> Any:
    """The message in a pickle."""
    return _Careful(io.BytesIO(body)).load()


class Inbox:
    """Bytes as they come in, cut into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> Iterator[tuple[Any, bytes]]:
        """The messages completed by these bytes, each with its pickle."""
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._bytes)
            if len(self._bytes) < _LENGTH.size + size:
                return
            body = bytes(self._bytes[_LENGTH.size : _LENGTH.size + size])
            del self._bytes[: _LENGTH.size + size]
            yield unpacked(body), body


def receive(line: socket.socket, inbox: Inbox, deadline: float | None = None) -> Any:
    """Wait for one message, for ends that get one at a time.

    Args:
        line: The socket.
        inbox: What was received earlier.
        deadline: When to give up, on the monotonic clock; None waits for ever.

    Raises:
        EOFError: The other end is gone.
        TimeoutError: The deadline has passed.
    """
    data = b""
    while True:
        for message, _ in inbox.take(data):
            return message
        if deadline is not None:
            line.settimeout(max(1e-6, deadline - time.monotonic()))
        data = line.recv(1 << 20)
        if not data:
            raise EOFError
