"""Making a classifier harder to fool, and proving how hard it is: what the Defend page runs."""
