"""Data sets by name, made or read on demand and split into training and validation."""

from engine.data.dataset import DataSet, datasets, load

__all__ = ["DataSet", "datasets", "load"]
