"""``CKSUMS``: a line of cksum(1) for each image and each delta.

Source: puavo-os, ``.aux/make-rdiffs.rake``; POSIX, ``cksum``. Names are plain, those of deltas
too; an image is followed by the deltas that lead to it. Current laptops no longer read it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.errors import WrongBytesError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.repository.sums import Sums

_LINE: Final = re.compile(rb"(0|[1-9]\d{0,9}) (0|[1-9]\d{0,18}) ([^/\0]+)")


def format_cksums(files: Mapping[str, Sums]) -> bytes:
    """The content of CKSUMS.

    Args:
        files: By plain name, in the order of the lines.
    """
    return format_lines({name: (sums.cksum, sums.size) for name, sums in files.items()})


def format_lines(told: Mapping[str, tuple[int, int]]) -> bytes:
    """The content of CKSUMS; the inverse of ``parse_cksums``.

    Args:
        told: CRC and size by plain name, in the order of the lines.
    """
    lines = (f"{crc} {size} {name}\n" for name, (crc, size) in told.items())
    return "".join(lines).encode("utf-8", "surrogateescape")


def parse_cksums(content: bytes, where: str) -> dict[str, tuple[int, int]]:
    """The CRC and size of each name.

    Raises:
        WrongBytesError: A line is none of cksum's, or a name has two different ones.
    """
    told: dict[str, tuple[int, int]] = {}
    *lines, rest = content.split(b"\n")
    for number, line in enumerate([*lines, rest] if rest else lines, 1):
        found = _LINE.fullmatch(line)
        if found is None or (rest and number > len(lines)):
            raise WrongBytesError(f"{printable(where)}:{number}: it is no line of cksum's")
        name, sums = found[3].decode("utf-8", "surrogateescape"), (int(found[1]), int(found[2]))
        if told.setdefault(name, sums) != sums:
            raise WrongBytesError(f"{printable(where)}:{number}: {printable(name)} is there twice")
    return told
