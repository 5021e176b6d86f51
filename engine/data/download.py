"""Files from the internet: known by their checksum, bounded in size, fetched once."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

SECONDS = 10.0  # without a byte, after which a server counts as out of reach


def fetch(sources: Sequence[str], target: Path, *, sha256: str, largest: int) -> Path:
    """`target`, downloaded from the first source that has it if it is not there yet.

    Args:
        sources: Addresses to try in turn.
        target: Where the file is kept; its folder is made.
        sha256: What the content must hash to.
        largest: How many bytes are read at most.

    Raises:
        LookupError: No source could be reached, or what it sent is not the file; says which.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    tried = []
    for source in sources:
        try:
            content = _read(source, largest)
        except (OSError, ValueError) as error:
            tried.append(f"{source}: {error}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == sha256:
            _keep(content, target)
            return target
        tried.append(f"{source}: sent another file (SHA-256 {found[:12]}…, not {sha256[:12]}…)")
    raise LookupError(f"{target.name} could not be downloaded. Tried " + "; ".join(tried))


def _read(source: str, largest: int) -> bytes:
    if not source.startswith(("http://", "https://")):
        raise ValueError("is no web address")
    with urllib.request.urlopen(source, timeout=SECONDS) as answer:  # noqa: S310 - checked above
        content: bytes = answer.read(largest + 1)
    if len(content) > largest:
        raise ValueError(f"sent more than {largest} bytes")
    return content


def _keep(content: bytes, target: Path) -> None:
    """Write under another name first, so that a half-written file never has the right name."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(target)
