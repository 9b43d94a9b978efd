"""What is wrong in a file, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, printable, without_users

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something in a file that cannot be meant.

    Attributes:
        file: The file, as it was named.
        line: From 1.
        column: In characters, from 1.
        key: The key with those above it, such as ``sync.timeout``; empty for the whole file.
        what: What is wrong.
        hint: What to write instead.
    """

    file: Path
    line: int
    column: int
    key: str
    what: str
    hint: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: {f'{self.key}: ' if self.key else ''}"
        return printable(without_users(f"{place}{self.what}; {self.hint}"))


class InvalidDescriptorError(DescriptorError):
    """A descriptor, or the profile it names, is wrong.

    Attributes:
        complaints: All that is wrong, by file, line and column.
    """

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        unique = dict.fromkeys(complaints)
        self.complaints = tuple(
            sorted(unique, key=lambda one: (str(one.file), one.line, one.column))
        )
        super().__init__("\n".join(map(str, self.complaints)))
