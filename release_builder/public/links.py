"""Links that lead to a release, such as ``testing/9``."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from release_builder.errors import DescriptorError, SurroundingsError, WrongBytesError, printable
from release_builder.public.layout import LINK, Layout
from release_builder.public.place import Kind
from release_builder.public.view import shown_generation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_builder.public.place import Place

WITHOUT_LINK: Final = "remove it; what lies on another disk can be mounted there"


def missing_links(place: Place, layout: Layout, links: Sequence[str]) -> dict[str, str]:
    """Those of ``links`` that do not lead to the release yet, and what each is to say.

    Raises:
        DescriptorError: One has the name of another release.
        SurroundingsError: One has the name of something that is no link.
    """
    if not links:
        return {}
    names = [Layout.of(link) for link in links]
    listings = place.listings([name.parent for name in names])
    missing = {}
    for name, beside in zip(names, listings, strict=True):
        entry, target = beside.get(name.leaf), target_of(name.folder, layout.folder)
        if entry and entry.kind is not Kind.LINK:
            raise in_the_way(name.folder, "no link")
        if entry and shown_generation(name, entry):
            raise DescriptorError(
                f"{printable(name.folder)} is a release of its own:"
                f" it cannot lead to {printable(layout.folder)}",
                hint="set `link:` below `publish:`",
            )
        if entry is None or entry.target != target:
            missing[name.folder] = target
    return missing


def make_links(place: Place, layout: Layout, missing: Mapping[str, str]) -> None:
    """Make what missing_links told, each in one go."""
    for link, target in missing.items():
        place.link(link, target, layout.inside(LINK))


def drop_link(place: Place, layout: Layout) -> None:
    """Remove what has the public name, if it is a link."""
    (beside,) = place.listings([layout.parent])
    entry = beside.get(layout.leaf)
    if entry and entry.kind is Kind.LINK:
        place.remove(layout.folder)


def target_of(link: str, folder: str) -> str:
    """What ``link`` says to lead to ``folder``; both are below the root."""
    return posixpath.relpath(folder, posixpath.dirname(link) or ".")


def in_the_way(name: str, what: str) -> SurroundingsError:
    """``name`` is ``what``, where we are to put something."""
    return SurroundingsError(f"{printable(name)} is {what}", hint="move it away")


def leads_out(name: str, root: str) -> WrongBytesError:
    """``name`` is a link, or lies behind one, that leads out of ``root``."""
    return WrongBytesError(
        f"'{printable(name)}' is, or lies behind, a link that leads out of {printable(root)}",
        hint=WITHOUT_LINK,
    )


def no_file(name: str, root: str) -> WrongBytesError:
    """``name`` below ``root`` is a folder, a FIFO or a device, where a file should be."""
    return WrongBytesError(f"{printable(f'{root}/{name}')} is no file", hint="remove it")
