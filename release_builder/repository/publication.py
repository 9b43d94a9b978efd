"""Bring a mirror from what it serves to what it is to serve."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from release_builder.repository.generations import begin, clone, expose, heal
from release_builder.repository.orphans import note_orphans
from release_builder.repository.served_tree import Published, carry_out, find_work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from release_builder.repository.contents import Contents
    from release_builder.repository.mirror import Mirror
    from release_builder.repository.sums import Sums


def publish(  # noqa: PLR0913 (what it needs to know and to do; no two belong together)
    mirror: Mirror,
    contents: Contents,
    places: Mapping[str, Path],
    *,
    sums_of: Callable[[Path], Sums],
    exchange: Callable[[Path, Path], bool],
    renaming: Callable[[Path], AbstractContextManager[object]] = contextlib.nullcontext,
    generations: bool = False,
) -> Published:
    """Let a mirror serve ``contents``; whoever calls it holds ``mirror.lock``.

    Cut off anywhere, the mirror serves what it did or what it is to, and the same call again
    finishes.

    Args:
        mirror: The mirror, made where missing.
        contents: What it is to serve.
        places: By plain name, where the bytes lie.
        sums_of: What a file's bytes are; it need not read again what has not changed.
        exchange: Lets two names change places; False where this system cannot.
        renaming: Hears which file gets another name in its block, and nothing else.
        generations: Whether a plain folder becomes a link to generations.

    Returns:
        What changed.

    Raises:
        IncompleteError: Somebody changed a file meanwhile.
        OSError: The file system refuses.
    """
    if generations:
        begin(mirror, exchange)
    heal(mirror)
    work = find_work(mirror.path, contents, sums_of)
    is_plain = not generations and not mirror.has_generations
    if work.is_done and (is_plain or mirror.has_generations):
        published = Published((), (), (), is_changed=False)
    else:
        tree = mirror.path if is_plain else clone(mirror, renaming)
        published = carry_out(tree, work, places, mirror.staging, sums_of, renaming=renaming)
        if not is_plain:
            expose(mirror, tree, exchange)
    # Where nothing changed too: a run that was killed may not have come to it.
    note_orphans(mirror, int(time.time()))
    return published
