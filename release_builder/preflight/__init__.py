"""Whether a stranger can rebuild what is about to be public."""
