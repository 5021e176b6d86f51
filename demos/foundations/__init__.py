"""Mathematical foundations."""

ORDER = 1
