"""CNN fundamentals."""

ORDER = 9
