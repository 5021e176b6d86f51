"""Modules that `torch.nn` lacks: each file needs only torch, so that an export can carry it."""
