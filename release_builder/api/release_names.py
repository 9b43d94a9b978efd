"""What releases are called, each by a name of its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_builder.state.history import RecordedRun, ReleaseState

ReleaseKey = tuple[str, ...]  # the descriptor first


def names_of(releases: Iterable[ReleaseState | RecordedRun]) -> dict[ReleaseKey, str]:
    """A name for each; those of several descriptors with the same name are told apart by these."""
    keys = dict.fromkeys(map(release_key, releases))
    words = {key: " ".join(filter(None, key[1:])) or key[0] for key in keys}
    return {key: f"{words[key]} {which}".strip() for key, which in told_apart(words).items()}


def release_key(of: ReleaseState | RecordedRun) -> ReleaseKey:
    """What a release is known by in ``names_of``."""
    return of.descriptor, of.product, of.version, of.arch


def told_apart(names: Mapping[ReleaseKey, str]) -> dict[ReleaseKey, str]:
    """What to write behind each of ``names``: nothing, or where it occurs twice, its descriptor.

    Args:
        names: By keys that begin with the descriptor. An empty name needs it always.
    """
    often = Counter(names.values())
    alike = {key[0] for key, name in names.items() if often[name] > 1 or not name}
    stems = Counter(Path(each).stem for each in alike)
    return {
        key: ""
        if name and often[name] == 1
        else f"({Path(key[0]).stem if stems[Path(key[0]).stem] == 1 else key[0]})"
        for key, name in names.items()
    }
