"""What a user may write of releases that are kept fresh: ``retain:`` and ``notify:``."""

# No "from __future__ import annotations": the hints are needed at run time.
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from release_builder.descriptor import patterns
from release_builder.descriptor.refusal import RefusedError

_ROOM = patterns.Bytes(200 << 20)
_ADDRESS = re.compile(r"[^\s@<>,;:\"-][^\s@<>,;:\"]*(?:@[A-Za-z0-9][A-Za-z0-9.-]*)?")
_NOT_IN_URLS = re.compile(r"[\s\"'<>\\^`{|}]")


def address(text: str) -> str:
    """Who gets a mail: ``user`` or ``user@host``."""
    if not text.isprintable() or not _ADDRESS.fullmatch(text):
        raise RefusedError(f"'{text}' is no mail address", "write user@host, or user")
    return text


def ping_url(text: str) -> str:
    """An http(s) URL that is asked for at the start and the end of a run: as good as a password."""
    try:
        parts = urlsplit(text)
        hostless = not parts.hostname or (parts.port is not None and not parts.port)
    except ValueError as error:
        raise RefusedError("this is no address", "write https://host/path") from error
    if parts.scheme not in {"http", "https"} or hostless or _NOT_IN_URLS.search(text):
        raise RefusedError("this is not the URL of a web server", "write https://host/path")
    if parts.username is not None or parts.fragment:
        raise RefusedError("the URL has a user or a # in it", "write the plain URL")
    return text


class When(StrEnum):
    """After which refreshes others are told."""

    FAILURE = "failure"  # one that a person should look at, and the first good one after it
    CHANGE = "change"  # that, and one that brought something new
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retain:
    """What of older runs stays.

    Attributes:
        images: Images that stay besides the current one, the newest first.
        days: Older images go though they were among these; None: they may be of any age.
        free: Bytes that stay free on the file system; before that, a refresh stops.
    """

    images: Annotated[int, patterns.between(0, 1000)] = 2
    days: Annotated[int, patterns.between(1, 36_500)] | None = None
    free: Annotated[patterns.Bytes, patterns.size] = _ROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told how a refresh went.

    Attributes:
        command: Gets the report as JSON on stdin; words as a shell would split them.
        ping: A URL that is asked for when all went well; with ``/start`` behind it when a refresh
            begins, with ``/fail`` when it failed (as healthchecks.io has it).
        mail: Who gets the report by sendmail.
        when: After which refreshes ``command`` is run and ``mail`` sent.
    """

    command: Annotated[str, patterns.command] | None = None
    ping: Annotated[str, ping_url] | None = None
    mail: Annotated[str, address] | None = None
    when: Annotated[When, patterns.one_of(When)] = When.FAILURE
