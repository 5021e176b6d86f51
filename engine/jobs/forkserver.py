"""The process that has PyTorch imported and forks a worker for each run.

Started as a command, `python -m engine.jobs.forkserver FD`, with its end of a socket pair. The
server sends it the workers' ends of their own socket pairs; it tells the server each worker's
process id and how it ended. It never runs tensor work itself: a fork carries no threads over.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections import deque
from typing import Any

from engine.jobs.worker import preload, serve, settle

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


class ForkServer:
    """The loop: requests come in, children are forked, their ends are reported."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._children: dict[int, int] = {}  # process id -> number the server gave it
        self._modules: deque[str] = deque()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._bell, ringer = os.pipe()  # rung when a child ends
        os.set_blocking(self._bell, False)
        os.set_blocking(ringer, False)
        self._ringer = ringer
        signal.set_wakeup_fd(ringer)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def loop(self) -> None:
        """Work until the server is gone."""
        while True:
            patience = 0 if self._modules else None
            ready = select.select([self._line.fileno(), self._bell], [], [], patience)[0]
            if self._bell in ready:
                self._reap()
            if self._line.fileno() in ready and not self._request():
                return
            if not ready:
                self._import(self._modules.popleft())

    def end_children(self) -> None:
        """Leave no worker behind, nor its place in the system's table of processes."""
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _request(self) -> bool:
        """Do what one packet asks for; False when the server is gone."""
        data, fds, _, _ = socket.recv_fds(self._line, 1 << 16, 1)
        if not data:
            return False
        request: dict[str, Any] = json.loads(data)
        if fds:
            self._fork(request["worker"], fds[0])
        elif "kill" in request:
            for pid, number in self._children.items():
                if number == request["kill"]:  # not reaped yet, so the id is still its own
                    os.kill(pid, signal.SIGKILL)
        else:
            self._modules += request["preload"]
        return True

    def _fork(self, number: int, fd: int) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            os.close(fd)
            self._children[pid] = number
            self._tell(born=number, pid=pid)
            return
        try:
            self._become_worker(parent, fd)
        finally:
            os._exit(0)  # never back into the parent's loop, nor through its exit handlers

    def _become_worker(self, parent: int, fd: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._libc.prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            return  # the parent died before the line above could tie us to it
        self._line.close()
        os.close(self._bell)
        os.close(self._ringer)
        settle()
        serve(socket.socket(fileno=fd))
        sys.stdout.flush()
        sys.stderr.flush()

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 1 << 16)
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                code = os.waitstatus_to_exitcode(status)
                self._tell(gone=self._children.pop(pid, -1), code=code)

    def _import(self, module: str) -> None:
        """Have a module ready for children; one that fails will say so where it is used."""
        with contextlib.suppress(Exception):
            importlib.import_module(module)

    def _tell(self, **report: int) -> None:
        self._line.sendall(json.dumps(report).encode())


def main() -> None:
    """Preload, then fork on request."""
    with socket.socket(fileno=int(sys.argv[1])) as line:
        os.dup2(2, 1)  # what runs print belongs to the log
        preload()
        server = ForkServer(line)
        with contextlib.suppress(ConnectionError):
            server.loop()
        server.end_children()


if __name__ == "__main__":
    main()
