"""Files from the internet: known by their checksum, bounded in size, fetched once.

A checksum is the one that the file's maker or a well known library publishes. Where that is an MD5
or a SHA-1 it tells a broken file from a whole one, but not a forged one: so no file is trusted for
its checksum alone, and each is read by code that refuses what it does not know.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

SECONDS = 10.0  # without a byte, after which a server counts as out of reach


NAMES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}


def fetch(sources: Sequence[str], target: Path, *, checksum: str, largest: int) -> Path:
    """`target`, downloaded from the first source that has it if it is not there yet.

    Args:
        sources: Addresses to try in turn.
        target: Where the file is kept; its folder is made.
        checksum: What the content must hash to, with its kind before: `sha256:440f...`.
        largest: How many bytes are read at most.

    Raises:
        LookupError: No source could be reached, or what it sent is not the file; says which.
    """
    if target.exists():
        return target
    kind, _, wanted = checksum.partition(":")
    target.parent.mkdir(parents=True, exist_ok=True)
    tried = []
    for source in sources:
        try:
            content = _read(source, largest)
        except (OSError, ValueError) as error:
            tried.append(f"{source}: {error}")
            continue
        found = hashlib.new(kind, content, usedforsecurity=False).hexdigest()
        if found == wanted:
            _keep(content, target)
            return target
        name = NAMES[kind]
        tried.append(f"{source}: sent another file ({name} {found[:12]}…, not {wanted[:12]}…)")
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
