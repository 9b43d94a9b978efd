"""What changed between two releases, wherever they are."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from release_builder import __version__
from release_builder.api.releases import plans
from release_builder.comparison import Comparison, compare, words
from release_builder.comparison.image import is_image
from release_builder.comparison.pair import read_pair
from release_builder.comparison.places import Place, find_place, is_tree, no_release, read_inventory
from release_builder.comparison.web import find_web_place, is_url
from release_builder.errors import DescriptorError, IncompleteError, printable
from release_builder.files import replacing
from release_builder.monitor import Monitor
from release_builder.pages import texts
from release_builder.plan import Options
from release_builder.state.digest_cache import no_cache
from release_builder.steps.find_pair import find_jigdo
from release_builder.steps.outputs import check_replaceable
from release_builder.transport.http import HttpOptions
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.urls import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_builder.jigdo.sources import DigestCache
    from release_builder.plan import Plan

BUG_URL: Final = "https://bugs.koozali.org/show_bug.cgi?id={bug}"
_USUAL: Final = "md5"  # as SME's pairs have it


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How releases are found and read.

    Attributes:
        arch: Of releases of several architectures, only this one; None for all.
        changes: Whether changelogs are read.
        offline: Ask no server.
        http: How servers are asked.
    """

    arch: str | None = None
    changes: bool = True
    offline: bool = False
    http: HttpOptions = field(default_factory=HttpOptions)


def compare_releases(
    old: str,
    new: str,
    options: CompareOptions | None = None,
    *,
    cache: DigestCache | None = None,
    monitor: Monitor | None = None,
) -> Comparison:
    """Find out what changed between two releases.

    Args:
        old: An installer tree, an ISO file, a .jigdo (path or URL), the folder or URL of a
            published release, or a descriptor (``.yaml``), whose workdir is read.
        new: Likewise.
        options: How.
        cache: Digests known from before; without it files are read.
        monitor: Hears how far it is.

    Raises:
        DescriptorError: One of both is no release.
        IncompleteError: A server cannot be reached; a descriptor's release was not fetched yet.
        WrongBytesError: An image, .jigdo or descriptor is broken.
        OSError: A file cannot be read.
    """
    options, cache, monitor = options or CompareOptions(), cache or no_cache(), monitor or Monitor()
    http = replace(options.http, named=tuple(filter(is_url, (old, new))))
    with HttpClient(http, os.environ) as client:
        places = [_place(each, options, cache, client) for each in (old, new)]
    found = (place.algorithm for place in reversed(places))  # what NEW's users will be told
    algorithm = next((each for each in found if each), _USUAL)
    inventories = []
    for place in places:
        monitor.begin(f"read {place.label}")
        try:
            inventory = read_inventory(
                place, changes=options.changes, algorithm=algorithm, cache=cache, monitor=monitor
            )
        finally:
            monitor.end()
        inventories.append(inventory)
    return compare(*inventories)


def write_comparison(
    comparison: Comparison, page: Path, *, bug_url: str = BUG_URL, force: bool = False
) -> None:
    """Write ``comparison`` as a web page that loads nothing from elsewhere.

    Args:
        comparison: What changed.
        page: The file.
        bug_url: Where a bug is described; ``{bug}`` stands for its number.
        force: Replace what stands there.

    Raises:
        DescriptorError: ``bug_url`` is no such pattern.
        SurroundingsError: ``page`` is there already.
        OSError: It cannot be written.
    """
    check_page(page, bug_url, force=force)
    text = texts.page(
        "public/compare.html.j2",
        old=comparison.old,
        new=comparison.new,
        counts=words.counts(comparison),
        sizes=comparison.size_change,
        fetching=words.fetching(comparison.fetching),
        bugs=comparison.bugs,
        knows_changelogs=comparison.new.has_headers,
        problems=comparison.problems,
        packages=comparison.packages,
        files=comparison.files,
        bug_link=lambda bug: bug_url.replace("{bug}", str(bug)),
        date=words.day,
        generator=f"release-builder {__version__}",
    )
    with replacing(page) as out:
        out.write(text.encode())


def check_page(page: Path, bug_url: str = BUG_URL, *, force: bool = False) -> None:
    """See that write_comparison could write ``page``, before the work is done.

    Raises:
        DescriptorError: ``bug_url`` makes no links.
        SurroundingsError: ``page`` is there already.
    """
    check_replaceable(page, force=force)
    if not is_url(bug_url) or "{bug}" not in bug_url:
        raise DescriptorError(
            f"'{printable(bug_url)}' makes no links to bugs",
            hint=f"write an address with {{bug}} in the place of the number, as {BUG_URL}",
        )


def _place(text: str, options: CompareOptions, cache: DigestCache, client: HttpClient) -> Place:
    if is_url(text):
        if options.offline:
            raise IncompleteError(
                f"{shown(text)} is on the web, and servers are not to be asked",
                hint="leave --offline out, or name a local copy",
            )
        return find_web_place(text, options.arch, client)
    if "://" in text:
        raise no_release(shown(text), "of the web, only http and https are read")
    path = Path(text)
    if not text or not os.path.lexists(path):
        raise no_release(f"'{printable(text)}'", "there is no such file or folder")
    try:
        if path.suffix in {".yaml", ".yml"} and path.is_file():
            return _of_descriptor(path, options.arch, cache)
        return find_place(path, options.arch, cache)
    except FileNotFoundError as error:  # a link that leads nowhere
        raise no_release(f"'{printable(text)}'", "there is no such file or folder") from error


def _of_descriptor(path: Path, arch: str | None, cache: DigestCache) -> Place:
    found = [plan for plan in plans([path], Options()) if arch in {None, plan.release.arch}]
    if not found:
        raise no_release(printable(str(path)), f"it has no release of {arch}")
    return Place(
        printable(str(path)),
        trees=tuple(tree for plan in found for tree in _trees(plan)),
        images=tuple(image for plan in found for image in _images(plan)),
        pairs=tuple(read_pair(jigdo, cache) for plan in found for jigdo in _jigdos(plan)),
    )


def _trees(plan: Plan) -> Sequence[Path]:
    tree = plan.workdir.tree / plan.release.tree
    return [tree] if tree.is_dir() and is_tree(tree) else []


def _images(plan: Plan) -> Sequence[Path]:
    image = plan.workdir.image / plan.release.image
    return [image] if not _trees(plan) and image.is_file() and is_image(image) else []


def _jigdos(plan: Plan) -> Sequence[Path]:
    """The rewritten .jigdo, else the mirror's; none is needed where there is a tree or image."""
    rewritten = sorted(plan.workdir.pair.glob("*.jigdo"))
    if rewritten:
        return rewritten[:1]
    try:
        return [find_jigdo(plan.workdir.tree, plan.release)]
    except (DescriptorError, IncompleteError):
        if _trees(plan) or _images(plan):
            return []
        raise
