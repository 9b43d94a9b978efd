"""Manual pages and shell completion, written from the command line's own definitions."""

from __future__ import annotations

from release_builder.manual.writing import write_manual

__all__ = ["write_manual"]
