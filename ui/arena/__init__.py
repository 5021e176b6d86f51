"""The pages Attack and Defend: one skeleton, a section at a time."""
