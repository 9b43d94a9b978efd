"""What outlives a run: digests of files that have not changed, and the lock."""
