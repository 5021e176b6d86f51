"""The explainers, a module a family."""
