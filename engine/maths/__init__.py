"""Mathematics that several labs need: expressions typed by a visitor."""
