"""The receptive field: how much of the input one value of a layer has seen."""

from __future__ import annotations

from dataclasses import dataclass

from engine.network.graph import Step
from engine.network.registry import find
from engine.network.shapes import Window
from engine.network.trace import Trace


@dataclass(frozen=True, slots=True)
class _View:
    """What a value sees along each axis of an image, and how far apart neighbours look [1]."""

    size: tuple[int, ...]
    jump: tuple[int, ...]


def receptive_fields(traced: Trace) -> dict[str, list[int] | None]:
    """Path -> rows, columns, ... of the input that one value sees; None for all or no image.

    Source: Araujo, Norris & Sim (2019), Computing receptive fields of convolutional networks.
    """
    views: dict[str, _View | None] = {}
    for step in traced.plan.steps:
        views[step.path] = _look(step, traced, views)
    return {path: list(view.size) if view else None for path, view in views.items()}


def _look(step: Step, traced: Trace, views: dict[str, _View | None]) -> _View | None:
    measured = traced.measured.get(step.path)
    if measured is None:
        return None
    axes = len(measured.outputs[0].shape) - 1
    if step.type == "Input":
        return _View((1,) * axes, (1,) * axes) if axes > 0 else None
    before = _together([views[path] for path, _ in step.sources])
    if before is None or find(step.type).reach == "all":
        return None
    return _through(before, measured.window) if measured.window else before


def _through(view: _View, window: Window) -> _View | None:
    if len(view.size) != len(window.kernel):
        return None
    size = tuple(
        seen + (kernel - 1) * dilation * jump
        for seen, jump, kernel, dilation in zip(
            view.size, view.jump, window.kernel, window.dilation, strict=True
        )
    )
    jump = tuple(jump * stride for jump, stride in zip(view.jump, window.stride, strict=True))
    return _View(size, jump)


def _together(views: list[_View | None]) -> _View | None:
    """What is seen through several paths: the largest of each."""
    known = [view for view in views if view is not None]
    if len(known) != len(views) or not known or len({len(view.size) for view in known}) > 1:
        return None
    size = tuple(max(sizes) for sizes in zip(*(view.size for view in known), strict=True))
    jump = tuple(max(jumps) for jumps in zip(*(view.jump for view in known), strict=True))
    return _View(size, jump)
