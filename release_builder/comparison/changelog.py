"""What the changelog of a package says that that of an older one does not, and the bugs it names.

Source: rpm-spec(5), "%changelog": an entry has a date (kept as the noon of that day), an author
and a text; by custom the author ends in the version and release.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from release_builder.media.rpm_version import Evr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_builder.comparison.packages import PackageFile
    from release_builder.media.rpm import Change

_EVR: Final = re.compile(r"\[?(?:(\d{1,9}):)?(\d[^\s:\-\[\]]*)-(\d[^\s:\-\[\]]*)\]?")
_NUMBERS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*")
# [SME: 8123], [SME:8123, 8124], [bug 8123]
_BUGS: Final = re.compile(r"\[\s*(?:SME|bugs?)\b[\s:#]*(\d{1,9}(?:[\s,;#]+\d{1,9})*)\s*\]", re.I)


def new_entries(old: PackageFile, new: PackageFile) -> tuple[Change, ...]:
    """The entries of ``new`` that are newer than the newest of ``old``, newest first.

    Several entries may be of one day, a text may have been corrected later, and a date may be
    mistyped: the version that an entry names decides where its day does not. Of an old package
    whose changelog is unknown, its version or the time when it was built takes the newest entry's
    place.
    """
    if not old.changes:
        return _since(old, new.changes)
    known = {(_evr(entry), _words(entry)) for entry in old.changes}
    versions = {evr for evr, _ in known if evr}
    newest = max(entry.time for entry in old.changes)
    last = max(versions, default=None)

    def is_new(entry: Change) -> bool:
        evr = _evr(entry)
        if (evr, _words(entry)) in known:
            return False
        if entry.time == newest:
            return evr is None or evr not in versions
        return entry.time > newest or bool(evr and last and evr > last)

    return tuple(entry for entry in new.changes if is_new(entry))


def bugs_in(entries: Iterable[Change]) -> tuple[int, ...]:
    """The numbers of the bugs that ``entries`` name, as ``[SME: 8123]`` or ``[bug 8123]``."""
    lists = (found for entry in entries for found in _BUGS.findall(entry.text))
    return tuple(sorted({int(number) for each in lists for number in re.findall(r"\d+", each)}))


def _since(old: PackageFile, entries: tuple[Change, ...]) -> tuple[Change, ...]:
    if old.built:
        return tuple(entry for entry in entries if entry.time > old.built)
    limit = _plain(Evr(0, old.evr.version, old.evr.release))
    newer: list[Change] = []
    for entry in entries:
        evr = _evr(entry)
        if evr is None or Evr(0, evr.version, evr.release) <= limit:
            break
        newer.append(entry)
    return tuple(newer)


def _evr(entry: Change) -> Evr | None:
    """The version that ``entry`` names at the end of its author."""
    last = entry.author.rsplit(maxsplit=1)[-1:]
    found = _EVR.fullmatch(last[0]) if last else None
    return found and _plain(Evr(int(found[1] or 0), found[2], found[3]))


def _plain(evr: Evr) -> Evr:
    """``evr`` without the distribution in its release, which changelogs often leave out."""
    numbers = _NUMBERS.match(evr.release)
    return Evr(evr.epoch, evr.version, numbers[0]) if numbers else evr


def _words(entry: Change) -> str:
    return " ".join(entry.text.split())
