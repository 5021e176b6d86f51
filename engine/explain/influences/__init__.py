"""The ways to ask which training samples speak for an answer, a module a family."""
