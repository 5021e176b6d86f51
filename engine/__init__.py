"""The engine: networks, data, training, explanations and attacks in PyTorch, with no front end."""
