"""A .jigdo and its template, from the web or from a folder."""

from __future__ import annotations

import filecmp
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    SurroundingsError,
    WrongBytesError,
    printable,
)
from release_builder.files import check_leaf, open_regular
from release_builder.jigdo.location import JigdoFile, parse_jigdo, read_jigdo
from release_builder.jigdo.part_urls import encoded_url
from release_builder.jigdo.sources import digest_of_file
from release_builder.steps.image_file import move_aside
from release_builder.transport.http.download import NotHadError, download
from release_builder.transport.http.server import PASSING
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from release_builder.jigdo.sources import DigestCache
    from release_builder.transport.http import HttpOptions
    from release_builder.transport.http.client import HttpClient

_JIGDO_LIMIT: Final = 64 << 20  # bytes
_TEMPLATE_LIMIT: Final = 64 << 30
_MOST_TOLD: Final = 5  # odd lines of a .jigdo
_LOOKED_AT: Final = 64 << 10  # bytes
_TEMPLATE: Final = re.compile(rb"\AJigsawDownload template ")
_JIGDO: Final = re.compile(rb"\A\x1f\x8b|^[ \t]*\[[A-Za-z]+[ \t\]]", re.MULTILINE)
_WEB: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class FetchedPair:
    """A .jigdo and its template.

    Attributes:
        path: Where the .jigdo lies.
        jigdo: What it says.
        template: Where the template lies; it has the digest that the .jigdo demands, if any.
        notes: What the user should know, one sentence each.
    """

    path: Path
    jigdo: JigdoFile
    template: Path
    notes: tuple[str, ...]


def fetched_pair(  # noqa: PLR0913 (what it needs)
    source: str,
    folder: Path,
    client: HttpClient | None,
    options: HttpOptions,
    cache: DigestCache,
    *,
    aside: Path | None = None,
) -> FetchedPair:
    """The pair of the .jigdo at ``source``; what comes from the web is left in ``folder``.

    Args:
        source: URL (http, https) or path of a .jigdo file.
        folder: Must be there.
        client: Asks servers; None for an offline run, which takes what ``folder`` has.
        options: How often a server is asked.
        cache: Digests known from before.
        aside: For a folder of the user's own: where a .jigdo is moved that another takes the place
            of. What is there is used, and that is told, when no server answers.

    Raises:
        IncompleteError: The .jigdo or the template is not to be had.
        WrongBytesError: One of them is not what it should be.
        DescriptorError: ``source`` is none of both.
        OSError: A file cannot be read or written.
    """
    notes: list[str] = []
    path = _jigdo_path(source, folder, client, options, notes, aside)
    jigdo = read_jigdo(path)
    notes += jigdo.problems[:_MOST_TOLD]
    if not jigdo.image.template_digests:
        notes.append(f"{jigdo.name} has no digest of its template: taken as it is")
    leaf = jigdo.image.template_leaf if jigdo.image.template else f"{path.stem}.template"
    _check_names(jigdo, path.name, leaf)
    here = [each for each in dict.fromkeys((path.parent / leaf, folder / leaf)) if each.is_file()]
    for template in here:
        if _is_meant(template, jigdo, cache):
            return FetchedPair(path, jigdo, template, tuple(notes))
    url = urljoin(
        source if source.lower().startswith(_WEB) else "", encoded_url(jigdo.image.template)
    )
    if client and jigdo.image.template and url.lower().startswith(_WEB):
        template = folder / leaf
        _check_replaceable(template, _TEMPLATE, "template")
        digests = jigdo.image.template_digests
        download(
            client,
            url,
            template,
            limit=_TEMPLATE_LIMIT,
            digests=digests,
            retries=options.retries,
        )
        return FetchedPair(path, jigdo, template, tuple(notes))
    raise _no_template(path, leaf, here)


def _jigdo_path(  # noqa: PLR0913, PLR0917 (what it needs)
    source: str,
    folder: Path,
    client: HttpClient | None,
    options: HttpOptions,
    notes: list[str],
    aside: Path | None,
) -> Path:
    if not source.lower().startswith(_WEB):
        parts = _split(source)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
            return Path(unquote(parts.path))
        if "://" in source:
            raise DescriptorError(
                f"{shown(source)}: only http, https and files can be fetched",
                hint="give the http address of the same file, or download it first",
            )
        if not os.path.lexists(source) or not source:
            raise DescriptorError(
                f"there is no file '{printable(source)}'", hint="name a .jigdo file, or its URL"
            )
        return Path(source)
    leaf = unquote(_split(source).path.rpartition("/")[2], errors="surrogateescape")
    if not leaf:
        raise DescriptorError(
            f"{shown(source)} names a folder, not a .jigdo file",
            hint="add the name of the .jigdo to the URL",
        )
    path = folder / check_leaf(leaf)
    if client:
        _check_replaceable(path, _JIGDO, ".jigdo file")
        try:
            notes += _refresh(source, path, client, options, aside)
        except NotHadError as error:
            if not aside or error.answer not in PASSING or not path.is_file():
                raise
            notes.append(f"{error.what}: the copy that is here is used")
    elif not path.is_file():
        raise IncompleteError(
            f"{printable(str(path))} is not here, and servers are not to be asked",
            hint="leave --offline out",
        )
    return path


def _refresh(
    url: str, path: Path, client: HttpClient, options: HttpOptions, aside: Path | None
) -> list[str]:
    """Fetch the .jigdo at ``url``; what it replaces may be edited, and is kept if ``aside`` is."""
    new = path.with_name(f".{path.name}.fetched")
    check = partial(parse_jigdo, name=str(path))
    download(client, url, new, limit=_JIGDO_LIMIT, retries=options.retries, check=check)
    notes = []
    try:
        if path.is_file() and filecmp.cmp(path, new, shallow=False):
            return []
        if aside and os.path.lexists(path):
            moved = printable(str(move_aside(path, aside)))
            notes.append(f"{printable(path.name)} was there, and another: it is {moved} now")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return notes


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise DescriptorError(
            f"{shown(url)} is no address: {error}", hint="write http://host/path/name.jigdo"
        ) from error


def _check_names(jigdo: JigdoFile, own: str, template: str) -> None:
    """See that no name that the .jigdo gives takes the place of something else."""
    image = jigdo.image.filename
    if image in {own, template} or template == own:
        raise WrongBytesError(
            f"{jigdo.name}: image, template and .jigdo have one name: {printable(image)}",
            hint="fetch the .jigdo again; if it stays so, tell who made it",
        )
    for name in (image, template):
        if name.startswith("."):
            raise WrongBytesError(
                f"{jigdo.name}: nobody calls an image or template {printable(name)}",
                hint="fetch the .jigdo again; if it stays so, tell who made it",
            )


def _check_replaceable(path: Path, begin: re.Pattern[bytes], what: str) -> None:
    """See that the file at ``path``, if there is one, is of the kind that will replace it."""
    if os.path.lexists(path):
        with open_regular(path) as stream:
            known = begin.search(stream.read(_LOOKED_AT))
        if not known:
            raise SurroundingsError(
                f"{printable(str(path))} is there already, and is no {what}",
                hint="move it away, or name another folder",
            )


def _is_meant(template: Path, jigdo: JigdoFile, cache: DigestCache) -> bool:
    """Whether the file at ``template`` has all digests that ``jigdo`` demands."""
    return all(
        digest_of_file(str(template), each.algorithm, cache) == each
        for each in jigdo.image.template_digests
    )


def _no_template(path: Path, leaf: str, here: list[Path]) -> WrongBytesError | IncompleteError:
    if here:
        return WrongBytesError(
            f"{printable(str(here[0]))} is not the template that {printable(path.name)} means",
            hint="fetch both again from where they were published",
        )
    return IncompleteError(
        f"{printable(path.name)} is here, its template {printable(leaf)} is not",
        hint="put it beside the .jigdo, or give the .jigdo's URL",
    )
