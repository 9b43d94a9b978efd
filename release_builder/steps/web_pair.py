"""A .jigdo and its template, from the web or from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from release_builder.errors import (
    DescriptorError,
    IncompleteError,
    WrongBytesError,
    printable,
)
from release_builder.files import check_leaf
from release_builder.jigdo.location import JigdoFile, read_jigdo
from release_builder.jigdo.part_urls import encoded_url
from release_builder.jigdo.sources import digest_of_file
from release_builder.transport.http.download import download

if TYPE_CHECKING:
    from release_builder.jigdo.sources import DigestCache
    from release_builder.transport.http import Client, HttpOptions

_JIGDO_LIMIT: Final = 64 << 20  # bytes
_TEMPLATE_LIMIT: Final = 64 << 30
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


def fetched_pair(
    source: str, folder: Path, client: Client | None, options: HttpOptions, cache: DigestCache
) -> FetchedPair:
    """The pair of the .jigdo at ``source``; what comes from the web is left in ``folder``.

    Args:
        source: URL (http, https) or path of a .jigdo file.
        folder: Must be there.
        client: Asks servers; None for an offline run, which takes what ``folder`` has.
        options: How often a server is asked.
        cache: Digests known from before.

    Raises:
        IncompleteError: The .jigdo or the template is not to be had.
        WrongBytesError: One of them is not what it should be.
        DescriptorError: ``source`` is none of both.
        OSError: A file cannot be read or written.
    """
    notes: list[str] = []
    path = _jigdo_path(source, folder, client, options, notes)
    jigdo = read_jigdo(path)
    leaf = jigdo.image.template_leaf if jigdo.image.template else f"{path.stem}.template"
    here = [each for each in dict.fromkeys((path.parent / leaf, folder / leaf)) if each.is_file()]
    for template in here:
        if _is_meant(template, jigdo, cache):
            if not jigdo.image.template_digests:
                notes.append(f"{jigdo.name} has no digest of its template: taken as it is")
            return FetchedPair(path, jigdo, template, tuple(notes))
    url = urljoin(source if source.startswith(_WEB) else "", encoded_url(jigdo.image.template))
    if client and url.startswith(_WEB):
        template = folder / leaf
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


def _jigdo_path(
    source: str, folder: Path, client: Client | None, options: HttpOptions, notes: list[str]
) -> Path:
    if not source.startswith(_WEB):
        parts = urlsplit(source)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
            return Path(unquote(parts.path))
        if "://" in source:
            raise DescriptorError(
                f"{printable(source)}: only http, https and files can be fetched",
                hint="give the http address of the same file, or download it first",
            )
        return Path(source)
    leaf = unquote(urlsplit(source).path.rpartition("/")[2], errors="surrogateescape")
    if not leaf:
        raise DescriptorError(
            f"{printable(source)} names a folder, not a .jigdo file",
            hint="add the name of the .jigdo to the URL",
        )
    path = folder / check_leaf(leaf)
    if client:
        try:
            download(client, source, path, limit=_JIGDO_LIMIT, retries=options.retries)
        except IncompleteError as error:
            if not path.is_file():
                raise
            notes.append(f"{error.what}: the copy that is here is used")
    elif not path.is_file():
        raise IncompleteError(
            f"{printable(str(path))} is not here, and servers are not to be asked",
            hint="leave --offline out",
        )
    return path


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
