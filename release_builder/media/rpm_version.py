"""Which of two RPM versions is newer.

Source: rpm, rpm-version(7), "Version comparison", with ``~`` (4.10) and ``^`` (4.15). The tests
compare with the real rpm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Final, TypeAlias

_Rank: TypeAlias = tuple[tuple[int, int, str], ...]

# Whatever else stands between segments only parts them.
_SEGMENT: Final = re.compile(r"~|\^|[0-9]+|[A-Za-z]+")
_TILDE: Final = (0, 0, "")
_END: Final = (1, 0, "")
_CARET: Final = (2, 0, "")


def compare(one: str, other: str) -> int:
    """Compare two versions, or two releases, as rpm does.

    Returns:
        -1 when ``one`` is older, 1 when it is newer, 0 when rpm sees no difference (1.0 and
        1.00, say).
    """
    ours, theirs = _rank(one), _rank(other)
    return (ours > theirs) - (ours < theirs)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Evr:
    """Epoch, version and release of a package, ordered and equal as rpm says.

    Attributes:
        epoch: 0 where the package states none.
        version: Any text.
        release: Any text.
    """

    epoch: int
    version: str
    release: str

    def __str__(self) -> str:
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{epoch}{self.version}-{self.release}"

    def __eq__(self, other: object) -> bool:
        return self._rank == other._rank if isinstance(other, Evr) else NotImplemented

    def __lt__(self, other: Evr) -> bool:
        return self._rank < other._rank

    def __hash__(self) -> int:
        return hash(self._rank)

    @property
    def _rank(self) -> tuple[int, _Rank, _Rank]:
        return self.epoch, _rank(self.version), _rank(self.release)


def _rank(text: str) -> _Rank:
    """What tuples compare as rpm compares texts."""
    return (*(_segment_rank(segment) for segment in _SEGMENT.findall(text)), _END)


def _segment_rank(segment: str) -> tuple[int, int, str]:
    if segment == "~":
        return _TILDE
    if segment == "^":
        return _CARET
    if segment.isdigit():
        # The longer number is the larger one; int() refuses thousands of digits.
        digits = segment.lstrip("0")
        return 4, len(digits), digits
    return 3, 0, segment
