"""What a search over hyperparameters needs: networks small enough to be trained by the dozen."""
