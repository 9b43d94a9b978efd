"""A .jigdo and its template, from the web or from a folder."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin

from release_builder.digests import digest_stream
from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    WrongBytesError,
    printable,
)
from release_builder.files import open_regular, read_bounded
from release_builder.jigdo.location import JigdoFile, parse_jigdo
from release_builder.jigdo.part_urls import encoded_url
from release_builder.jigdo.sources import digest_of_file
from release_builder.locks import locked_beside
from release_builder.steps.web_jigdo import (
    JIGDO,
    JIGDO_LIMIT,
    check_replaceable,
    fetch_template,
    is_web,
    leaf_of,
    refresh,
    split,
)
from release_builder.transport.http.download import NotHadError
from release_builder.transport.http.server import PASSING
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_builder.digests import Digest
    from release_builder.jigdo.sources import DigestCache
    from release_builder.transport.http import HttpOptions
    from release_builder.transport.http.client import HttpClient

_MOST_TOLD: Final = 5  # odd lines of a .jigdo
_EDITIONS: Final = 4  # of a .jigdo that is published anew while it is fetched
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class FetchedPair:
    """A .jigdo and its template.

    Attributes:
        path: Where the .jigdo lies.
        jigdo: What it says.
        template: Where the template lies; it has the digest that the .jigdo demands, if any.
        digest: SHA-256 of the .jigdo as it was read.
        notes: What the user should know, one sentence each.
    """

    path: Path
    jigdo: JigdoFile
    template: Path
    digest: Digest
    notes: tuple[str, ...]


def fetched_pair(  # noqa: PLR0913 (what it needs)
    source: str,
    folder: Path,
    client: HttpClient | None,
    options: HttpOptions,
    cache: DigestCache,
    *,
    aside: Path | None = None,
    choose: Callable[[bytes, str], int] | None = None,
) -> FetchedPair:
    """The pair of the .jigdo at ``source``; what comes from the web is left in ``folder``.

    Where the template does not fit and the server has another .jigdo by now, that one is taken.

    Args:
        source: URL (http, https) or path of a .jigdo file.
        folder: Must be there.
        client: Asks servers; None for an offline run, which takes what ``folder`` has.
        options: How often a server is asked.
        cache: Digests known from before.
        aside: For a folder of the user's own: where a .jigdo is moved that another takes the place
            of, and what has the template's name and is none. The .jigdo that is there is used,
            and that is told, when no server answers.
        choose: Says which [Image] section counts, from 1, given the .jigdo's bytes and its name
            for messages; None for the first.

    Raises:
        IncompleteError: The .jigdo or the template is not to be had, or others take their place
            again and again.
        WrongBytesError: One of them is not what it should be.
        BusyError: Another process fetches the same .jigdo into ``folder``.
        DescriptorError: ``source`` is none of both.
        OSError: A file cannot be read or written.
    """
    if not client or not is_web(source):
        path = _jigdo_path(source, folder)
        found = _with_template(source, path, folder, client, options, cache, aside, choose)
        if isinstance(found, FetchedPair):
            return found
        raise found
    path = folder / leaf_of(source)
    with locked_beside(path):
        notes = _first_edition(source, path, client, options, aside)
        for _ in range(_EDITIONS):
            found = _with_template(source, path, folder, client, options, cache, aside, choose)
            if isinstance(found, FetchedPair):
                return replace(found, notes=(*notes, *found.notes))
            if isinstance(found, NotHadError) and found.answer in PASSING:
                raise found
            if not refresh(source, path, client, options, notes, None):
                raise found
    raise IncompleteError(
        f"{shown(source)} was published anew again and again while it was fetched",
        hint="run it again when its publisher has finished",
    )


def _with_template(  # noqa: PLR0913, PLR0917 (what it needs)
    source: str,
    path: Path,
    folder: Path,
    client: HttpClient | None,
    options: HttpOptions,
    cache: DigestCache,
    aside: Path | None,
    choose: Callable[[bytes, str], int] | None,
) -> FetchedPair | NotHadError | WrongBytesError:
    """The .jigdo at ``path``, which came from ``source``, and its template, or why that is not had."""
    with open_regular(path) as stream:
        content = read_bounded(stream, JIGDO_LIMIT, printable(str(path)))
    number = choose(content, str(path)) if choose else None
    jigdo, digest = (
        parse_jigdo(content, str(path), number),
        digest_stream(io.BytesIO(content), ["sha256"])["sha256"],
    )
    told = list(jigdo.problems[:_MOST_TOLD])
    if not jigdo.image.template_digests:
        told.append(f"{jigdo.name} has no digest of its template: taken as it is")
    leaf = jigdo.image.template_leaf if jigdo.image.template else f"{path.stem}.template"
    _check_names(jigdo, path.name, leaf)
    here = [each for each in dict.fromkeys((path.parent / leaf, folder / leaf)) if each.is_file()]
    for template in here:
        if _is_meant(template, jigdo, cache):
            return FetchedPair(path, jigdo, template, digest, tuple(told))
    url = urljoin(source if is_web(source) else "", encoded_url(jigdo.image.template))
    if client and jigdo.image.template and is_web(url):
        template, digests = folder / leaf, jigdo.image.template_digests
        try:
            told += fetch_template(url, template, digests, client, options, aside)
        except (NotHadError, WrongBytesError) as error:
            return error
        return FetchedPair(path, jigdo, template, digest, tuple(told))
    raise _no_template(path, leaf, here)


def _jigdo_path(source: str, folder: Path) -> Path:
    """Where the .jigdo at ``source`` lies when no server is asked for it."""
    if is_web(source):
        path = folder / leaf_of(source)
        if not path.is_file():
            raise IncompleteError(
                f"{printable(str(path))} is not here, and servers are not to be asked",
                hint="leave --offline out",
            )
        return path
    parts = split(source)
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
    path = Path(source)
    if path.exists() and not path.is_file():
        raise DescriptorError(
            f"{printable(source)} is no file", hint="name a .jigdo file, or its URL"
        )
    return path


def _first_edition(
    url: str, path: Path, client: HttpClient, options: HttpOptions, aside: Path | None
) -> list[str]:
    """Fetch the .jigdo at ``url`` to ``path``; what a user should know of that."""
    notes: list[str] = []
    check_replaceable(path, JIGDO, ".jigdo file")
    try:
        refresh(url, path, client, options, notes, aside)
    except NotHadError as error:
        if not aside or error.answer not in PASSING or not path.is_file():
            raise
        client.reach.text_stayed(url)
        notes.append(f"{error.what}: the copy that is here is used")
    return notes


def _check_names(jigdo: JigdoFile, own: str, template: str) -> None:
    """See that no name that the .jigdo gives takes the place of something else."""
    image = jigdo.image.filename
    if len({_folded(name) for name in (image, own, template)}) < 3:
        raise WrongBytesError(
            f"{jigdo.name}: image, template and .jigdo have one name: {printable(image)}",
            hint="fetch the .jigdo again; if it stays so, tell who made it",
        )
    for name in (image, template):
        # Hidden, an option to whoever names it to a program, or an order to a terminal.
        if name.startswith((".", "-")) or _CONTROL.search(name):
            raise WrongBytesError(
                f"{jigdo.name}: nobody calls an image or template {printable(name)}",
                hint="fetch the .jigdo again; if it stays so, tell who made it",
            )


def _folded(name: str) -> str:
    """What names have in common that some file systems take for one."""
    return unicodedata.normalize("NFC", name).casefold()


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
