"""Brings one small file: a .jigdo, a template."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from release_builder.digests import Digest, hasher
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    ReleaseBuilderError,
    WrongBytesError,
)
from release_builder.files import replacing
from release_builder.transport.http import Answer, HttpError, Try
from release_builder.transport.http.backoff import Pace, pause_after
from release_builder.transport.http.server import PASSING
from release_builder.transport.http.urls import parse, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from release_builder.transport.http import Body, Client

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
}


class _WrongDigestError(WrongBytesError):
    """All came, and is not what it should be."""


def download(  # noqa: PLR0913 (the last three only tests give)
    client: Client,
    url: str,
    path: Path,
    *,
    limit: int,
    digests: Iterable[Digest] = (),
    retries: int = 4,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    draw: Callable[[], float] = random.random,
) -> int:
    """Bring ``url`` to ``path``, which gets its name only when all is there and right.

    What broke off begins anew. Bytes with a wrong digest are fetched once more: the server may
    just have been changing them.

    Args:
        client: What asks.
        url: http or https.
        path: In a folder that exists; what stands there is replaced.
        limit: Bytes that the file may have at most.
        digests: That it must have, all of them.
        retries: How often it is asked for again after failures that may pass.
        clock: Seconds that only grow.
        sleep: Lets so many seconds pass.
        draw: A number from 0 up to 1.

    Returns:
        Bytes of the file.

    Raises:
        DescriptorError: ``url`` is nothing that may be asked.
        IncompleteError: The server does not have the file, or cannot be reached.
        WrongBytesError: The file is too long or has a wrong digest.
        OSError: ``path`` cannot be written.
    """
    wanted, failures, was_wrong = tuple(digests), 0, False
    try:
        parse(url)
    except HttpError as error:
        raise DescriptorError(_words(url, error), hint="correct the address") from error
    while True:
        asked = 0.0
        try:
            with client.get(url) as body, replacing(path) as out:
                return _write(_paced(body, clock), out, shown(url), limit, wanted)
        except _WrongDigestError:
            if was_wrong or failures >= retries:
                raise
            was_wrong = True
        except HttpError as error:
            if error.answer not in PASSING or failures >= retries:
                raise _given_up(url, error) from error
            asked = error.after
        failures += 1
        sleep(pause_after(failures, asked, draw))


def _paced(body: Body, clock: Callable[[], float]) -> Iterator[bytes]:
    """The blocks of a body that does not trickle for ever."""
    pace = Pace(clock(), _WINDOW, None)
    for block in body.blocks():
        pace.came(len(block), clock())
        yield block


def _write(
    blocks: Iterator[bytes], out: BinaryIO, name: str, limit: int, digests: tuple[Digest, ...]
) -> int:
    length = 0
    hashers = {digest.algorithm: hasher(digest.algorithm) for digest in digests}
    for block in blocks:
        length += len(block)
        if length > limit:
            raise WrongBytesError(
                f"{name} is longer than {limit:,} bytes: that cannot be right", hint=_LOOK
            )
        out.write(block)
        for each in hashers.values():
            each.update(block)
    for digest in digests:
        there = Digest(digest.algorithm, hashers[digest.algorithm].digest())
        if there != digest:
            raise _WrongDigestError(f"{name} is {there}, and should be {digest}", hint=_LATER)
    return length


def _given_up(url: str, error: HttpError) -> ReleaseBuilderError:
    kind = WrongBytesError if error.answer is Answer.WRONG_LENGTH else IncompleteError
    return kind(_words(url, error), hint=_HINTS.get(error.answer, _LATER))


def _words(url: str, error: HttpError) -> str:
    return str(Try(shown(url), error.answer, error.detail))
