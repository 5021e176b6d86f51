"""Small files that other processes and threads read while they are written anew."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Write JSON so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)
