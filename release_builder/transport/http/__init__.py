"""Files over http and https: what can be asked, and every way in which a server may answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from release_builder.transport.http.line import Line


class Answer(Enum):
    """What came of asking a URL; the words are for reports."""

    RIGHT = "right"
    NOT_FOUND = "not found"  # 404, 410
    FORBIDDEN = "forbidden"  # 401, 403, 407, 451
    REFUSED = "refused"  # any other 4xx
    SERVER_ERROR = "server error"  # 5xx
    BUSY = "busy"  # 429, 503: it said when to come again, or may have
    UNREACHABLE = "unreachable"  # no such name, no route, connection refused
    TLS = "not to be trusted"  # certificate unknown, expired, or of another name
    TIMEOUT = "silent"  # no byte in time
    CUT_OFF = "cut off"  # the connection ended before the body did
    WRONG_LENGTH = "wrong length"
    WRONG_BYTES = "wrong bytes"
    WEB_PAGE = "a web page"  # in the place of the file: an error page, a captive portal
    REDIRECTS = "too many redirects"
    OUT_OF_REACH = "not asked"  # at home, and nobody but a stranger named it
    BAD_URL = "no http URL"  # nothing that may be asked, or a redirect to such a thing
    NO_TIME = "out of time"  # the deadline came first


@dataclass(frozen=True, slots=True)
class Try:
    """A URL that was asked for a file.

    Attributes:
        url: As it was asked, without any password.
        answer: What came of it, in the end.
        detail: More words, such as ``404 Not Found`` or ``12 of 4,096 bytes``; printable.
    """

    url: str
    answer: Answer
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.url}: {self.answer.value}" + (f" ({self.detail})" if self.detail else "")

    @property
    def before(self) -> str:
        """The ``detail`` of what came of the URL later."""
        return f"after: {self.answer.value}" + (f": {self.detail}" if self.detail else "")


class HttpError(Exception):
    """A URL did not give its file.

    Attributes:
        answer: What it gave instead.
        detail: More words, printable.
        after: Seconds that the server asked to be left alone; 0 if it said nothing.
        sent: Whether any server was asked.
    """

    def __init__(
        self, answer: Answer, detail: str = "", after: float = 0.0, *, sent: bool = True
    ) -> None:
        super().__init__(f"{answer.value}: {detail}")
        self.answer = answer
        self.detail = detail
        self.after = after
        self.sent = sent


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How servers are asked.

    Attributes:
        connections: How many files are fetched at a time; None for 8 a server.
        retries: How often a server is asked again for a file after it failed in a way that may
            pass (never for 404 and the like).
        timeout: Seconds without a byte after which a connection is given up.
        deadline: Seconds that all fetching may take together; None for no end of its own: each
            file still ends by ``retries`` and ``timeout``.
        limit_rate: Bytes a second, all connections together; None for as many as come.
        ca_bundle: A file of certificates to trust in the place of the usual ones; None for that
            which ``SSL_CERT_FILE`` names, or Mozilla's.
        named: URLs whose servers the user named: they are asked wherever they are.
        origin: Who wrote the text that names the other URLs: the URL of a server, empty for a
            stranger, None for the user. Theirs are asked where they are public only, unless the
            server of ``origin`` is not public either.
    """

    connections: int | None = None
    retries: int = 4
    timeout: float = 30.0
    deadline: float | None = None
    limit_rate: int | None = None
    ca_bundle: Path | None = None
    named: tuple[str, ...] = ()
    origin: str | None = None


class Body(Protocol):
    """A file that is on its way."""

    @property
    def start(self) -> int:
        """Where in the file its first byte lies: as asked, or 0 if the server gives no pieces."""

    @property
    def length(self) -> int | None:
        """Bytes of the whole file as the server says; None if it does not."""

    @property
    def modified(self) -> float | None:
        """Its ``Last-Modified``, seconds since 1970; None if not told."""

    def blocks(self) -> Iterator[bytes]:
        """The bytes, from ``start`` on, as they come: at most 1 MiB at a time.

        Raises:
            HttpError: The connection broke, was silent too long, or ended before ``length``.
        """


class Client(Protocol):
    """What asks; used by several threads at once."""

    def get(
        self,
        url: str,
        *,
        start: int = 0,
        expected: int | None = None,
        patience: float | None = None,
        line: Line | None = None,
    ) -> AbstractContextManager[Body]:
        """Ask for a file, or what of it follows byte ``start``.

        Args:
            url: http or https; percent-encoded.
            start: The first byte wanted. A server may give the whole file all the same.
            expected: How long the whole file must be, where known: another length is refused
                before any byte of the body is read.
            patience: Seconds without a byte after which it is given up, if that is sooner than
                usual; None for the usual ones.
            line: By which connection, if that is to be shared with other requests; it is told
                whether it could be.

        Raises:
            HttpError: It is not to be had.
        """


class Place(Protocol):
    """Where a file goes; knows when it is right."""

    @property
    def length(self) -> int:
        """Bytes that the file has."""

    @property
    def position(self) -> int:
        """Bytes of it that are in place: the next block follows them."""

    def write(self, block: bytes, /) -> None:
        """The next bytes.

        Raises:
            OSError: This machine cannot take them: no fault of a server.
        """

    def restart(self) -> None:
        """What is in place is no good: the next block is the first."""

    def is_right(self) -> bool:
        """Whether all that is in place, ``length`` bytes, has the digest that it should."""


@dataclass(frozen=True, slots=True)
class Source:
    """A URL that may have a file.

    Attributes:
        url: http or https, percent-encoded.
        last: To be asked only when the others failed.
    """

    url: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of fetching a file.

    Attributes:
        source: The URL that it is right from; None if no source had it.
        tries: All that was asked, in order; one entry a URL, its last answer.
    """

    source: str | None
    tries: tuple[Try, ...] = ()


class Fetcher(Protocol):
    """Fetches files from the best of their sources; used by several threads at once."""

    def fetch(self, sources: Sequence[Source], place: Place) -> Fetched:
        """Bring a file to its place. It always ends: by success, failures, or the deadline.

        Raises:
            OSError: ``place`` cannot take it.
        """
