"""A kept run handed to another program: what pages, the API and the command line call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.tracking import trackers
from engine.tracking.address import checked, public_place
from engine.tracking.story import told


def send(
    tracker: str,
    run: str,
    settings: Mapping[str, Any] | None = None,
    owner: str | None = None,
    *,
    visitor: bool = True,
) -> bytes | str:
    """A run as a file of that program, or words where it has been put.

    Args:
        tracker: Name in the table.
        run: The run's id.
        settings: The tracker's own.
        owner: Whose run it must be; None for anybody's.
        visitor: Whether a visitor asks, who may only send to web servers.

    Raises:
        LookupError: There is no such tracker, or no such run of that owner.
        ValueError: A setting is no good, a package is missing, or the server does not take it.
    """
    entry = trackers.find(tracker)
    chosen = dict(entry.form.accept(settings or {}))
    if visitor and entry.facts["gives"] == "place":
        if not chosen.get("server") and (public_place() or not entry.facts.get("alone")):
            raise ValueError(f"{entry.facts['title']}: needs the address of a server")
        if chosen.get("server"):
            chosen["server"] = checked(str(chosen["server"]))
    found: bytes | str = entry(told(run, owner), **chosen)
    return found
