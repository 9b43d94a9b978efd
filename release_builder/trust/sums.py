"""Sums files as publishers write them: md5sum.txt, SHA256SUMS, CHECKSUM, x.iso.md5, .asc.

Sources: GNU coreutils, src/digest.c (GNU and BSD lines, backslash escapes); pungi's CHECKSUM
(sizes in comments); RFC 9580, section 7 (clear-signed text).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from release_builder.digests import LENGTHS, Digest
from release_builder.errors import WrongBytesError, printable, surroundings
from release_builder.files import safe_join

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SUMS_LIMIT: Final = 8 << 20  # bytes of a sums file
LINE_LIMIT: Final = 64 << 10  # bytes of a line of it

_SIGNED: Final = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE: Final = "-----BEGIN PGP SIGNATURE-----"

# Shorter runs of digits are dates and other prose.
_GNU: Final = re.compile(
    r"[ \t]*(?P<escaped>\\?)(?P<hex>[0-9A-Fa-f]{16,})(?: [ *]|[ \t]+)(?P<file>.+)", re.DOTALL
)
_BSD: Final = re.compile(
    r"[ \t]*(?P<escaped>\\?)(?P<algorithm>[0-9A-Za-z/-]+) ?"
    r"\((?P<file>.+)\) ?= ?(?P<hex>[0-9A-Fa-f]*)[ \t]*",
    re.DOTALL,
)
_BARE: Final = re.compile(r"(?P<hex>[0-9A-Fa-f]{16,})(?:[ \t][ \t*]?-)?")  # md5sum < x.iso
_SIZE: Final = re.compile(r"# ?(?P<file>.+): (?P<size>[0-9]{1,18}) bytes", re.DOTALL)
_OTHER_DIGITS: Final = {56, 96}  # SHA-224 and SHA-384

_KIND: Final = "(?:md5|sha1|sha256|sha512)"
_SUFFIX: Final = r"(?:\.txt)?(?:\.asc)?"
_OF_MANY: Final = re.compile(rf"(?:{_KIND}sums?|.*checksum){_SUFFIX}", re.IGNORECASE | re.ASCII)
_OF_ONE: Final = re.compile(
    rf"(?P<file>.+)\.(?:{_KIND}(?:sums?)?|checksum){_SUFFIX}", re.IGNORECASE | re.ASCII
)


class SumsError(WrongBytesError):
    """These bytes are no sums file."""


@dataclass(frozen=True, slots=True)
class SumsEntry:
    """What one line says of one file.

    Attributes:
        digest: None when the line tells a size, or is of an algorithm that we do not know.
        size: Bytes, when the line tells it.
        file: The name; bytes that are no UTF-8 as surrogateescape keeps them. It is there to be
            compared, not to be opened: it may hold anything.
        line: The line's number, from 1.
        signed: The line stands in a clear-signed text. Nobody checked that signature yet.
    """

    digest: Digest | None
    size: int | None
    file: str
    line: int
    signed: bool = False


def parse_sums(content: bytes, name: str) -> tuple[SumsEntry, ...]:
    """Read a sums file of any usual format, mixed ones too.

    Of a clear-signed file only the signed text counts. A detached signature, an empty file and
    one of comments say nothing. Prose between sums is passed over.

    Args:
        content: The file whole.
        name: Its name or path, for messages; ``x.iso.md5`` also tells which file a sum without
            a name is of.

    Returns:
        What it says, in the order of its lines. Absolute names, which builders leave behind,
        are reduced to their last part; a leading ``./`` is dropped.

    Raises:
        SumsError: There is no sum in it, a sum has a wrong number of digits, a name is missing
            or badly escaped, the clear-signed text is cut short, or a limit is exceeded. The
            message begins with ``name:line``.
    """
    where = printable(name)
    lines = _lines(content, where)
    signed = any(_is(line, _SIGNED) for _, line in lines)
    if signed:
        lines = _signed_part(lines, where)
    entries: list[SumsEntry] = []
    first_prose = 0
    for number, line in lines:
        if _is(line, _SIGNATURE):
            break
        try:
            entry = _entry(line, number, name, signed=signed)
        except ValueError as error:
            raise SumsError(f"{where}:{number}: {error}") from None
        if entry:
            entries.append(entry)
        elif line.strip() and not line.startswith("#"):
            first_prose = first_prose or number
    if first_prose and not entries:
        raise SumsError(
            f"{where}:{first_prose}: this is no sums file",
            hint="look at it: it may be an error page that a server sent in its place",
        )
    return tuple(entries)


def find_sums(folder: Path, image: str) -> list[Path]:
    """The files in ``folder`` whose names say that they may hold the sum of ``image``.

    Args:
        folder: Where the image is published; none there, no files.
        image: The image's name.

    Returns:
        Regular files, sorted; links count when they stay in the folder.

    Raises:
        SurroundingsError: The folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _stays_in(folder, entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise surroundings(error) from error
    return [
        folder / name for name in sorted(names) if _OF_MANY.fullmatch(name) or is_of(name, image)
    ]


def _stays_in(folder: Path, name: str) -> bool:
    try:
        return safe_join(folder, name).is_file()
    except (WrongBytesError, OSError):
        return False


def is_of(name: str, image: str) -> bool:
    """Whether a sums file of this name, such as ``x.iso.md5``, is ``image``'s alone."""
    own = _OF_ONE.fullmatch(name)
    return own is not None and own["file"].casefold() == image.casefold()


def _lines(content: bytes, where: str) -> list[tuple[int, str]]:
    if len(content) > SUMS_LIMIT:
        raise SumsError(f"{where}: larger than {SUMS_LIMIT:,} bytes: no sums file is")
    lines = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if len(raw) > LINE_LIMIT:
            raise SumsError(f"{where}:{number}: a line of more than {LINE_LIMIT:,} bytes")
        lines.append((number, raw.removesuffix(b"\r").decode("utf-8", "surrogateescape")))
    return lines


def _is(line: str, armour: str) -> bool:
    return line.startswith(armour) and not line[len(armour) :].strip()


def _signed_part(lines: Iterable[tuple[int, str]], where: str) -> list[tuple[int, str]]:
    """The lines of the first clear-signed text; what stands around it nobody signed."""
    rest = iter(lines)
    next(line for _, line in rest if _is(line, _SIGNED))
    next((line for _, line in rest if not line.strip()), "")  # the armour's headers end
    part: list[tuple[int, str]] = []
    for number, line in rest:
        if _is(line, _SIGNATURE):
            return part
        # Blanks at the end of a line are not covered by the signature.
        part.append((number, line.removeprefix("- ").rstrip(" \t")))
    raise SumsError(f"{where}: the clear-signed text is cut short: its signature is missing")


def _entry(line: str, number: int, name: str, *, signed: bool) -> SumsEntry | None:
    digest, size = None, None
    if found := _SIZE.fullmatch(line):
        file, size = _file(found["file"]), int(found["size"])
    elif found := _BARE.fullmatch(line.strip(" \t")):
        file, digest = _own_file(name), _gnu_digest(found["hex"])
    elif found := _GNU.fullmatch(line):
        file, digest = _file(found["file"], found["escaped"]), _gnu_digest(found["hex"])
    elif found := _BSD.fullmatch(line):
        file = _file(found["file"], found["escaped"])
        digest = _bsd_digest(found["algorithm"], found["hex"])
    else:
        return None
    return SumsEntry(digest, size, file, number, signed)


def _gnu_digest(digits: str) -> Digest | None:
    if len(digits) in _OTHER_DIGITS:
        return None
    if len(digits) not in {2 * length for length in LENGTHS.values()}:
        raise ValueError(f"a sum of {len(digits)} digits: no algorithm has such")
    return Digest.from_hex(digits)


def _bsd_digest(label: str, digits: str) -> Digest | None:
    # SHA-256 and OpenSSL's SHA2-256 are SHA256 too.
    algorithm = label.lower().replace("sha2-", "sha").replace("-", "")
    if algorithm not in LENGTHS:
        return None
    if len(digits) != 2 * LENGTHS[algorithm]:
        raise ValueError(f"a sum of {len(digits)} digits is no {label}")
    return Digest(algorithm, bytes.fromhex(digits))


def _file(text: str, escaped: str = "") -> str:
    if escaped:
        text = re.sub(r"\\(.?)", _unescaped, text, flags=re.DOTALL)
    name = text.rpartition("/")[2] if text.startswith("/") else re.sub(r"^(?:\./+)+", "", text)
    if not name:
        raise ValueError("a sum without the name of its file")
    return name


def _unescaped(escape: re.Match[str]) -> str:
    try:
        return {"\\": "\\", "n": "\n", "r": "\r"}[escape[1]]
    except KeyError:
        raise ValueError("a backslash in a name that means nothing") from None


def _own_file(name: str) -> str:
    own = _OF_ONE.fullmatch(name.rpartition("/")[2])
    if own is None:
        raise ValueError("a sum without the name of its file")
    return own["file"]
