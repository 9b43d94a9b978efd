"""A small release made on the spot: real RPMs, a real image, its pair and a real mirror."""
