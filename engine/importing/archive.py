"""A zip archive that was handed in: nothing is unpacked beyond what it may hold."""

from __future__ import annotations

import io
import zipfile
import zlib

MOST_FILES = 50_000
MOST_BYTES = 4_000_000_000  # unpacked, all together
LOOSEST = 1_000  # how many times larger a file may become


class Archive:
    """The files of an archive, whose names all begin with one folder.

    Args:
        content: The archive.
        what: What it should be, for messages.
    """

    def __init__(self, content: bytes, what: str) -> None:
        self._what = what
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            raise ValueError(f"this is not {what}: it is no zip archive") from None
        entries = self._zip.infolist()
        if len(entries) > MOST_FILES:
            raise ValueError(f"{what} may hold at most {MOST_FILES:,} files")
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise ValueError(f"{what} may unpack to at most {MOST_BYTES:,} bytes")
        self._entries = {entry.filename: entry for entry in entries}

    def find(self, name: str) -> str | None:
        """The full name of a file that ends like this; None if there is none."""
        return next((full for full in self._entries if full.endswith(f"/{name}")), None)

    def read(self, name: str, most: int) -> bytes:
        """A file, found by the end of its name.

        Raises:
            ValueError: It is missing, too large, or says less than it holds.
        """
        full = self.find(name)
        if full is None:
            raise ValueError(f"this is not {self._what}: {name} is missing")
        entry = self._entries[full]
        if entry.file_size > most or entry.file_size > LOOSEST * max(1, entry.compress_size):
            raise ValueError(f"{name:.80} would unpack to {entry.file_size:,} bytes; refused")
        try:
            with self._zip.open(entry) as file:
                content = file.read(entry.file_size + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            RuntimeError,
            NotImplementedError,
            EOFError,
        ):
            raise ValueError(f"{name:.80} is damaged") from None
        if len(content) != entry.file_size:
            raise ValueError(f"{name:.80} holds more than it says")
        return content
