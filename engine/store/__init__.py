"""What is kept on disk: runs, checkpoints, recordings, projects."""
