"""Who says what the right bytes are: sums files and the digests of a descriptor."""
