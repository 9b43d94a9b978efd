"""Whether a stranger can rebuild a staged release: what the preflight is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.descriptor.publishing import Preflight
from release_builder.steps.release_servers import http_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from release_builder.descriptor.publication import Publication
    from release_builder.public.staged import Staged
    from release_builder.report import Finding
    from release_builder.steps import Context
    from release_builder.steps.content import Content


def try_out(
    context: Context, publication: Publication, staged: Staged, content: Content
) -> tuple[Finding, ...]:
    """What a stranger would stumble over, as far as the descriptor wants it tried.

    Raises:
        ReleaseBuilderError: As check_urls and rebuild.
    """
    asks = publication.preflight is Preflight.URLS
    if publication.preflight is Preflight.OFF or (asks and context.plan.options.offline):
        return ()
    # Not before it is wanted: urllib3 and the certificates take a tenth of a second.
    from release_builder.preflight.rebuild import rebuild  # noqa: PLC0415
    from release_builder.preflight.urls import check_urls  # noqa: PLC0415

    plan = context.plan
    name, options = f"{plan.release.image.removesuffix('.iso')}.jigdo", http_options(plan.release)
    if asks:
        moved = dict(_moved(context, publication, staged))
        return check_urls(
            content.jigdo, name, moved, options, context.monitor, template_parts=content.parts
        )
    return rebuild(
        content.jigdo,
        name,
        content.template,
        dict(_folders(context, publication, staged)),
        plan.workdir.image,
        options,
        context.monitor,
        image=tuple(content.digests.values()),
    ).findings


def _moved(context: Context, publication: Publication, staged: Staged) -> Iterator[tuple[str, str]]:
    """By URL that will lead to the release, where it lies on the web until then."""
    if publication.url:
        for place in _places(context, publication):
            yield f"{publication.url}{place}/", f"{publication.url}{staged.hidden}/"


def _folders(
    context: Context, publication: Publication, staged: Staged
) -> Iterator[tuple[str, Path]]:
    """By URL that will lead to the release, or to its tree, the folder here."""
    plan = context.plan
    for root in (publication.url, *publication.mirrors):
        if root:
            for place in _places(context, publication):
                yield f"{root}{place}/", staged.root
    for url in plan.release.server_urls(plan.stage).values():
        yield url, staged.root / plan.release.tree


def _places(context: Context, publication: Publication) -> Iterator[str]:
    stage = context.plan.stage
    yield publication.folder_at(stage)
    if link := publication.link_at(stage):
        yield link
