"""The moment at which the world sees another generation, and what is left if that was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.public.layout import AWAY, GONE, LAST, LINK, moment_name, withdrawn_name
from release_builder.public.place import Kind

if TYPE_CHECKING:
    from release_builder.public.layout import Layout
    from release_builder.public.place import Place
    from release_builder.public.view import View


def expose(place: Place, view: View, generation: str, *, links: bool) -> tuple[str, ...]:
    """Give a stored generation the public name.

    Args:
        place: The root.
        view: What there is of the release.
        generation: Its time of change must be its moment.
        links: Whether the public name is to be a link, or the generation itself.

    Returns:
        What else a user should know, a sentence each.
    """
    layout = view.layout
    inside, away = layout.inside(generation), layout.inside(AWAY)
    is_folder = view.public is not None and view.public.kind is Kind.FOLDER
    if links and not is_folder:
        place.link(layout.folder, layout.target(generation), layout.inside(LINK))
        return ()
    if view.public is None:
        place.rename(inside, layout.folder)
        return ()
    if links:
        place.link(away, layout.target(generation), away)
    else:
        place.rename(inside, away)
    place.exchange(away, layout.folder, layout.inside(LAST))
    kept = _put_by(place, layout, AWAY)
    return (f"{layout.folder} was a folder: it is generation {kept} now",) if links else ()


def heal(place: Place, layout: Layout) -> None:
    """Put right what a run left that was cut off; whoever calls it holds the lock.

    What is found half-way is the new release that is not public yet or the old one that is no
    longer: a folder tells by its time which generation it is.
    """
    store, beside = place.listings([layout.store, layout.parent])
    is_absent = layout.leaf not in beside
    for name in (LAST, AWAY):
        if name not in store:
            continue
        if is_absent and store[name].kind is Kind.FOLDER:
            place.rename(layout.inside(name), layout.folder)
            is_absent = False
        else:
            _put_by(place, layout, name)
    if GONE in store:
        place.remove(layout.inside(GONE))


def withdraw_newer(place: Place, view: View) -> None:
    """See to it that nobody goes back to generations that are newer than the public one.

    They are those that somebody took back, or that a run which was cut off did not make public.
    They are not removed at once: somebody may still read them.
    """
    for name in view.stored:
        path = view.layout.inside(name)
        if view.current and name > view.current and not view.leading_to(path):
            place.rename(path, view.layout.inside(withdrawn_name(name)))


def remove_generation(place: Place, view: View, name: str) -> bool:
    """Remove a stored generation; False if a link leads to it."""
    path, gone = view.layout.inside(name), view.layout.inside(GONE)
    if view.leading_to(path):
        return False
    # Half a generation must never have the name of one.
    place.rename(path, gone)
    place.remove(gone)
    return True


def _put_by(place: Place, layout: Layout, name: str) -> str | None:
    """Make the folder ``name`` the generation of its time; a link is of no use any more."""
    (store,) = place.listings([layout.store])
    if store[name].kind is not Kind.FOLDER:
        place.remove(layout.inside(name))
        return None
    seconds = store[name].changed
    while moment_name(seconds) in store:
        seconds += 1
    place.rename(layout.inside(name), layout.inside(moment_name(seconds)))
    return moment_name(seconds)
