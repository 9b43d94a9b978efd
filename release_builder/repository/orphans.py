"""Since when files that are served are of no use: clients may be fetching them still."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from release_builder.files import replacing
from release_builder.repository.contents import read_contents
from release_builder.repository.mirror import served_files

if TYPE_CHECKING:
    from release_builder.repository.mirror import Mirror


def find_orphans(mirror: Mirror, now: int) -> dict[str, int]:
    """The images and deltas that no meta file tells of.

    Args:
        mirror: The mirror.
        now: Seconds since 1970.

    Returns:
        Since when each is of no use, in seconds since 1970, by plain name.

    Raises:
        WrongBytesError: A meta file cannot be read.
    """
    useful, known = read_contents(mirror.path).files, _read(mirror)
    return {
        name: min(known.get(name, now), now)
        for name, _ in served_files(mirror.path)
        if name not in useful
    }


def note_orphans(mirror: Mirror, now: int) -> None:
    """Write down what has become of no use, or is no longer; the caller holds ``mirror.lock``."""
    orphans = find_orphans(mirror, now)
    if orphans != _read(mirror):
        mirror.work.mkdir(parents=True, exist_ok=True)
        with replacing(mirror.orphans) as out:
            out.write(json.dumps(orphans, indent=1).encode())


def _read(mirror: Mirror) -> dict[str, int]:
    # It only ever delays: what is damaged counts as not known.
    try:
        said = json.loads(mirror.orphans.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    told = said.items() if isinstance(said, dict) else ()
    return {name: since for name, since in told if isinstance(since, int)}
