"""What changed between two releases."""

from release_builder.comparison.compare import Comparison, Kind, PackageChange, compare

__all__ = ["Comparison", "Kind", "PackageChange", "compare"]
