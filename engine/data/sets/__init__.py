"""The data sets, a module a family."""
