"""Brings one small file: a .jigdo, a template."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    WrongBytesError,
)
from release_builder.files import replacing
from release_builder.transport.http import Answer, HttpError, Try
from release_builder.transport.http.arriving import ArrivingFile
from release_builder.transport.http.backoff import Pace, pause_after
from release_builder.transport.http.server import PASSING
from release_builder.transport.http.urls import parse, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from release_builder.digests import Digest
    from release_builder.transport.http.client import HttpClient

_WINDOW: Final = 30.0  # seconds over which a server may be slow
_LATER: Final = "run it again later, or name another server"
_LOOK: Final = "open the address in a browser to see what the server does"
_HINTS: Final = {
    Answer.NOT_FOUND: "check the address, or name another server",
    Answer.FORBIDDEN: "if it wants a user and password, put them into ~/.netrc",
    Answer.TLS: "check this machine's clock; name the file of certificates if the server is your own",
    Answer.WEB_PAGE: "the network or the server may want a log-in: open the address in a browser",
    Answer.REFUSED: _LOOK,
    Answer.REDIRECTS: _LOOK,
    Answer.BAD_URL: _LOOK,
    Answer.OUT_OF_REACH: "name that server, or fetch the .jigdo first and give the file",
}


class NotHadError(IncompleteError):
    """A server does not give a file.

    Attributes:
        answer: What came of asking it.
    """

    def __init__(self, what: str, answer: Answer, *, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.answer = answer


def download(  # noqa: PLR0913 (the last three only tests give)
    client: HttpClient,
    url: str,
    path: Path,
    *,
    limit: int,
    digests: Iterable[Digest] = (),
    check: Callable[[bytes], object] | None = None,
    retries: int = 4,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    draw: Callable[[], float] = random.random,
) -> int:
    """Bring ``url`` to ``path``, which gets its name only when all is there and right.

    What broke off goes on where it broke if there are digests; else it begins anew. Wrong bytes
    are fetched once more: the server may just have been changing them.

    Args:
        client: What asks; nothing is waited for beyond its end.
        url: http or https.
        path: In a folder that exists; what stands there is replaced.
        limit: Bytes that the file may have at most.
        digests: That it must have, all of them.
        check: Given all bytes before the file gets its name: raises WrongBytesError if they are
            not what they should be. For files that fit into memory.
        retries: How often it is asked for again after failures that may pass, unless much came
            meanwhile.
        clock: Seconds that only grow, by which ``client.ends_at`` is meant.
        sleep: Lets so many seconds pass.
        draw: A number from 0 up to 1.

    Returns:
        Bytes of the file.

    Raises:
        DescriptorError: ``url`` is nothing that may be asked.
        NotHadError: The server does not have the file, or cannot be reached.
        WrongBytesError: The file is too long, has a wrong digest, or is none for ``check``.
        OSError: ``path`` cannot be written.
    """
    try:
        parse(url)
    except HttpError as error:
        raise DescriptorError(_words(url, error), hint="correct the address") from error
    failures, was_wrong = 0, False
    with replacing(path) as out:
        file = ArrivingFile(out, shown(url), limit, tuple(digests))
        while True:
            asked = 0.0
            fault = _receive(client, url, file, clock) or _fault(file, check)
            if fault is None:
                return file.length
            if isinstance(fault, HttpError):
                asked = fault.after
                if file.progressed():
                    failures = -1
                if fault.answer not in PASSING or failures >= retries:
                    raise _given_up(url, fault) from fault
            elif was_wrong or failures >= retries:
                raise fault
            else:
                was_wrong = True
                file.restart()
            failures += 1
            pause = pause_after(failures, asked, draw)
            if client.ends_at is not None and clock() + pause >= client.ends_at:
                raise _out_of_time(url, fault) from fault
            sleep(pause)


def _receive(
    client: HttpClient, url: str, file: ArrivingFile, clock: Callable[[], float]
) -> HttpError | None:
    """How it broke off; None if all came."""
    try:
        with client.get(url, start=file.next) as body:
            file.begin(body.start)
            pace = Pace(clock(), _WINDOW, client.options.limit_rate)
            for block in body.blocks():
                file.write(block)
                pace.came(len(block), clock())
    except HttpError as error:
        return error
    return None


def _fault(file: ArrivingFile, check: Callable[[bytes], object] | None) -> WrongBytesError | None:
    """What is wrong with a file of which all came; None if nothing is."""
    try:
        file.check()
        if check:
            check(file.content())
    except WrongBytesError as error:
        return error
    return None


def _out_of_time(url: str, fault: HttpError | WrongBytesError) -> ReleaseBuilderError:
    if isinstance(fault, WrongBytesError):
        return fault
    earlier = Try(url, fault.answer, fault.detail)
    return _given_up(url, HttpError(Answer.NO_TIME, earlier.before))


def _given_up(url: str, error: HttpError) -> ReleaseBuilderError:
    words, hint = _words(url, error), _HINTS.get(error.answer, _LATER)
    if error.answer is Answer.WRONG_LENGTH:
        return WrongBytesError(words, hint=hint)
    return NotHadError(words, error.answer, hint=hint)


def _words(url: str, error: HttpError) -> str:
    return str(Try(shown(url), error.answer, error.detail))
