"""The jigdo format and its engine: bytes and streams, no network, no programs, no database."""
