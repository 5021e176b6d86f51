"""What the sections of the Explain page run, one file a question."""
