"""Whether a stranger can rebuild a staged release: what the preflight is told of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from release_builder.descriptor.publishing import Preflight
from release_builder.files import open_regular
from release_builder.jigdo.template import read_template
from release_builder.preflight.summary import severity_of
from release_builder.report import Finding
from release_builder.steps.file_names import FileNames
from release_builder.steps.release_servers import http_options
from release_builder.transport.http import HttpError, Try

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from release_builder.descriptor.publication import Publication
    from release_builder.plan import Plan
    from release_builder.public.staged import Staged
    from release_builder.steps import Context
    from release_builder.steps.go_public import Public
    from release_builder.transport.http import HttpOptions


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying it.

    Attributes:
        words: What was tried, for people.
        findings: What a stranger would stumble over.
    """

    words: str
    findings: tuple[Finding, ...] = ()


def try_out(
    context: Context, plan: Plan, public: Public, staged: Staged, links: Sequence[str]
) -> Tried:
    """Try it as far as the descriptor wants, with the files that are staged.

    Args:
        context: Its monitor hears how far it is.
        plan: Of the release on one arch.
        public: Where it becomes public.
        staged: The release.
        links: What will lead there.

    Raises:
        ReleaseBuilderError: As check_urls and rebuild.
    """
    publication, places = public.publication, (public.folder, *links)
    asks = publication.preflight is Preflight.URLS
    if publication.preflight is Preflight.OFF or (asks and plan.options.offline):
        return Tried("whether a stranger can rebuild it was not tried")
    # Not before it is wanted: urllib3 and the certificates take a tenth of a second.
    from release_builder.preflight.rebuild import rebuild  # noqa: PLC0415
    from release_builder.preflight.urls import check_urls  # noqa: PLC0415

    names, options = FileNames.of(plan.release), http_options(plan.release)
    jigdo = (staged.root / names.folder / names.jigdo).read_bytes()
    template = staged.root / names.folder / names.template
    with open_regular(template) as stream:
        description = read_template(stream, names.template).description
    if asks:
        findings = check_urls(
            jigdo,
            names.jigdo,
            dict(_moved(publication, staged, places)),
            options,
            context.monitor,
            template_parts=description.parts,
        )
        files = (names.image, names.jigdo, names.template)
        own = own_files(context, publication, staged, names.folder, files, options)
        return Tried("the web server has each part where the .jigdo says", (*findings, *own))
    folders = dict(_folders(plan, publication, staged, places))
    made = rebuild(
        jigdo, names.jigdo, template, folders, plan.workdir.image, options, context.monitor
    )
    return Tried("the image was rebuilt with nothing but what is public now", made.findings)


def _moved(
    publication: Publication, staged: Staged, places: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """By URL that will lead to the release, where it lies on the web until then."""
    if publication.url:
        for place in places:
            yield f"{publication.url}{place}/", f"{publication.url}{staged.hidden}/"


def _folders(
    plan: Plan, publication: Publication, staged: Staged, places: Sequence[str]
) -> Iterator[tuple[str, Path]]:
    """By URL that will lead to the release, or to its tree, the folder here.

    Where nobody knows the URL of the root, what [Servers] name is taken for it.
    """
    roots = tuple(filter(None, (publication.url, *publication.mirrors)))
    for root in roots:
        for place in places:
            yield f"{root}{place}/", staged.root
    if not roots:
        for url in plan.release.server_urls(plan.stage).values():
            yield url, staged.root / plan.release.tree


def own_files(  # noqa: PLR0913, PLR0917 (what is asked, and how)
    context: Context,
    publication: Publication,
    staged: Staged,
    folder: str,
    names: Sequence[str],
    options: HttpOptions,
) -> tuple[Finding, ...]:
    """Ask for the image and its pair where the root's URL will have them."""
    if not publication.url:
        return ()
    from release_builder.transport.http.head_client import HeadClient  # noqa: PLC0415

    findings = []
    with HeadClient(options, os.environ) as client:
        for name in names:
            context.monitor.note(name)
            url = publication.url + quote(f"{staged.hidden}/{folder}{name}")
            try:
                client.length(url, (staged.root / folder / name).stat().st_size)
            except HttpError as error:
                what = str(Try(url, error.answer, error.detail))
                hint = "correct `url:` below `publish:`, or let the web server serve hidden folders"
                findings.append(Finding(severity_of([error.answer]), what, hint))
    return tuple(findings)
