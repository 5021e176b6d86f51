"""Where workers come from: forked from a preloaded process, or taken from warm spares.

Both give a `Worker`: the server's end of its socket pair, and the news of its end.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from engine.jobs.limits import Limits

_ROOT = Path(__file__).parents[2]  # a server started from another folder finds its workers too

# One thread each, and the heap is kept: glibc otherwise gives the memory of large batches back
# and fetches it again at every step.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),  # glibc takes no more
}


class Worker:
    """A process that waits for a task on its line.

    Attributes:
        line: The server's end of the socket pair.
        pid: Its process id once it is known, else None.
        code: Its exit code once it has ended, negative for a signal; else None.
        gone: Set when it has ended.
    """

    def __init__(self, line: socket.socket, kill: Callable[[], None]) -> None:
        self.line = line
        self.pid: int | None = None
        self.code: int | None = None
        self.gone = threading.Event()
        self.kill = kill

    def end(self, code: int | None) -> None:
        """Note that the process has ended."""
        self.code = code
        self.gone.set()


class Source(Protocol):
    """Where workers come from."""

    def warm(self, modules: Sequence[str] = ()) -> None:
        """Begin now, so that the first worker comes at once; have these modules imported."""

    def take(self) -> Worker:
        """A worker that waits for its task."""
        ...

    def close(self) -> None:
        """End all workers."""


def source(limits: Limits) -> Source:
    """The right one for this machine."""
    return Forks() if limits.forks() else Spares(limits.spares)


class Forks:
    """Workers forked from one preloaded process, which is started anew should it die."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._workers: dict[int, Worker] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._reader: threading.Thread | None = None

    def warm(self, modules: Sequence[str] = ()) -> None:
        """Start the process; returns at once."""
        with self._lock:
            line = self._begun()
            for module in modules:
                line.sendall(json.dumps({"preload": [module]}).encode())

    def take(self) -> Worker:
        """Fork a worker; its task may be sent before it is born."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            number = next(self._numbers)
            worker = Worker(ours, lambda: self._kill(number))
            request = json.dumps({"worker": number}).encode()
            try:
                socket.send_fds(self._begun(), [request], [theirs.fileno()])
            except ConnectionError:  # it died, and its reader has not come to it yet
                self._process = None
                socket.send_fds(self._begun(), [request], [theirs.fileno()])
            self._workers[number] = worker
        return worker

    def close(self) -> None:
        """End the process, and with it all workers."""
        with self._lock:
            process, line, reader = self._process, self._line, self._reader
            self._process = None
            if line is not None:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)  # wakes the process and our reader
        if process is not None:
            _finish(process)
        if reader is not None:
            reader.join()

    def _begun(self) -> socket.socket:
        """The line to the process, which is started if there is none; needs the lock."""
        if self._process is not None and self._line is not None:
            return self._line
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _command("engine.jobs.forkserver", theirs)
        self._line, self._workers = ours, {}
        reads = (ours, self._process, self._workers)
        self._reader = threading.Thread(target=self._read, args=reads, name="forks", daemon=True)
        self._reader.start()
        return ours

    def _read(
        self, line: socket.socket, process: subprocess.Popen[bytes], workers: dict[int, Worker]
    ) -> None:
        """Take in what the process reports; runs in a thread of its own until it is gone."""
        with contextlib.suppress(OSError):
            while data := line.recv(1 << 16):
                report = json.loads(data)
                with self._lock:
                    _note(report, workers)
        process.wait()
        with self._lock:
            line.close()
            if self._line is line:
                self._process = self._line = None
            lost = list(workers.values())
        for worker in lost:  # they die with their parent
            worker.end(None)

    def _kill(self, number: int) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._line is not None:
                self._line.sendall(json.dumps({"kill": number}).encode())


def _note(report: dict[str, Any], workers: dict[int, Worker]) -> None:
    """Write down one report of the process that forks."""
    if "born" in report:
        workers[report["born"]].pid = report["pid"]
    elif "gone" in report:
        workers.pop(report["gone"]).end(report["code"])


class Spares:
    """A few started processes that wait with PyTorch imported."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._waiting: list[Worker] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._reapers: list[threading.Thread] = []

    def warm(self, modules: Sequence[str] = ()) -> None:  # noqa: ARG002 - each imports its own
        """Start the spares; returns at once."""
        with self._lock:
            self._fill()

    def take(self) -> Worker:
        """The spare that has waited longest; another one is started in its place."""
        with self._lock:
            self._fill()
            worker = self._waiting.pop(0)
            self._fill()
        return worker

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            processes, reapers = self._processes, self._reapers
            for worker in self._waiting:
                worker.line.close()
            self._waiting, self._processes, self._reapers, self._count = [], [], [], 0
        for process in processes:
            _finish(process)
        for reaper in reapers:
            reaper.join()

    def _fill(self) -> None:
        self._waiting = [worker for worker in self._waiting if not worker.gone.is_set()]
        while len(self._waiting) < max(1, self._count):
            self._waiting.append(self._spawn())

    def _spawn(self) -> Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            process = _command("engine.jobs.worker", theirs)
        worker = Worker(ours, process.kill)
        worker.pid = process.pid
        reaper = threading.Thread(
            target=lambda: worker.end(process.wait()), name="spare", daemon=True
        )
        reaper.start()
        self._reapers = [thread for thread in self._reapers if thread.is_alive()] + [reaper]
        self._processes = [p for p in self._processes if p.returncode is None] + [process]
        return worker


def _command(module: str, line: socket.socket) -> subprocess.Popen[bytes]:
    """Start `python -m module` with this end of a socket pair."""
    words = [sys.executable, "-m", module]
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": path}
    if sys.platform == "win32":
        process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE)
        assert process.stdin is not None  # noqa: S101 - asked for in the line above
        with process.stdin as pipe:
            pipe.write(line.share(process.pid))
        return process
    return subprocess.Popen(
        [*words, str(line.fileno())],
        env=environment,
        pass_fds=[line.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the server, which ends its workers in order
    )


def _finish(process: subprocess.Popen[bytes], grace: float = 2.0) -> None:
    """See a process to its end; it has been told to go by its line being closed."""
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
