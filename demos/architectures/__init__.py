"""CNN architectures."""

ORDER = 10
