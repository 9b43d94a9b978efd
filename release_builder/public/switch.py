"""The moment at which the world sees another generation, and what is left if that was cut off."""

from __future__ import annotations

import posixpath
import time
from typing import TYPE_CHECKING

from release_builder.public.layout import (
    AWAY,
    GONE,
    LAST,
    LINK,
    MARK,
    moment,
    moment_name,
    withdrawn_name,
)
from release_builder.public.place import Kind
from release_builder.public.view import look, shown_generation

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
    _announce(place, view, generation, links=links)
    return _show(place, view, generation, links=links)


def _announce(place: Place, view: View, generation: str, *, links: bool) -> None:
    """Say which generation is about to be public, so that one that never was is known for it."""
    text, link = view.layout.target(generation) if links else generation, view.layout.inside(LINK)
    place.link(link, text, link)


def _show(place: Place, view: View, generation: str, *, links: bool) -> tuple[str, ...]:
    layout = view.layout
    announced = layout.inside(LINK)
    if links and not view.is_folder:
        place.rename(announced, layout.folder)
        return ()
    kept = None
    if view.public is None:
        place.rename(layout.inside(generation), layout.folder)
    else:
        kept = _exchange(place, view, generation, links=links)
    if not links:
        place.rename(announced, layout.inside(MARK))
        return ()
    place.remove(layout.inside(MARK))
    place.remove(announced)
    return (f"{layout.folder} was a folder: it is generation {kept} now",)


def _exchange(place: Place, view: View, generation: str, *, links: bool) -> str | None:
    """Let a generation, or the link to it, take the place of what is public."""
    layout, away = view.layout, view.layout.inside(AWAY)
    if view.is_folder and view.current:
        # From here on its time tells which it is, which somebody may have changed.
        place.settle(layout.folder, layout.folder, moment(view.current))
    if links:
        place.link(away, layout.target(generation), away)
    else:
        place.settle(layout.inside(generation), away, moment(generation))
    place.exchange(away, layout.folder, layout.inside(LAST))
    return _put_by(place, layout, AWAY)


def bring_out(place: Place, view: View, hidden: str, *, links: bool) -> tuple[str, tuple[str, ...]]:
    """Make an uploaded folder the next generation, and public.

    Returns:
        The generation, and what else a user should know, a sentence each.
    """
    withdraw_newer(place, view)
    now = view.new_moment(int(time.time()))
    generation = moment_name(now)
    _announce(place, view, generation, links=links)
    place.settle(hidden, view.layout.inside(generation), now)
    return generation, _show(place, view, generation, links=links)


def take_in(place: Place, view: View, generation: str) -> None:
    """Withdraw the public generation: its public name goes, and nobody goes back to it."""
    layout = view.layout
    withdraw_newer(place, view)
    kept = layout.inside(withdrawn_name(generation))
    if view.is_folder:
        place.rename(layout.folder, kept)
        place.remove(layout.inside(MARK))
    else:
        place.rename(layout.inside(generation), kept)
        place.remove(layout.folder)


def lead_away(place: Place, view: View, target: str | None) -> None:
    """Let the public name be a link that says ``target``; None: let it go.

    What was public goes, or stays as a generation.
    """
    layout, gone = view.layout, view.layout.inside(GONE)
    if not view.is_folder:
        if target is None:
            place.remove(layout.folder)
        else:
            place.link(layout.folder, target, layout.inside(LINK))
        return
    if target is None:
        place.rename(layout.folder, gone)
    else:
        away = layout.inside(AWAY)
        place.link(away, target, away)
        place.exchange(away, layout.folder, layout.inside(LAST))
        place.rename(away, gone)
    place.remove(gone)
    place.remove(layout.inside(MARK))


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
    if LINK in store:
        _settle_announced(place, look(place, layout))
    if MARK in store and look(place, layout).marked is None:
        place.remove(layout.inside(MARK))
    shown = shown_generation(layout, beside[layout.leaf]) if layout.leaf in beside else None
    if shown and shown not in store and withdrawn_name(shown) in store:
        place.remove(layout.folder)


def _settle_announced(place: Place, view: View) -> None:
    """End what was announced: the generation is public, or nobody ever saw it and it goes."""
    link = view.layout.inside(LINK)
    text = view.store[LINK].target
    name = posixpath.basename(text)
    if view.is_folder and name == text == view.current:
        place.rename(link, view.layout.inside(MARK))
        return
    if name in view.stored and (view.current is None or name > view.current):
        remove_generation(place, view, name)
    place.remove(link)


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
    while store.keys() & {moment_name(seconds), withdrawn_name(moment_name(seconds))}:
        seconds += 1
    place.rename(layout.inside(name), layout.inside(moment_name(seconds)))
    return moment_name(seconds)
