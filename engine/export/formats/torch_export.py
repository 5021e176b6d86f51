"""A program of `torch.export`: the graph of one run, with the batch left open."""

from __future__ import annotations

import io
import json
import warnings

import torch

from engine.export.examples import examples
from engine.export.table import Wanted, export_format


@export_format("torch.export program", "model.pt2", "application/octet-stream", place=5, holds=True)
def torch_export(wanted: Wanted) -> bytes:
    """The traced program with its weights: `torch.export.load`, without any class of yours."""
    network = wanted.network()
    given = examples(wanted.spec)
    batch = torch.export.Dim("batch", min=1)
    file = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(
                network, given, dynamic_shapes=(tuple({0: batch} for _ in given),), strict=False
            )
            own = {"orrery.json": json.dumps(wanted.spec.to_json())}
            torch.export.save(program, file, extra_files=own)
    except Exception as error:  # noqa: BLE001 - whatever the exporter says is told
        cause = str(error).strip().splitlines()[0][:200] if str(error).strip() else "no reason"
        raise ValueError(f"torch.export: this network cannot be traced: {cause}") from None
    return file.getvalue()
