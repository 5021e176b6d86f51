"""Neurons and multilayer perceptrons."""

ORDER = 2
