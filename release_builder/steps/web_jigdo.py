"""A pair on a web server: fetched, replaced, and found to be another by now."""

from __future__ import annotations

import filecmp
import os
import re
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit

from release_builder.digests import digest_stream
from release_builder.errors import DescriptorError, IncompleteError, SurroundingsError, printable
from release_builder.files import check_leaf, open_regular
from release_builder.jigdo.location import parse_jigdo
from release_builder.steps.image_file import move_aside
from release_builder.transport.http import Answer
from release_builder.transport.http.download import NotHadError, download
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.digests import Digest
    from release_builder.transport.http import HttpOptions
    from release_builder.transport.http.client import HttpClient

JIGDO_LIMIT: Final = 64 << 20  # bytes
JIGDO: Final = re.compile(rb"\A\x1f\x8b|^[ \t]*\[[A-Za-z]+[ \t\]]", re.MULTILINE)
_TEMPLATE_LIMIT: Final = 64 << 30  # bytes
_TEMPLATE: Final = re.compile(rb"\AJigsawDownload template ")
_LOOKED_AT: Final = 64 << 10  # bytes
_WEB: Final = ("http://", "https://")


def is_web(source: str) -> bool:
    """Whether ``source`` is the URL of a web server."""
    return source.lower().startswith(_WEB)


def leaf_of(url: str) -> str:
    """The name of the .jigdo at ``url``."""
    leaf = unquote(split(url).path.rpartition("/")[2], errors="surrogateescape")
    if not leaf:
        raise DescriptorError(
            f"{shown(url)} names a folder, not a .jigdo file",
            hint="add the name of the .jigdo to the URL",
        )
    return check_leaf(leaf)


def refresh(  # noqa: PLR0913, PLR0917 (what it needs)
    url: str,
    path: Path,
    client: HttpClient,
    options: HttpOptions,
    notes: list[str],
    aside: Path | None,
) -> bool:
    """Fetch the .jigdo at ``url``; what it replaces may be edited, and is kept if ``aside`` is.

    Returns:
        Whether it is another than that at ``path`` was.
    """
    new = path.with_name(f".{path.name}.fetched")
    check = partial(parse_jigdo, name=shown(url))
    download(client, url, new, limit=JIGDO_LIMIT, retries=options.retries, check=check)
    client.reach.text_came()
    try:
        if path.is_file() and filecmp.cmp(path, new, shallow=False):
            return False
        if aside and os.path.lexists(path):
            notes.append(_moved(path, aside, "another"))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True


def fetch_template(  # noqa: PLR0913, PLR0917 (what it needs)
    url: str,
    path: Path,
    digests: Iterable[Digest],
    client: HttpClient,
    options: HttpOptions,
    aside: Path | None,
) -> list[str]:
    """Fetch the template at ``url``; what it replaces and is none is kept if ``aside`` is.

    Returns:
        What a user should know of that.
    """
    if not aside:
        check_replaceable(path, _TEMPLATE, "template")
    foreign = not _is_replaceable(path, _TEMPLATE)
    new = path.with_name(f".{path.name}.fetched")
    try:
        download(client, url, new, limit=_TEMPLATE_LIMIT, digests=digests, retries=options.retries)
        notes = [_moved(path, aside, "is no template")] if aside and foreign else []
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return notes


def _moved(path: Path, aside: Path, what: str) -> str:
    """That ``path``, which is ``what``, was moved aside just now."""
    moved = printable(str(move_aside(path, aside)))
    return f"{printable(path.name)} was there, and {what}: it is {moved} now"


def check_unchanged(source: str, digest: Digest, client: HttpClient) -> None:
    """See that the .jigdo at the URL ``source`` still has the SHA-256 ``digest``.

    Where the server does not tell, it is not taken for another.

    Raises:
        IncompleteError: It is another, or gone.
    """
    with tempfile.TemporaryDirectory(prefix="release-builder.") as folder:
        new = Path(folder) / "now"
        try:
            download(client, source, new, limit=JIGDO_LIMIT, retries=0)
        except NotHadError as error:
            if error.answer is not Answer.NOT_FOUND:
                return
            what = "is no longer there: it was withdrawn while its image was fetched"
            hint = "look for another release; what was fetched is kept"
        else:
            with open_regular(new) as stream:
                if digest_stream(stream, ["sha256"])["sha256"] == digest:
                    return
            what = "was published anew while its image was fetched"
            hint = "run it again: what was fetched is kept, and used where it still fits"
    raise IncompleteError(f"{shown(source)} {what}", hint=hint)


def check_replaceable(path: Path, begin: re.Pattern[bytes], what: str) -> None:
    """See that the file at ``path``, if there is one, is of the kind that will replace it."""
    if not _is_replaceable(path, begin):
        raise SurroundingsError(
            f"{printable(str(path))} is there already, and is no {what}",
            hint="move it away, or name another folder",
        )


def _is_replaceable(path: Path, begin: re.Pattern[bytes]) -> bool:
    if not os.path.lexists(path):
        return True
    with open_regular(path) as stream:
        return bool(begin.search(stream.read(_LOOKED_AT)))


def split(url: str) -> SplitResult:
    """The parts of ``url``."""
    try:
        return urlsplit(url)
    except ValueError as error:
        raise DescriptorError(
            f"{shown(url)} is no address: {error}", hint="write http://host/path/name.jigdo"
        ) from error
