"""Putting a lab's claims to the test: for the command line, and live in front of a learner."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, TypedDict

import torch

from demos.claims import Claim
from demos.kit import Frames
from demos.shelf import find
from engine.views import Frame, Table


class Report(TypedDict):
    """What `check` found; `error` is empty unless it broke down."""

    id: str
    ok: bool
    seconds: float
    claims: list[dict[str, Any]]
    error: str


def report(id: str) -> Report:
    """Check one lab to the end; never raises."""
    torch.set_num_threads(1)
    begun = time.process_time()
    claims: list[Claim] = []
    try:
        claims.extend(_claims(id))
        error = "" if claims else "check() made no claim"
    except Exception as wrong:  # noqa: BLE001 - told in the report
        error = f"{type(wrong).__name__}: {wrong}"
    return {
        "id": id,
        "ok": not error and all(claim.ok for claim in claims),
        "seconds": round(time.process_time() - begun, 2),
        "claims": [asdict(claim) for claim in claims],
        "error": error,
    }


def run(lab: str) -> Frames:
    """The same as a run: the table of claims grows while they are measured."""
    claims: list[Claim] = []
    yield _frame(claims, of=1)
    for claim in _claims(lab):
        claims.append(claim)
        yield _frame(claims, of=len(claims) + 1)
    yield _frame(claims, of=len(claims))


def _claims(id: str) -> Iterator[Claim]:
    yield from sys.modules[f"demos.{find(id).id}"].check()


def _frame(claims: list[Claim], of: int) -> Frame:
    rows = tuple(
        ("✓ holds" if claim.ok else "✗ fails", claim.text, _number(claim.measured), claim.expected)
        for claim in claims
    )
    table = Table(("", "claim", "measured", "expected"), rows)
    held = float(sum(claim.ok for claim in claims))
    return Frame(len(claims), of, {"claims": table}, {"claims that hold": held})


def _number(measured: float | str) -> str:
    return measured if isinstance(measured, str) else f"{measured:.6g}"
