"""The script as a Jupyter notebook: the same text in cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.export.script import parts

_TITLES = ("", "## The model", "## The data", "## The settings", "## The training")


def notebook(spec: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> str:
    """The notebook of a network, as JSON text (nbformat 4.5); see `script` for the arguments."""
    *sections, _ = parts(spec, settings or {})
    if len(sections) < len(_TITLES):
        raise ValueError("a notebook trains on one input; export this network as a script")
    head = sections[0]
    title = head[0].strip('".')
    cells = [_words(f"# {title}", 0)]
    start = head.index("from __future__ import annotations")
    cells.append(_code(head[start:], 1))
    for number, (section, words) in enumerate(zip(sections[1:], _TITLES[1:], strict=True)):
        cells += [_words(words, 2 * number + 2), _code(section, 2 * number + 3)]
    doing = [
        "torch.manual_seed(SEED)",
        "network = Network()",
        "train(network, load())",
        "weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}",
        'save_file(weights, "weights.safetensors")',
    ]
    cells += [_words("## Doing it", len(cells)), _code(doing, len(cells) + 1)]
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _words(text: str, number: int) -> dict[str, object]:
    return {"cell_type": "markdown", "id": f"cell{number}", "metadata": {}, "source": [text]}


def _code(lines: list[str], number: int) -> dict[str, object]:
    text = "\n".join(lines).strip("\n").splitlines(keepends=True)
    return {
        "cell_type": "code",
        "id": f"cell{number}",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": text,
    }
