"""Networks taken home: scripts, notebooks and weights that need nothing of this project."""
