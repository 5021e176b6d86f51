"""The worker: one process that runs one generator, or answers one call after the other.

Its end of a socket pair is all it has of the server. As a command, `python -m engine.jobs.worker
FD`, it is the warm spare of systems that cannot fork; elsewhere it begins as a fork of
`engine.jobs.forkserver`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
import traceback

from engine.jobs.entries import resolve
from engine.jobs.failures import told
from engine.jobs.pace import drive
from engine.jobs.pipe import Answer, Errand, Inbox, Task, packed, receive

_NICE = 5  # the server answers people; training may wait a little


def serve(line: socket.socket) -> None:
    """Do what the server asks for until the run has ended or the server is gone."""
    inbox = Inbox()
    try:
        with line:
            while True:
                match receive(line, inbox):
                    case Task() as task:
                        bound(task.memory)
                        drive(task, line, inbox)
                        return
                    case Errand() as errand:
                        bound(errand.memory)
                        line.sendall(_answer(errand))
    except (EOFError, ConnectionError):
        return  # the server is gone, and with it whoever wanted this


def settle() -> None:
    """What every worker does first: one thread, less important than the server."""
    import torch

    torch.set_num_threads(1)  # for small nets faster than two, and predictable
    if hasattr(os, "nice"):
        os.nice(_NICE)


def preload() -> None:
    """Import what nearly every run needs; nothing here may start a thread."""
    import torch

    import engine.forms
    import engine.views  # noqa: F401 - imported to be there
    from engine.training.fast import ready

    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # its first use imports for a second
    if ready.ready():
        from engine.training.fast.route import rehearse

        rehearse()  # numba and its compiled loop are read once, not by every run
    gc.collect()
    gc.freeze()  # collections in the children then leave the shared pages alone


def bound(memory: float) -> None:
    """Hold this process to so much memory [GiB]; 0 for no bound."""
    if not memory or sys.platform != "linux":
        return
    import resource

    most = int(memory * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _answer(errand: Errand) -> bytes:
    try:
        return packed(Answer(resolve(errand.entry)(**errand.arguments)))
    except Exception as error:  # noqa: BLE001 - every failure is told to who asked
        own = isinstance(error, ValueError | LookupError | MemoryError)
        trace = traceback.format_exc()
        traceback.clear_frames(error.__traceback__)  # lets go of what filled the memory
        return packed(Answer(message=told(error, errand.memory), trace=trace, told=own))


def main() -> None:
    """Be a warm spare on the socket given on the command line."""
    if sys.platform == "win32":
        line = socket.fromshare(sys.stdin.buffer.read())
    else:
        line = socket.socket(fileno=int(sys.argv[1]))
    preload()
    settle()
    with contextlib.suppress(KeyboardInterrupt):
        serve(line)


if __name__ == "__main__":
    main()
