"""Room for what is to come, by old images that would stay otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_builder.steps.old_images import (
    after_the_current,
    linked_files,
    lone_pairs,
    moved_images,
    older_images,
    remove,
)

if TYPE_CHECKING:
    from release_builder.jigdo.sources import DigestCache
    from release_builder.plan import Plan
    from release_builder.steps.old_images import OldFile


def make_room(plan: Plan, lacking: int, cache: DigestCache) -> int:
    """Remove old images, the oldest first, until ``lacking`` bytes have become free.

    The current image stays; where it is not made yet, the newest one does. What a link leads to
    stays too. Where all that may go is not enough, nothing goes. The workdir's lock is held.

    Args:
        plan: Whose workdir it is.
        lacking: Bytes that are to become free.
        cache: Digests known from before.

    Returns:
        Bytes that became free: ``lacking`` or more, or none.

    Raises:
        OSError: A file cannot be looked at, or not be removed.
    """
    older, _ = older_images(plan, cache)
    spare = [*after_the_current(plan, older), *moved_images(plan)]
    linked = linked_files(plan) if spare else frozenset()
    chosen: list[OldFile] = []
    freed = 0
    for file in sorted(spare, key=lambda file: file.changed):
        if freed < lacking and file.size and file.identity not in linked:
            chosen.append(file)
            freed += file.size
    if freed < lacking:
        return 0
    remove(chosen)
    remove(lone_pairs(plan, ()))
    return freed
