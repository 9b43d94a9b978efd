"""A release that grows old: public at another place, and its old name leads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.errors import DescriptorError, printable
from release_builder.public.layout import LINK, NEXT, ORIGIN
from release_builder.public.links import in_the_way, target_of
from release_builder.public.place import Kind
from release_builder.public.switch import bring_out, lead_away, remove_generation
from release_builder.public.view import look

if TYPE_CHECKING:
    from release_builder.public.layout import Layout
    from release_builder.public.place import Place
    from release_builder.public.view import View


def is_retired(old: View, new: View) -> bool:
    """Whether ``old`` has become ``new``, and nothing is public as ``old`` since."""
    if old.current or new.current is None:
        return False
    return old.leads == new.layout.folder or (
        old.public is None and new.origin == old.layout.folder
    )


def retire(place: Place, folder: Layout, to: Layout, *, links: bool) -> tuple[str, ...]:
    """Make what is public as ``folder`` public as ``to``; see Shelf.retire.

    The locks of both are held.
    """
    old, new = look(place, folder), look(place, to)
    if not is_retired(old, new):
        check(old, new)
        hidden = to.inside(NEXT)
        place.stage(old.lies, hidden, ())
        place.upload(old.lies, hidden, ())
        # Before it is public: then it is known for what it is, whenever this is cut off.
        place.link(to.inside(ORIGIN), folder.folder, to.inside(LINK))
        bring_out(place, new, hidden, links=links)
        lead_away(place, old, target_of(folder.folder, to.folder) if links else None)
    for layout in (folder, to):
        view = look(place, layout)
        for name in (*view.stored, *view.withdrawn):
            if name != view.current:
                remove_generation(place, view, name)
    return old.leading_to(folder.folder)


def check(old: View, new: View) -> None:
    """See that ``old`` may be retired as ``new``.

    Raises:
        DescriptorError: There is nothing to retire, or another release in its way.
        SurroundingsError: A file is.
    """
    folder, to = old.layout.folder, new.layout.folder
    if old.current is None:
        raise DescriptorError(f"there is no {printable(folder)} to retire")
    if new.public and new.public.kind is Kind.FILE:
        raise in_the_way(to, "a file")
    if (new.public or new.stored) and new.origin != folder:
        raise DescriptorError(
            f"{printable(to)} is there already, and is another release",
            hint="move it away, or set `obsolete:` below `publish:`",
        )
