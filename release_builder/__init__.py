"""Rebuild, verify and publish installation images from jigdo pairs and a tree of packages."""

__version__ = "0.1.0"
