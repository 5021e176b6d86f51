"""The page Generate: a generative model chosen, sampled, trained and taken home."""
