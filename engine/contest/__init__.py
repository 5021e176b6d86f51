"""Several trainings against each other: races, sweeps, clouds of seeds."""
