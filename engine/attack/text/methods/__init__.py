"""The attacks on text, a module a family."""
