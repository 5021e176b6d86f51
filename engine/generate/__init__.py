"""Writing with a network that says what comes next: odds, filters, beams and the cache."""
