"""Where a visitor may have a run sent: to a web server; from a public place to a public one."""

from __future__ import annotations

import ipaddress
import os
import socket
from urllib.parse import urlsplit


def public_place() -> bool:
    """Whether strangers use this server: a Space, or `PLAYGROUND_PUBLIC` says so."""
    return bool(os.environ.get("SPACE_ID") or os.environ.get("PLAYGROUND_PUBLIC"))


def checked(url: str) -> str:
    """The address, if a visitor's run may be sent there.

    On a public server a visitor must not reach what only this machine can: neither its files
    nor the servers of its own network.

    Raises:
        ValueError: It is no web address, or leads where it must not.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"the server's address must begin with http:// or https://; got {url!r:.80}"
        )
    if not public_place():
        return url.strip()
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        raise ValueError(f"no server {parts.hostname!r:.80} is known") from None
    if not all(ipaddress.ip_address(str(one[4][0])).is_global for one in found):
        raise ValueError("on a public playground runs can be sent to public servers only")
    return url.strip()
