"""Training: the loop, its optimizers, what it shows, and how it goes on after an interruption."""
