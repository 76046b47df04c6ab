"""The engine: the training loop, its configuration, and what a step takes."""
