"""A network behind a link: its JSON, packed and written in letters that a URL may have."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from engine.network.spec import MOST_TEXT, NetworkSpec

LONGEST = 200_000  # characters


def encode(spec: NetworkSpec) -> str:
    """The network in letters, digits, - and _: zlib and base64 (RFC 4648, URL-safe)."""
    text = json.dumps(spec.to_json(), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(text: str) -> NetworkSpec:
    """The network behind a link, or behind what stands after `net=` in one.

    Raises:
        ValueError: There is none; the packed text is never unpacked beyond what a spec may be.
    """
    packed = text.strip().rpartition("net=")[2].partition("&")[0]
    if len(packed) > LONGEST:
        raise ValueError(f"a link may have at most {LONGEST:,} characters; got {len(packed):,}")
    try:
        content = base64.b64decode(packed + "=" * (-len(packed) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(content, MOST_TEXT)
    except (binascii.Error, ValueError, zlib.error):
        raise ValueError("this is no link to a network; copy all of it") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError("the link is cut off, or holds more than a network")
    return NetworkSpec.parse(plain)
