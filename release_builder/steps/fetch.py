"""The pair from a web server: what a mirror that is not mirrored has to give beside the parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from release_builder.digests import digest_stream
from release_builder.errors import IncompleteError, printable
from release_builder.files import open_regular
from release_builder.report import Finding, Outcome, Severity, StepResult
from release_builder.steps.release_servers import http_options
from release_builder.steps.web_pair import fetched_pair
from release_builder.transport.http import Answer, HttpError
from release_builder.transport.http.client import HttpClient
from release_builder.transport.http.download import download

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.release import Release
    from release_builder.digests import Digest
    from release_builder.steps import Context

# Sums files have many names; these are the usual ones.
_SUMS: Final = ("md5sum.txt", "sha1sum.txt", "sha256sum.txt", "MD5SUMS", "SHA256SUMS")
_SUMS_LIMIT: Final = 1 << 20  # bytes


def run(context: Context) -> StepResult:
    """Bring the .jigdo, its template and the sums files into the tree.

    Raises:
        IncompleteError: The mirror cannot be reached, or has no such .jigdo.
        WrongBytesError: The .jigdo or the template is broken.
    """
    plan = context.plan
    if plan.options.offline:
        return StepResult("fetch", Outcome.SKIPPED, "offline: the pair is taken as it is")
    options = http_options(plan.release)
    client = HttpClient(options, os.environ)
    name = find_web_jigdo(client, plan.release)
    path = plan.workdir.tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = _digests(path.parent)
    url = plan.release.mirror.url + name
    context.monitor.begin(f"fetch {printable(url)}")
    try:
        pair = fetched_pair(url, path.parent, client, options, context.cache)
        for sums in (*_SUMS, f"{plan.release.image}.md5", f"{plan.release.image}.sha256"):
            _fetch_sums(client, url, path.with_name(sums))
    finally:
        context.monitor.end()
    new = {each for each, known in _digests(path.parent).items() if before.get(each) != known}
    return StepResult(
        "fetch",
        Outcome.DONE if new else Outcome.UNCHANGED,
        f"{', '.join(sorted(new))} from {printable(url.rpartition('/')[0])}/"
        if new
        else "the pair is as the mirror has it",
        counts={"files_fetched": len(new)},
        findings=tuple(Finding(Severity.NOTE, note) for note in (*client.notes, *pair.notes)),
        facts={"tree": str(plan.workdir.tree)},
    )


def find_web_jigdo(client: HttpClient, release: Release) -> str:
    """The path below the mirror of the .jigdo: one of those that it may have.

    Raises:
        IncompleteError: The mirror has none of them, or cannot be reached.
    """
    asked = []
    for name in _names(release):
        try:
            with client.get(release.mirror.url + name):
                return name
        except HttpError as error:
            asked.append(f"{release.mirror.url}{name}: {error.answer.value} ({error.detail})")
            if error.answer is not Answer.NOT_FOUND:
                break
    raise IncompleteError(
        "\n".join([f"no .jigdo of {release.image} is to be had:", *asked]),
        hint="correct `mirror:`, `version:` or `jigdo:`, or run again later",
    )


def _names(release: Release) -> Iterator[str]:
    stem = release.image.removesuffix(".iso")
    for folder in release.jigdo:
        yield f"{folder}{stem}.jigdo"
        yield f"{folder}{release.image}.jigdo"


def _fetch_sums(client: HttpClient, jigdo_url: str, path: Path) -> None:
    """Bring a sums file that lies beside the .jigdo, or forget the copy of one that is gone."""
    url = f"{jigdo_url.rpartition('/')[0]}/{path.name}"
    try:
        with client.get(url):
            pass
    except HttpError as error:
        if error.answer is Answer.NOT_FOUND:
            path.unlink(missing_ok=True)
        return
    download(client, url, path, limit=_SUMS_LIMIT)


def _digests(folder: Path) -> dict[str, Digest]:
    """What each file in ``folder`` is."""
    found = {}
    for path in folder.iterdir():
        if path.is_file():
            with open_regular(path) as stream:
                found[path.name] = digest_stream(stream, ["sha256"])["sha256"]
    return found
