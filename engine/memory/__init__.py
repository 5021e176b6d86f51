"""What a network carries along a sequence: gates and states of recurrent layers, state spaces."""
