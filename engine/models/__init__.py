"""Models that were trained and kept, and what one can put in front of them."""
