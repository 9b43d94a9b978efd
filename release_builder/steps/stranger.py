"""Whether a stranger can rebuild a staged release: what the preflight is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.descriptor.publishing import Preflight
from release_builder.files import open_regular
from release_builder.jigdo.template import read_template
from release_builder.steps.file_names import FileNames
from release_builder.steps.release_servers import http_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.publication import Publication
    from release_builder.plan import Plan
    from release_builder.public.staged import Staged
    from release_builder.report import Finding
    from release_builder.steps import Context


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying it.

    Attributes:
        words: What was tried, for people.
        findings: What a stranger would stumble over.
    """

    words: str
    findings: tuple[Finding, ...] = ()


def try_out(context: Context, plan: Plan, publication: Publication, staged: Staged) -> Tried:
    """Try it as far as the descriptor wants, with the files that are staged.

    Args:
        context: Its monitor hears how far it is.
        plan: Of the release on one arch.
        publication: Where it becomes public.
        staged: The release.

    Raises:
        ReleaseBuilderError: As check_urls and rebuild.
    """
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
            dict(_moved(plan, publication, staged)),
            options,
            context.monitor,
            template_parts=description.parts,
        )
        return Tried("the web server has each part where the .jigdo says", findings)
    folders = dict(_folders(plan, publication, staged))
    made = rebuild(
        jigdo, names.jigdo, template, folders, plan.workdir.image, options, context.monitor
    )
    return Tried("the image was rebuilt with nothing but what is public now", made.findings)


def _moved(plan: Plan, publication: Publication, staged: Staged) -> Iterator[tuple[str, str]]:
    """By URL that will lead to the release, where it lies on the web until then."""
    if publication.url:
        for place in _places(plan, publication):
            yield f"{publication.url}{place}/", f"{publication.url}{staged.hidden}/"


def _folders(plan: Plan, publication: Publication, staged: Staged) -> Iterator[tuple[str, Path]]:
    """By URL that will lead to the release, or to its tree, the folder here.

    Where nobody knows the URL of the root, what [Servers] name is taken for it.
    """
    roots = tuple(filter(None, (publication.url, *publication.mirrors)))
    for root in roots:
        for place in _places(plan, publication):
            yield f"{root}{place}/", staged.root
    if not roots:
        for url in plan.release.server_urls(plan.stage).values():
            yield url, staged.root / plan.release.tree


def _places(plan: Plan, publication: Publication) -> Iterator[str]:
    yield publication.folder_at(plan.stage)
    link = publication.link_at(plan.stage) if publication.links else None
    if link:
        yield link
