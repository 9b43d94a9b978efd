"""The time that reproducible output carries."""
