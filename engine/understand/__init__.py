"""Understanding a training: back-propagation with real numbers, the landscape, the past."""
