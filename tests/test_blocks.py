"""What is said of the insides of blocks."""

from __future__ import annotations

import pytest

from engine.network.build import build
from engine.network.describe import describe

INSIDE = {
    "a linear that is not flattened, in a block": (
        {
            "nodes": [
                {"id": "x", "type": "Input"},
                {
                    "id": "conv",
                    "type": "Conv2d",
                    "params": {"out_channels": "=width", "kernel_size": 3, "padding": 1},
                },
                {
                    "id": "scores",
                    "type": "Linear",
                    "params": {"in_features": 512, "out_features": 10},
                },
            ],
            "edges": [["x", "conv"], ["conv", "scores"]],
            "values": {"width": 8},
        },
        "8 × 8 × 8",
    ),
    "a window that is too large, in a block": (
        {
            "nodes": [
                {"id": "x", "type": "Input"},
                {"id": "pool", "type": "MaxPool2d", "params": {"kernel_size": "=4 * width"}},
            ],
            "edges": [["x", "pool"]],
            "values": {"width": 4},
        },
        "8 + 2·0 − 16 + 1 = −7 places",
    ),
    "a shortcut that does not fit, in a block": (
        {
            "nodes": [
                {"id": "x", "type": "Input"},
                {"id": "conv", "type": "Conv2d", "params": {"out_channels": 4, "kernel_size": 3}},
                {"id": "add", "type": "Add"},
            ],
            "edges": [["x", "conv"], ["conv", "add"], ["x", "add"]],
        },
        "4 × 6 × 6",
    ),
}


@pytest.mark.parametrize("repeat", [None, 2])
@pytest.mark.parametrize("case", INSIDE)
def test_what_is_broken_in_a_block_is_told_by_its_path_and_every_fix_repairs(
    case: str, repeat: int | None
) -> None:
    block, words = INSIDE[case]
    params = {"block": "part", **({"repeat": repeat} if repeat else {})}
    spec = {
        "nodes": [
            {"id": "image", "type": "Input", "params": {"shape": [1, 8, 8]}},
            {"id": "body", "type": "Block", "params": params},
        ],
        "edges": [["image", "body"]],
        "blocks": {"part": block},
    }
    errors = [p for p in describe(spec)["nodes"]["body"]["problems"] if p["level"] == "error"]
    path = errors[0]["path"]
    assert path.startswith("body.0." if repeat else "body.")
    assert errors[0]["text"].startswith(f"{path} (")
    assert words in errors[0]["text"]
    assert errors[0]["fixes"]
    for fix in errors[0]["fixes"]:
        assert fix["text"].startswith("in block part: ")
        told = describe(fix["spec"])
        assert path not in [
            p["path"] for p in told["nodes"]["body"]["problems"] if p["level"] == "error"
        ]
        if not repeat:
            build(fix["spec"])


def test_hints_reach_into_blocks_once_for_all_copies() -> None:
    block = {
        "nodes": [
            {"id": "x", "type": "Input"},
            {
                "id": "conv",
                "type": "Conv2d",
                "params": {"out_channels": 4, "kernel_size": 3, "padding": 1},
            },
            {"id": "norm", "type": "BatchNorm2d"},
        ],
        "edges": [["x", "conv"], ["conv", "norm"]],
    }
    spec = {
        "nodes": [
            {"id": "image", "type": "Input", "params": {"shape": [1, 8, 8]}},
            {"id": "body", "type": "Block", "params": {"block": "part", "repeat": 3}},
        ],
        "edges": [["image", "body"]],
        "blocks": {"part": block},
    }
    (hint,) = describe(spec)["nodes"]["body"]["problems"]
    assert hint["path"] == "body.0.conv"
    assert "body.0.conv: its bias does nothing" in hint["text"]
    assert not describe(hint["fixes"][0]["spec"])["nodes"]["body"]["problems"]
