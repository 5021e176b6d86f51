"""The network as PyTorch code."""

from __future__ import annotations

from engine.export.notebook import notebook as notebook_text
from engine.export.script import script as script_text
from engine.export.table import Wanted, export_format


@export_format("PyTorch script", "model.py", "text/x-python", place=1)
def script(wanted: Wanted) -> bytes:
    """One file that builds, loads, trains and judges the network with PyTorch alone."""
    return script_text(wanted.spec.to_json(), wanted.settings).encode()


@export_format("Notebook", "model.ipynb", "application/x-ipynb+json", place=2)
def notebook(wanted: Wanted) -> bytes:
    """The same script in the cells of a Jupyter notebook."""
    return notebook_text(wanted.spec.to_json(), wanted.settings).encode()
