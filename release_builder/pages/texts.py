"""How names, sizes and times from outside are written on pages that the world reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from rich.filesize import decimal

from release_builder.errors import printable
from release_builder.pages import render

_MINUS: Final = "\N{MINUS SIGN}"
_TITLES: Final = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}


def page(template: str, **values: object) -> str:
    r"""The page ``template`` with ``values``; what cannot be shown stands there as ``\xNN``.

    Beside ``values``, the template knows ``printable`` and the functions of this module by name.

    Returns:
        Text that UTF-8 can hold, whatever the names of files are made of.
    """
    tools = {
        each.__name__: each for each in (printable, href, size, difference, moment, day, title)
    }
    return "\n".join(printable(line) for line in render(template, **tools, **values).split("\n"))


def href(path: str) -> str:
    """``path``, relative to a page, as a link of that page has it: percent-encoded (RFC 3986)."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def size(count: int) -> str:
    """``count`` bytes as people say it, such as ``728.0 MB``."""
    return decimal(count)


def difference(count: int) -> str:
    """``count`` bytes more or, below zero, less, such as ``+1.2 kB``."""
    sign = _MINUS if count < 0 else "+" if count else ""
    return f"{sign}{decimal(abs(count))}"


def moment(time: datetime) -> str:
    """``time`` as programs read it (RFC 3339), such as ``2014-02-01T09:30:00Z``.

    Args:
        time: With its zone.
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(time: datetime) -> str:
    """The day of ``time`` in UTC, such as ``2014-02-01``: read alike in all countries.

    Args:
        time: With its zone.
    """
    return moment(time).partition("T")[0]


def title(algorithm: str) -> str:
    """What people call the digest ``algorithm``, such as ``SHA-256``."""
    return _TITLES[algorithm]
