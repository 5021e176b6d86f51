"""What all diffusion models share: the path to noise, what is predicted, and exact answers."""
