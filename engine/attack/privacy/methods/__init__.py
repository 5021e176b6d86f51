"""The attacks on privacy and training, a module each."""
