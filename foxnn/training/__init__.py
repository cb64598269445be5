"""Training: what `fit` was asked for, its epochs and steps, and the checkpoints from which it goes on."""
