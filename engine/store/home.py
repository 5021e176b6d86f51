"""Where the playground keeps what outlives a run: one folder, named by `PLAYGROUND_HOME`."""

from __future__ import annotations

import os
import re
from pathlib import Path

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def home() -> Path:
    """The folder of everything that is kept: `PLAYGROUND_HOME`, or `~/.orrery`; made if missing.

    Raises:
        ValueError: It cannot be made or is no folder.
    """
    folder = Path(os.environ.get("PLAYGROUND_HOME") or "~/.orrery").expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"PLAYGROUND_HOME: {folder} must be a folder that can be written ({error.strerror}); "
            "name another one"
        ) from error
    return folder


def models() -> Path:
    """Where models of other makers lie: `PLAYGROUND_MODELS`, or a folder of ours; not made here."""
    return Path(os.environ.get("PLAYGROUND_MODELS") or home() / "models").resolve()


def run_folder(id: str) -> Path:
    """Where the run of that id keeps its files; not made here.

    Raises:
        LookupError: The id is none that a run could have.
    """
    if not _ID.fullmatch(id):
        raise LookupError(f"no run {id!r:.80}; a run's id has only letters, digits, - and _")
    return home() / "runs" / id
