"""A .jigdo on a web server: fetched, replaced, and found to be another by now."""

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
    from release_builder.digests import Digest
    from release_builder.transport.http import HttpOptions
    from release_builder.transport.http.client import HttpClient

JIGDO_LIMIT: Final = 64 << 20  # bytes
JIGDO: Final = re.compile(rb"\A\x1f\x8b|^[ \t]*\[[A-Za-z]+[ \t\]]", re.MULTILINE)
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
    check = partial(parse_jigdo, name=str(path))
    download(client, url, new, limit=JIGDO_LIMIT, retries=options.retries, check=check)
    client.reach.text_came()
    try:
        if path.is_file() and filecmp.cmp(path, new, shallow=False):
            return False
        if aside and os.path.lexists(path):
            moved = printable(str(move_aside(path, aside)))
            notes.append(f"{printable(path.name)} was there, and another: it is {moved} now")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True


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
    if os.path.lexists(path):
        with open_regular(path) as stream:
            known = begin.search(stream.read(_LOOKED_AT))
        if not known:
            raise SurroundingsError(
                f"{printable(str(path))} is there already, and is no {what}",
                hint="move it away, or name another folder",
            )


def split(url: str) -> SplitResult:
    """The parts of ``url``."""
    try:
        return urlsplit(url)
    except ValueError as error:
        raise DescriptorError(
            f"{shown(url)} is no address: {error}", hint="write http://host/path/name.jigdo"
        ) from error
