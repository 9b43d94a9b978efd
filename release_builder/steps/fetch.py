"""The pair from a web server: what a mirror that is not mirrored has to give beside the parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from release_builder.digests import digest_stream
from release_builder.errors import (
    IncompleteError,
    ReleaseBuilderError,
    WrongBytesError,
    printable,
)
from release_builder.files import open_regular
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.earlier import WeakerError, believed, refuse_older_version
from release_builder.steps.find_pair import find_pair
from release_builder.steps.release_servers import http_options
from release_builder.steps.web_pair import fetched_pair
from release_builder.transport.http import Answer
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.download import NotHadError, download
from release_builder.transport.http.server import PASSING
from release_builder.trust.gpg import ChangedError, SignatureError
from release_builder.trust.signed import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.digests import Digest
    from release_builder.jigdo.sources import DigestCache
    from release_builder.steps import Context
    from release_builder.steps.web_pair import FetchedPair

# Sums files have many names; these are the usual ones.
_SUMS: Final = ("md5sum.txt", "sha1sum.txt", "sha256sum.txt", "MD5SUMS", "SHA256SUMS")
_SUMS_LIMIT: Final = 1 << 20  # bytes


def run(context: Context) -> StepResult:
    """Bring the .jigdo, its template and the sums files into the tree.

    Raises:
        IncompleteError: The mirror cannot be reached, has no such .jigdo, no longer has a pair
            that fits, or does not give a sums file now without which the pair is refused.
        WrongBytesError: The .jigdo or the template is broken, and there never was another.
        StepBackError: What `track:` leads to is older than what was here before.
    """
    plan = context.plan
    if plan.options.offline:
        return StepResult("fetch", Outcome.SKIPPED, "offline: the pair is taken as it is")
    refuse_older_version(plan)
    client = HttpClient(http_options(plan.release), os.environ)
    tree = plan.workdir.tree
    before = _digests(tree, plan.release)
    context.monitor.begin(f"fetch the pair from {plan.release.mirror.url}")
    try:
        name, pair = _pair(context, client)
        lost = tuple(_fetch_sums(client, plan.release, name, tree))
    finally:
        context.monitor.end()
    for error in lost:
        if isinstance(error, NotHadError) and error.answer in PASSING:
            _check_judged(context, error)
    after = _digests(tree, plan.release)
    new = sorted(each.name for each, digest in after.items() if before.get(each) != digest)
    return StepResult(
        "fetch",
        Outcome.DONE if new else Outcome.UNCHANGED,
        f"{', '.join(map(printable, new))} from {plan.release.mirror.url}"
        if new
        else "the pair is as the mirror has it",
        counts={"files_fetched": len(new)},
        findings=(
            *(Finding(Severity.NOTE, note) for note in (*client.notes, *pair.notes)),
            *(
                Finding(
                    Severity.WARNING, f"the image is not held against it: {each.what}", each.hint
                )
                for each in lost
            ),
        ),
        facts={"tree": str(plan.workdir.tree)},
    )


def _pair(context: Context, client: HttpClient) -> tuple[str, FetchedPair]:
    """What web_pair gives; a pair that was right before is one that is being replaced."""
    plan = context.plan
    try:
        return web_pair(plan.release, plan.workdir.tree, client, context.cache)
    except WrongBytesError as error:
        # Nobody should wait in silence for a first image.
        if not any(plan.workdir.pair.glob("*.jigdo")):
            raise
        hint = "the mirror may be half-way through an update; if it stays so, tell who runs it"
        raise IncompleteError(error.what, hint=hint) from error


def web_pair(
    release: Release, tree: Path, client: HttpClient, cache: DigestCache
) -> tuple[str, FetchedPair]:
    """Bring the pair below ``tree``; its .jigdo has one of several names.

    Returns:
        The path of the .jigdo below the mirror, and the pair.

    Raises:
        IncompleteError: The mirror has none of them, or cannot be reached.
        WrongBytesError: What it has is broken.
    """
    asked: list[str] = []
    for name in _names(release):
        folder = (tree / name).parent
        folder.mkdir(parents=True, exist_ok=True)
        try:
            url = release.mirror.url + name
            return name, fetched_pair(url, folder, client, http_options(release), cache)
        except NotHadError as error:
            if error.answer is not Answer.NOT_FOUND:
                raise
            asked.append(error.what)
    raise IncompleteError(
        "\n".join([f"no .jigdo of {release.image} is to be had:", *asked]),
        hint="correct `mirror:`, `version:` or `jigdo:`, or run again later",
    )


def _names(release: Release) -> Iterator[str]:
    stem = release.image.removesuffix(".iso")
    for folder in release.jigdo:
        yield f"{folder}{stem}.jigdo"
        yield f"{folder}{release.image}.jigdo"


def _fetch_sums(
    client: HttpClient, release: Release, jigdo: str, tree: Path
) -> Iterator[ReleaseBuilderError]:
    """Bring the sums files that lie beside the .jigdo, and forget the copies of those that are gone.

    Yields:
        Why one cannot be had now: its copy is not believed any longer.
    """
    names = [*_SUMS, f"{release.image}.md5", f"{release.image}.sha256"]
    if release.trust.sums:
        names += [name + suffix for name in names for suffix in SUFFIXES if name[-4:] != ".asc"]
    for name in dict.fromkeys(names):
        path = (tree / jigdo).with_name(name)
        url = f"{release.mirror.url}{jigdo.rpartition('/')[0]}/{name}"
        retries = release.fetch.retries
        try:
            download(client, url, path, limit=_SUMS_LIMIT, retries=retries)
        except ReleaseBuilderError as error:
            path.unlink(missing_ok=True)
            if not (isinstance(error, NotHadError) and error.answer is Answer.NOT_FOUND):
                yield error


def _check_judged(context: Context, lost: NotHadError) -> None:
    """Make sure that the pair is not refused for want of a sums file that may be there later.

    Raises:
        IncompleteError: It would be.
    """
    plan = context.plan
    try:
        pair = find_pair(plan.workdir.tree, plan.release, context.cache)
        with pair.open_template() as stream:
            believed(plan, pair.read_template(stream).description.image)
    except ChangedError:
        return
    except (SignatureError, WeakerError) as error:
        raise IncompleteError(f"{lost.what}: {error.what}", hint="run it again later") from error
    except ReleaseBuilderError:  # the step that needs the pair tells
        return


def _digests(tree: Path, release: Release) -> dict[Path, Digest]:
    """What each file in the folders of the .jigdo is."""
    found = {}
    for folder in release.jigdo:
        for path in (tree / folder).glob("*"):
            if path.is_file():
                with open_regular(path) as stream:
                    found[path] = digest_stream(stream, ["sha256"])["sha256"]
    return found
