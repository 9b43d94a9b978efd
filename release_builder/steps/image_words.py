"""What a .jigdo says of its image to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.pages import render

if TYPE_CHECKING:
    from release_builder.plan import Plan


def short_info(plan: Plan) -> str:
    """ShortInfo: product, version and arch."""
    release = plan.release
    return f"{_title(plan)} {release.version} for {release.arch}"


def info(plan: Plan) -> str:
    """Info: the same at length, and where the release's page is."""
    release, publish = plan.release, plan.release.publish
    url = publish.url if publish else None
    text = render(
        "jigdo-info.j2",
        title=_title(plan),
        version=release.version,
        arch=release.arch,
        stage=plan.stage.value,
        url=f"{url}{publish.folder_at(plan.stage)}/" if publish and url else "",
    )
    return " ".join(text.split())


def _title(plan: Plan) -> str:
    return plan.release.publish.title if plan.release.publish else plan.release.product
