"""Explanations: how much each number of an input speaks for one output."""

from engine.explain.table import explainer, explainers

__all__ = ["explainer", "explainers"]
