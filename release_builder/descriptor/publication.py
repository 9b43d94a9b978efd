"""Where one release becomes public, with everything spelt out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release_builder.descriptor.patterns import expand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_builder.descriptor.model import Descriptor
    from release_builder.descriptor.publishing import Places, Preflight, SumsStyle
    from release_builder.descriptor.target import Target
    from release_builder.descriptor.version import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Where a release becomes public, and how; see Publish for what is not told here.

    Attributes:
        root: The folder that all releases lie below.
        url: The same folder on the web, with a slash at the end; None where nobody knows.
        mirrors: Copies of it on the web, each with a slash at the end.
        folder: Where the release lies below it.
        link: What leads to the newest release there; None for no link.
        obsolete: Where it goes when another one replaced it.
        title: What people call the product.
        key: What gpg finds the secret key by; None: nothing is signed.
        keep: How many replaced generations stay.
        sums: How lines of sums files look.
        preflight: What is tried before it is public.
        links: Whether its folder is a link to the newest generation.
        ssh: The command that reaches the host of ``root``.
    """

    root: Target
    url: str | None
    mirrors: tuple[str, ...]
    folder: Places
    link: Places | None
    obsolete: str
    title: str
    key: str | None
    keep: int
    sums: SumsStyle
    preflight: Preflight
    links: bool
    ssh: str

    def folder_at(self, stage: Stage) -> str:
        """Where the release lies below the root at ``stage``, such as ``testing/9.0beta3``."""
        return self.folder.of(stage)

    def link_at(self, stage: Stage) -> str | None:
        """What leads there, such as ``testing/9``; None for no link, or where that is the folder."""
        link = self.link.of(stage) if self.link else None
        return None if link == self.folder_at(stage) else link


def expand_publication(descriptor: Descriptor, values: Mapping[str, str]) -> Publication | None:
    """Where the release that ``values`` tell is published; None if its descriptor does not say.

    Raises:
        RefusedError: A pattern has an unknown placeholder.
    """
    publish, profile = descriptor.publish, descriptor.profile
    if publish is None:
        return None
    link = publish.link or profile.link
    return Publication(
        root=publish.root,
        url=publish.url and expand(publish.url, values),
        mirrors=tuple(dict.fromkeys(expand(each, values) for each in publish.mirrors)),
        folder=_expanded(publish.folder or profile.folder, values),
        link=link and _expanded(link, values),
        obsolete=expand(publish.obsolete or profile.obsolete, values),
        title=publish.title or profile.title or profile.name,
        key=publish.key,
        keep=publish.keep,
        sums=publish.sums,
        preflight=publish.preflight,
        links=publish.links,
        ssh=publish.ssh,
    )


def _expanded(places: Places, values: Mapping[str, str]) -> Places:
    return type(places)(beta=expand(places.beta, values), final=expand(places.final, values))
