"""What is known of a file before it is read, from whom, and whether it turned out so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import WrongBytesError, printable
from release_builder.files import open_regular, read_bounded
from release_builder.trust.sums import SUMS_LIMIT, SumsEntry, is_of, parse_sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from release_builder.digests import Digest


@dataclass(frozen=True, slots=True)
class Expectation:
    """What somebody says of a file.

    Attributes:
        source: Who, fit for a message: ``the template``, ``tree/iso/x86_64/md5sum.txt:3``.
        digest: The digest of all of it, where told.
        size: Bytes, where told.
    """

    source: str
    digest: Digest | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A file is not what ``expectation`` says.

    Attributes:
        expectation: What was said.
        found: The digest, or the size in bytes, that the file has instead.
    """

    expectation: Expectation
    found: Digest | int

    def __str__(self) -> str:
        source = self.expectation.source
        if isinstance(self.found, int):
            return f"{source} says {self.expectation.size} bytes, found {self.found} bytes"
        return f"{source} says {self.expectation.digest}, found {self.found}"


def expectations_from_sums(
    paths: Iterable[Path], image: str
) -> tuple[tuple[Expectation, ...], tuple[str, ...]]:
    """What sums files say of ``image``.

    A file that cannot be used is a problem to tell, not an error: others may say the same.
    Signatures are not checked here.

    Args:
        paths: Sums files, as ``find_sums`` finds them.
        image: The name by which they know it.

    Returns:
        What they say, in order, and the problems: one line each, beginning with the path.
    """
    expectations: list[Expectation] = []
    problems: list[str] = []
    for path in paths:
        place = printable(str(path))
        try:
            entries = [entry for entry in _read(path) if entry.file == image]
        except WrongBytesError as error:
            problems.append(error.what)
            continue
        except OSError as error:
            problems.append(f"{place}: {error.strerror or error}")
            continue
        expectations += [
            Expectation(f"{place}:{entry.line}", entry.digest, entry.size)
            for entry in entries
            if entry.digest or entry.size is not None
        ]
        # A detached signature beside x.iso.md5 rightly says nothing.
        speaks = any(entry.digest for entry in entries)
        if not speaks and (entries or (is_of(path.name, image) and path.suffix != ".asc")):
            problems.append(f"{place}: no sum for {printable(image)} that could be checked")
    return tuple(expectations), tuple(problems)


def compare(
    expectations: Iterable[Expectation], digests: Mapping[str, Digest], size: int
) -> tuple[Mismatch, ...]:
    """Where a file differs from what was said of it.

    Args:
        expectations: All of them must hold.
        digests: The file's digest for every algorithm that an expectation has. One that is
            missing is a KeyError, never a pass.
        size: Bytes of the file.

    Returns:
        A Mismatch for each wrong size and each wrong digest; empty when all is as expected.
    """
    mismatches = []
    for each in expectations:
        if each.size not in (None, size):
            mismatches.append(Mismatch(each, size))
        if each.digest and digests[each.digest.algorithm] != each.digest:
            mismatches.append(Mismatch(each, digests[each.digest.algorithm]))
    return tuple(mismatches)


def _read(path: Path) -> tuple[SumsEntry, ...]:
    with open_regular(path) as stream:
        content = read_bounded(stream, SUMS_LIMIT, printable(str(path)))
    return parse_sums(content, str(path))
