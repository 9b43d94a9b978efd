"""What people are told of a comparison, in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.filesize import decimal

from release_builder.comparison.compare import Kind

if TYPE_CHECKING:
    from release_builder.comparison.compare import Comparison
    from release_builder.comparison.fetching import Fetching


def counts(comparison: Comparison) -> str:
    """How many packages became what, ``2 updated, 1 added, 530 unchanged``."""
    found = [(len(comparison.of_kind(kind)), kind.value) for kind in Kind]
    found.append((comparison.unchanged, "unchanged"))
    return ", ".join(f"{count:,} {word}" for count, word in found if count) or "none"


def fetching(needed: Fetching) -> str:
    """What a user of the old image must fetch."""
    if needed.count is None:
        return f"not known: {needed.why}"
    parts = "1 part" if needed.count == 1 else f"{needed.count:,} parts"
    if needed.part_bytes is None:
        return f"{parts} of unknown size: {needed.why}"
    if needed.template_bytes is None:
        return f"{decimal(needed.part_bytes)} in {parts}, and the template: {needed.why}"
    total = decimal(needed.part_bytes + needed.template_bytes)
    return f"{total}: {parts} and the template ({decimal(needed.template_bytes)})"


def day(time: int) -> str:
    """The day, in UTC, of ``time`` in seconds since 1970, such as ``2014-02-01``."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
