"""The Explain page: one skeleton, a section at a time."""
