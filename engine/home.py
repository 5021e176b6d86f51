"""Where this installation keeps what it must remember: runs, projects, downloads."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder `PLAYGROUND_HOME`, or `.orrery` in the user's own; made if it is missing."""
    folder = Path(os.environ.get("PLAYGROUND_HOME") or Path.home() / ".orrery")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
