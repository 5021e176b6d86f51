"""The layer methods, a module a family."""
