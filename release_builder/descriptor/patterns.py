"""What the texts of a descriptor may look like; ``{version}`` and the like in them.

Each check takes a text, with placeholders in it or without, and returns it in its normal form
with the placeholders still there. Versions, arches and products have no slash and are never
``..``, so a pattern that is checked expands to a text that would pass the same check.
"""

from __future__ import annotations

import re
import shlex
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NewType, TypeVar

from release_builder.descriptor.mirror import Kind, Mirror
from release_builder.descriptor.refusal import RefusedError, suggestion
from release_builder.digests import LENGTHS, Digest
from release_builder.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sized

# Not int itself: of an int the loader takes digits alone.
Bytes = NewType("Bytes", int)
BytesPerSecond = NewType("BytesPerSecond", int)
_Several = TypeVar("_Several", bound="Sized")
_Word = TypeVar("_Word", bound=StrEnum)
LONGEST_VOLUME_ID: Final = 32  # bytes (ECMA-119, 8.4.7)
PLACEHOLDERS: Final = ("version", "major", "arch", "product")
_SAMPLE: Final = dict.fromkeys(PLACEHOLDERS, "0")
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}|[{}]")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ARCH: Final = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_TITLE: Final = 200  # characters
_LONGEST_NAME: Final = 220  # bytes; a file system's 255 less what stands around it meanwhile
_NOT_IN_NAMES: Final = re.compile(r"[\s*?\[\]\\]")
_NOT_IN_ADDRESSES: Final = re.compile(r"[#%\"'<>|^`]")
_URL: Final = re.compile(r"(?:https?|ftp)://[A-Za-z0-9.{}_-]+(?::[0-9]+)?/[^\s?#\"'<>\\]*")
_RATE: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,3})?[kKmMgG]?")
# More than zero: where there is no unit, that takes a digit before the point.
_SPEED: Final = re.compile(
    r"(?=0*[1-9]|[0.]*[1-9].*[a-z])([0-9]{1,12}(?:\.[0-9]{1,3})?)([kmg]?)", re.IGNORECASE
)
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_ALIASES: Final = {"amd64": "x86_64", "x64": "x86_64", "i486": "i386", "i586": "i386"}


def expand(pattern: str, values: Mapping[str, str]) -> str:
    """``pattern`` with each ``{name}`` replaced by ``values[name]``.

    Raises:
        RefusedError: A name is unknown, or a brace is single.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            raise RefusedError(f"'{pattern}' has a single brace", "write {arch} or leave it out")
        if match[1] not in values:
            hint = suggestion(f"{{{match[1]}}}", [f"{{{name}}}" for name in values])
            raise RefusedError(f"{match[0]} is not known", hint)
        return values[match[1]]

    return _PLACEHOLDER.sub(value, pattern)


def arch(text: str) -> str:
    """The name of a machine architecture, such as x86_64."""
    if not is_arch(text):
        raise RefusedError(f"'{text}' is not an arch", arch_hint(text, ("i386", "x86_64")))
    return text


def is_arch(text: str) -> bool:
    """Whether ``text`` could be the name of an arch."""
    return _ARCH.fullmatch(text) is not None


def arch_hint(text: str, known: tuple[str, ...]) -> str:
    """What to write instead of the arch ``text``, where ``known`` are possible."""
    meant = _ALIASES.get(text.lower())
    return f"did you mean {meant}?" if meant in known else suggestion(text, known)


def name(text: str) -> str:
    """The name of a product or the label of a server: letters, digits, dot, dash, underscore."""
    if not _NAME.fullmatch(text):
        raise RefusedError(f"'{text}' is not a name", "write letters, digits, '.', '-' and '_'")
    return text


def path(text: str) -> str:
    """A path below the mirror; a slash at the end says that it is a folder."""
    return _path(text, "the mirror")


def tree_path(text: str) -> str:
    """A path below the tree of an installer."""
    return _path(text, "the tree")


def _path(text: str, top: str) -> str:
    sample = expand(text, _SAMPLE)
    if sample.startswith(("/", "~")):
        raise RefusedError(f"'{text}' is absolute", f"write it relative to {top}")
    if _NOT_IN_NAMES.search(sample):
        raise RefusedError(f"'{text}' has a blank or a wildcard in it", "write one plain path")
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if ".." in parts:
        raise RefusedError(f"'{text}' has .. in it", f"write a path that stays below {top}")
    if not parts:
        raise RefusedError(f"'{text}' names nothing below {top}", "write such as smeos/{arch}/")
    return "/".join(parts) + ("/" if text.endswith(("/", "/.")) else "")


def folder(text: str) -> str:
    """A folder below the mirror; the slash at its end is added where it misses."""
    return path(text).rstrip("/") + "/"


def place(text: str) -> str:
    """A path below the root of what is published, without a slash at its end."""
    plain = _path(text, "the root").rstrip("/")
    if any(part.startswith(".") for part in plain.split("/")):
        raise RefusedError(f"'{text}' is hidden", "write a name without a dot before it")
    if not plain.isprintable() or _NOT_IN_ADDRESSES.search(plain):
        what = f"'{printable(text)}' has characters that the address of a folder has not"
        raise RefusedError(what, "write letters, digits, '.', '-' and '_'")
    return plain


def image(text: str) -> str:
    """The plain name of an image."""
    sample = expand(text, _SAMPLE)
    if "/" in sample or sample.startswith(("-", ".")) or _NOT_IN_NAMES.search(sample):
        hint = "write such as smeserver-{version}-{arch}.iso; its folder is below the workdir"
        raise RefusedError(f"'{text}' is not the plain name of a file", hint)
    if len(sample.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise RefusedError(f"'{text}' is too long for a name", f"use at most {_LONGEST_NAME} bytes")
    if not sample.endswith(".iso"):
        raise RefusedError(f"'{text}' does not end in .iso", f"write {text}.iso")
    return text


def workdir(text: str) -> str:
    """The folder that a release is built in: absolute, below ~, or below the descriptor's."""
    sample = Path(expand(text, _SAMPLE))
    # A build deletes below this folder: where that is should be plain to see.
    if ".." in sample.parts:
        raise RefusedError(f"'{text}' has .. in it", "write the whole path, or one with ~")
    try:
        sample.expanduser()
    except (RuntimeError, ValueError) as error:
        raise RefusedError(f"'{text}': {error}", "write the whole path") from error
    return text


def server(text: str) -> str:
    """The URL that a label of [Servers] stands for."""
    if not _URL.fullmatch(expand(text, _SAMPLE)):
        raise RefusedError(f"'{text}' is not the URL of a folder", "write http://host/path/")
    if not text.endswith("/"):
        raise RefusedError(f"'{text}' does not end in a slash", f"write {text}/")
    return text


def web_mirror(text: str) -> str:
    """The http(s) URL of a folder that those of a release lie below; gets its slash at the end."""
    mirror = Mirror.parse(expand(text, _SAMPLE), Path("/"))
    if mirror.kind is not Kind.HTTP:
        raise RefusedError(f"'{text}' is on no web server", "write http://host/path/")
    return text.rstrip("/") + "/"


def exclude(text: str) -> str:
    """A pattern of files that are not fetched, as rsync's --exclude takes it."""
    expand(text, _SAMPLE)
    if text.startswith(("+ ", "- ")) or text == "!":  # rsync would read a rule of another kind
        raise RefusedError(f"'{text}' is not a pattern", f"write '{text[2:] or '*'}'")
    return text


def rate(text: str) -> str:
    """A bandwidth as rsync takes it: KiB a second, or a number with k, m or g."""
    if not _RATE.fullmatch(text):
        raise RefusedError(
            f"'{text}' is not a bandwidth", "write KiB a second, or such as 500k, 2m"
        )
    return text


def speed(text: str) -> BytesPerSecond:
    """Bytes a second, or a number with k, m or g: times 1,024, or that to the power of 2 or 3."""
    found = _SPEED.fullmatch(text)
    if not found:
        raise RefusedError(f"'{text}' is no speed", "write bytes a second, or such as 500k, 2m")
    return BytesPerSecond(int(Decimal(found[1]) * _UNITS[found[2].lower()]))


def size(text: str) -> Bytes:
    """Bytes, or a number with k, m or g, as ``speed``; 0 is one too."""
    found = _SPEED.fullmatch(text)
    if not found and text != "0":
        raise RefusedError(f"'{text}' is no size", "write bytes, or such as 500m, 2g")
    return Bytes(int(Decimal(found[1]) * _UNITS[found[2].lower()]) if found else 0)


def digest(algorithm: str) -> Callable[[str], Digest]:
    """The check for digests of ``algorithm``, in hexadecimal."""

    def check(text: str) -> Digest:
        try:
            found = Digest.from_hex(text)
        except ValueError as error:
            raise RefusedError(
                f"'{text}' is not a digest", f"copy what {algorithm}sum prints"
            ) from error
        if found.algorithm != algorithm:
            raise RefusedError(
                f"'{text}' has {len(text)} digits", f"an {algorithm} has {2 * LENGTHS[algorithm]}"
            )
        return found

    return check


def volume_id(text: str) -> str:
    """The volume id of an image: what the boot menu calls the medium."""
    sample = expand(text, _SAMPLE)
    if not sample.isascii() or not sample.isprintable() or sample != sample.strip():
        raise RefusedError(f"'{text}' has characters that no volume id has", "write plain ASCII")
    if len(sample) > LONGEST_VOLUME_ID:  # a placeholder has one character at least
        raise RefusedError(
            f"'{text}' has {len(sample)} characters or more", f"write at most {LONGEST_VOLUME_ID}"
        )
    return text


def title(text: str) -> str:
    """What people call a product."""
    if len(text) > _LONGEST_TITLE:
        raise RefusedError(
            f"it has {len(text)} characters", f"write at most {_LONGEST_TITLE}: it is a headline"
        )
    return text


def command(text: str) -> str:
    """A program with its options, as a shell splits it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RefusedError(f"'{text}' is no command: {error}", "close what is open") from error
    if not words or not words[0] or words[0].startswith("-"):
        raise RefusedError(f"'{text}' names no program", "write such as ssh -p 2222")
    return text


def key(text: str) -> str:
    """What gpg finds a secret key by: a fingerprint, or a part of its owner's name."""
    if text.startswith("-"):
        raise RefusedError(f"'{text}' looks like an option", "write the key's fingerprint")
    return text


def one_of(kind: type[_Word]) -> Callable[[str], _Word]:
    """The check for the words of an enumeration."""
    known = [str(each) for each in kind]

    def check(text: str) -> _Word:
        if text not in known:
            hint = suggestion(text, known)
            raise RefusedError(f"'{text}' is not known", hint or f"write {' or '.join(known)}")
        return kind(text)

    return check


def between(least: int, most: int) -> Callable[[int], int]:
    """The check for whole numbers from ``least`` to ``most``."""

    def check(number: int) -> int:
        if not least <= number <= most:
            raise RefusedError(f"{number} is out of range", f"write {least} to {most}")
        return number

    return check


def some(values: _Several) -> _Several:
    """The check for lists and mappings that must have something in them."""
    if not values:
        raise RefusedError("is empty", "write at least one, or remove the line")
    return values
