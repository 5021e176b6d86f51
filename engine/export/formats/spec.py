"""The network as this playground itself keeps it."""

from __future__ import annotations

import json

from engine.export.link import encode
from engine.export.table import Wanted, export_format
from engine.export.weights import dump


@export_format("Network (JSON)", "model.json", "application/json", place=9, name="json")
def as_json(wanted: Wanted) -> bytes:
    """The spec alone: what the canvas, the command line and the API read."""
    return json.dumps(wanted.spec.to_json(), indent=1, ensure_ascii=False).encode()


@export_format("Link", "model.txt", "text/plain", place=10)
def link(wanted: Wanted) -> bytes:
    """The whole network behind a link to the builder."""
    return f"build#net={encode(wanted.spec)}\n".encode()


@export_format("Weights", "model.safetensors", "application/octet-stream", place=3, holds=True)
def safetensors(wanted: Wanted) -> bytes:
    """The numbers it has learnt, with the spec in the file's header."""
    return dump(wanted.network())
