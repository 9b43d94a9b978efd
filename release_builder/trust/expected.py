"""What is known of a file before it is read, from whom, and whether it turned out so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.errors import WrongBytesError, printable
from release_builder.files import open_regular, read_bounded
from release_builder.trust.gpg import ChangedError, SignatureError
from release_builder.trust.signed import signed_part
from release_builder.trust.sums import SUMS_LIMIT, SumsEntry, is_of, parse_sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.trust.gpg import Keyring, Signature


@dataclass(frozen=True, slots=True)
class Expectation:
    """What somebody says of a file.

    Attributes:
        source: Who, fit for a message: ``the template``, ``tree/iso/x86_64/md5sum.txt:3``.
        digest: The digest of all of it, where told.
        size: Bytes, where told.
        signature: Who signed it, and when, where that was checked.
    """

    source: str
    digest: Digest | None
    size: int | None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What sums files say of a file.

    Attributes:
        expectations: What they say, in order.
        problems: Files that could not be used: one line each, beginning with the path.
        refused: Files whose signature is not as it must be; what they say does not count.
    """

    expectations: tuple[Expectation, ...]
    problems: tuple[str, ...] = ()
    refused: tuple[SignatureError, ...] = ()


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
    paths: Iterable[Path], image: str, keyring: Keyring | None = None
) -> Said:
    """What sums files say of ``image``.

    A file that cannot be used is a problem to tell, not an error: others may say the same.

    Args:
        paths: Sums files, as ``find_sums`` finds them.
        image: The name by which they know it.
        keyring: Who must have signed each that speaks of ``image``; None: anybody, or nobody.
    """
    expectations: list[Expectation] = []
    problems: list[str] = []
    refused: list[SignatureError] = []
    for path in paths:
        place = printable(str(path))
        try:
            entries, signature = _entries(path, image, keyring)
        except SignatureError as error:
            refused.append(error)
            continue
        except WrongBytesError as error:
            problems.append(error.what)
            continue
        except OSError as error:
            problems.append(f"{place}: {error.strerror or error}")
            continue
        expectations += [
            Expectation(f"{place}:{entry.line}", entry.digest, entry.size, signature)
            for entry in entries
            if entry.digest or entry.size is not None
        ]
        # A detached signature beside x.iso.md5 rightly says nothing.
        speaks = any(entry.digest for entry in entries)
        if not speaks and (entries or (is_of(path.name, image) and path.suffix != ".asc")):
            problems.append(f"{place}: no sum for {printable(image)} that could be checked")
    return Said(tuple(expectations), tuple(problems), tuple(refused))


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


def _entries(
    path: Path, image: str, keyring: Keyring | None
) -> tuple[list[SumsEntry], Signature | None]:
    """What the sums file at ``path`` says of ``image``, and who signed that, and when."""
    with open_regular(path) as stream:
        content = read_bounded(stream, SUMS_LIMIT, printable(str(path)))
    signature = None
    if keyring:
        try:
            content, signature = signed_part(path, content, keyring)
        except ChangedError:  # whatever it says now: it may have spoken of the image
            raise
        except SignatureError:
            if _of(image, content, path):
                raise
            return [], None
    return _of(image, content, path), signature


def _of(image: str, content: bytes, path: Path) -> list[SumsEntry]:
    return [entry for entry in parse_sums(content, str(path)) if entry.file == image]
