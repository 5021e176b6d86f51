"""PyTorch source text read through its syntax tree; not a word of it is ever run."""
